"""`pmslink token`: add, list and remove the tokens of a state directory, also while a service uses it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import get_args

from pmslink.cli.state_dir_option import add_state_dir_options, state_dir_of
from pmslink.cli.terminal_output import format_table
from pmslink.store.core import state_directory
from pmslink.web.auth import token_file_edits
from pmslink.web.auth.permissions import Role
from pmslink.web.auth.token_file import parse_tokens, read_token_file

_NO_TOKENS_TEXT = (
    "No tokens. On loopback every local user has full access; on any other address pmslink refuses to start. "
    "A service that had tokens rejects all requests until it is restarted."
)
_ADDED_TEXT = """\
This token is shown only once. Programs send it as "Authorization: Bearer TOKEN", pmslink status and trace
read it from a --token-file, and the page asks for it. It is valid for the pmslink with state directory
{state_dir}.
"""
_FIRST_CREDENTIAL_TEXT = "This is the first token: from now on every request needs one.\n"
_NO_CONTROL_ROLE_TEXT = "No token has the role control yet, so no client can change settings.\n"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the commands below `pmslink token`; `run` of each returns the lines to print."""
    commands = command.add_subparsers(metavar="COMMAND", required=True)
    add = commands.add_parser("add", help="create a token and print it; only its digest is stored")
    add.add_argument("name", metavar="NAME", help="name of the person or program that uses the token")
    add.add_argument(
        "--role",
        required=True,
        choices=get_args(Role),
        help="view: read everything, guests' names are masked; pbx: create postings, read events, rooms and "
        "links; control: everything",
    )
    add.set_defaults(run=add_token)
    listing = commands.add_parser("list", help="list all tokens with their roles")
    listing.set_defaults(run=list_tokens)
    remove = commands.add_parser("remove", help="remove a token")
    remove.add_argument("name", metavar="NAME")
    remove.set_defaults(run=remove_token)
    for subcommand in (add, listing, remove):
        add_state_dir_options(subcommand)


def add_token(arguments: argparse.Namespace) -> Iterator[str]:
    """Create a token and yield it; write how to use it to stderr. Raises PmslinkError."""
    state_dir = state_dir_of(arguments)
    state_directory.create_state_directory(state_dir)
    token, count = token_file_edits.add_token(state_dir, arguments.name, arguments.role, datetime.now(UTC))
    yield token
    # not on stdout, which may be redirected to a token file
    sys.stderr.write(_ADDED_TEXT.format(state_dir=state_dir.absolute()))
    if count == 1:
        sys.stderr.write(_FIRST_CREDENTIAL_TEXT)
    if not any(token.role == "control" for token in parse_tokens(state_dir, read_token_file(state_dir))):
        sys.stderr.write(_NO_CONTROL_ROLE_TEXT)


def list_tokens(arguments: argparse.Namespace) -> Iterable[str]:
    """Return a table of all tokens. Raises PmslinkError."""
    state_dir = state_dir_of(arguments)
    tokens = parse_tokens(state_dir, read_token_file(state_dir))
    if not tokens:
        return [_NO_TOKENS_TEXT]
    rows = [("NAME", "ROLE", "CREATED")]
    rows += [
        (token.name, token.role, token.created.astimezone().isoformat(" ", "seconds")) for token in tokens
    ]
    return format_table(rows)


def remove_token(arguments: argparse.Namespace) -> Iterable[str]:
    """Remove a token; return a hint if it was the last one. Raises PmslinkError."""
    remaining = token_file_edits.remove_token(state_dir_of(arguments), arguments.name)
    return [] if remaining else [_NO_TOKENS_TEXT]
