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
from importlib import import_module

from pmslink import __version__
from pmslink.errors import PmslinkError

_COMMANDS = {
    "check-config": ("pmslink.cli.check_config", "check a configuration file; starts nothing"),
    "status": ("pmslink.cli.status", "show the state of all links"),
    "trace": ("pmslink.cli.trace", "follow the records of one link, decoded"),
    "store": (
        "pmslink.cli.store_commands",
        "check a store, declare it restored, or move a damaged one aside",
    ),
    "token": ("pmslink.cli.token_commands", "manage the tokens that give access to the API"),
}
"""The module of each command, and what it does. Only the module of the command that runs is imported."""
_DESCRIPTION = "Check a configuration, inspect a running service, and manage its store and tokens."


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status. Raises SystemExit for a wrong command line."""
    argv = sys.argv[1:] if argv is None else argv
    arguments = _build_parser(argv).parse_args(argv)
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


def _build_parser(argv: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser; `run` of its result takes the arguments and returns the lines to print.

    Only the command of `argv` gets its arguments.
    """
    chosen = next((argument for argument in argv if not argument.startswith("-")), None)
    parser = argparse.ArgumentParser(prog="pmslink", description=_DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"pmslink {__version__}")
    parser.set_defaults(runs_until_interrupted=False)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, (module, summary) in _COMMANDS.items():
        command = commands.add_parser(name, help=summary)
        if name == chosen:
            import_module(module).add_arguments(command)
    return parser
