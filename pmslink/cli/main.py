"""Run the `pmslink` command: check a configuration, inspect a running service, manage its store and tokens.

Output goes to stdout, errors to stderr in one line. The exit status is 0 for success, 1 for an error, and 2
for a wrong command line.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence

from pmslink import __version__
from pmslink.cli import check_config, status, store_commands, token_commands, trace
from pmslink.errors import PmslinkError

_DESCRIPTION = "Check a configuration, inspect a running service, and manage its store and tokens."


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status. Raises SystemExit for a wrong command line."""
    arguments = _build_parser().parse_args(argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # a pipe gets each line at once; a character that the terminal's charset lacks is replaced
        sys.stdout.reconfigure(line_buffering=True, errors="replace")
    try:
        for line in arguments.run(arguments):
            print(line)
    except PmslinkError as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:  # "pmslink trace grand | head": head has exited
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        if not arguments.runs_until_interrupted:
            raise
    return 0


def _build_parser() -> argparse.ArgumentParser:
    """Return the parser; `run` of its result takes the arguments and returns the lines to print."""
    parser = argparse.ArgumentParser(prog="pmslink", description=_DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"pmslink {__version__}")
    parser.set_defaults(runs_until_interrupted=False)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    check_config.add_command(commands)
    status.add_command(commands)
    trace.add_command(commands)
    store = commands.add_parser("store", help="check a store, or move a damaged one aside")
    store_commands.add_commands(store.add_subparsers(metavar="COMMAND", required=True))
    token = commands.add_parser("token", help="manage the tokens that give access to the API")
    token_commands.add_commands(token.add_subparsers(metavar="COMMAND", required=True))
    return parser
