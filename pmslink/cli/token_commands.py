"""What ``pmslink token`` does to the tokens of a state directory, also while a service uses them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, get_args

from pmslink.cli.state_dir_option import state_dir_of, state_dir_options
from pmslink.store.core import state_directory
from pmslink.web.auth import token_file_edits
from pmslink.web.auth.permissions import Role
from pmslink.web.auth.token_file import parse_tokens, read_token_file

_NO_TOKENS_TEXT = (
    "There are no tokens: where pmslink listens on this machine alone, anybody on it may do everything, but "
    "one that had tokens lets nobody in until it is restarted; on any other address pmslink does not start."
)
_ADDED_TEXT = """\
It is shown only now. A program sends it as "Authorization: Bearer TOKEN"; pmslink status and trace read it
from a --token-file; the page asks for it. It counts for the pmslink whose state directory is {place}.
"""
_FIRST_CREDENTIAL_TEXT = "It is the first one: from now on every call there needs a token.\n"
_NO_CONTROL_ROLE_TEXT = "None of the tokens there has the role control: nobody can change anything.\n"


def add_commands(commands: Any) -> None:
    """The commands below ``pmslink token``; `run` of each returns the lines to print. Raises PmslinkError."""
    place = state_dir_options()
    add = commands.add_parser("add", parents=[place], help="make a token, and print it: it is not kept")
    add.add_argument("name", metavar="NAME", help="whose it is")
    add.add_argument(
        "--role",
        required=True,
        choices=get_args(Role),
        help="view: look on, without seeing who the guests are; pbx: hand over postings, hear events; "
        "control: everything",
    )
    add.set_defaults(run=_add)
    listing = commands.add_parser("list", parents=[place], help="show whose tokens there are")
    listing.set_defaults(run=_list)
    remove = commands.add_parser("remove", parents=[place], help="take a token back")
    remove.add_argument("name", metavar="NAME")
    remove.set_defaults(run=_remove)


def _add(arguments: argparse.Namespace) -> Iterator[str]:
    place = state_dir_of(arguments)
    state_directory.create_state_directory(place)
    token, count = token_file_edits.add_token(place, arguments.name, arguments.role, datetime.now(UTC))
    yield token
    # not on stdout, so that this can go into a file as it is
    sys.stderr.write(
        _ADDED_TEXT.format(place=place.absolute()) + (_FIRST_CREDENTIAL_TEXT if count == 1 else "")
    )
    if not any(one.role == "control" for one in parse_tokens(place, read_token_file(place))):
        sys.stderr.write(_NO_CONTROL_ROLE_TEXT)


def _list(arguments: argparse.Namespace) -> Iterable[str]:
    place = state_dir_of(arguments)
    tokens = parse_tokens(place, read_token_file(place))
    if not tokens:
        return [_NO_TOKENS_TEXT]
    rows = [("NAME", "ROLE", "CREATED")]
    rows += [(one.name, one.role, one.created.astimezone().isoformat(" ", "seconds")) for one in tokens]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _remove(arguments: argparse.Namespace) -> Iterable[str]:
    left = token_file_edits.remove_token(state_dir_of(arguments), arguments.name)
    return [] if left else [_NO_TOKENS_TEXT]
