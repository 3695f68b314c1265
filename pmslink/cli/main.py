"""The ``pmslink`` command: judge a configuration, and look at a running service from a terminal.

Its answer goes to stdout, what went wrong to stderr in one line; the exit status is 0 only for success.
"""

from __future__ import annotations

import argparse
import http.client
import io
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from time import sleep
from typing import Any

from attrs import frozen

from pmslink import __version__
from pmslink.cli import store_commands, token_commands
from pmslink.config.link_settings import PROFILE_PRESETS, LinkSettings, serialize_settings
from pmslink.config.loader import LinkConfig, load_config
from pmslink.errors import PmslinkError
from pmslink.fias.catalog import FIELDS, RECORDS

POLL_INTERVAL_S = 0.5
"""Seconds between two looks of ``trace`` at the service."""
MAX_RECORDS = 1000
"""Most records that the service gives at once."""
RESPONSE_TIMEOUT_S = 10
"""Seconds that the service may take for an answer."""

_STATES_BY_URGENCY = ("EXPECTION", "WAIT_LS", "CLOSED", "WAIT_LE", "EXPIRED", "ESTABLISHED", "DISABLED")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status. Raises SystemExit for a wrong command line."""
    arguments = _build_parser().parse_args(argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # whole lines for whoever reads a pipe, and no crash where a terminal lacks an arrow
        sys.stdout.reconfigure(line_buffering=True, errors="replace")
    try:
        arguments.run(arguments)
    except PmslinkError as problem:
        print(problem, file=sys.stderr)
        return 1
    except BrokenPipeError:  # "pmslink trace grand | head": nobody reads any more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pmslink", description=__doc__.partition("\n")[0])
    parser.add_argument("--version", action="version", version=f"pmslink {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    check = commands.add_parser("check-config", help="read and judge a configuration; starts nothing")
    check.add_argument("file", metavar="FILE")
    check.set_defaults(run=_check_config)

    service = argparse.ArgumentParser(add_help=False)
    service.add_argument(
        "--url", type=_parse_url, default="http://127.0.0.1:8080", help="where pmslink serves"
    )
    service.add_argument("--token-file", metavar="FILE", help="a file with a token in its first line")

    status = commands.add_parser("status", parents=[service], help="show the state of all links")
    status.set_defaults(run=_status)

    trace = commands.add_parser("trace", parents=[service], help="follow the records of one link, decoded")
    trace.add_argument("link", metavar="LINK")
    trace.add_argument(
        "--lines",
        type=_parse_line_count,
        default=20,
        metavar="N",
        help="past records to show first (default: 20)",
    )
    trace.add_argument("--once", action="store_true", help="show these and end")
    trace.set_defaults(run=_trace)

    store = commands.add_parser("store", help="what to do with a damaged store, only ever by hand")
    store_commands.add_commands(store.add_subparsers(metavar="COMMAND", required=True))
    store.set_defaults(run=_print_lines)

    token = commands.add_parser("token", help="who may call the interface")
    token_commands.add_commands(token.add_subparsers(metavar="COMMAND", required=True))
    token.set_defaults(run=_print_lines)
    return parser


def _print_lines(arguments: argparse.Namespace) -> None:
    for line in arguments.say(arguments):
        print(line)


def _parse_url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError(f"{text!r} must begin with http:// or https://")
    return text.rstrip("/")


def _parse_line_count(text: str) -> int:
    if not text.isdecimal() or int(text) > MAX_RECORDS:
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number from 0 to {MAX_RECORDS}")
    return int(text)


# check-config


def _check_config(arguments: argparse.Namespace) -> None:
    config = load_config(arguments.file)
    print(f"state_dir: {config.state_dir}")
    print(f"api.listen: {config.api_listen}")
    print(f"retention: guest data {config.guest_days} days, history {config.history_days} days")
    for link in config.links:
        print(f"links.{link.name}: {_format_link(link)}")
    if not config.links:
        print("no links")


def _format_link(link: LinkConfig) -> str:
    """Address and profile of a link, and where its settings differ from the profile's."""
    host = f"[{link.host}]" if ":" in link.host else link.host
    usual = serialize_settings(LinkSettings(**PROFILE_PRESETS[link.profile]))
    differing = [
        f"{name} = {json.dumps(value, ensure_ascii=False)}"
        for name, value in serialize_settings(link.settings).items()
        if value != usual[name]
    ]
    return ", ".join([f"{host}:{link.port}", link.profile, *differing])


# status


def _status(arguments: argparse.Namespace) -> None:
    links = sorted(_service_client(arguments).get("links", "links"), key=_urgency)
    rows = [("LINK", "STATE", "", "IN SYNC", "SINCE", "REASON")]
    rows += [
        (
            link["name"],
            link["state"],
            link["label"],
            "yes" if link["in_sync"] else "no",
            f"down since {_format_local_time(link['down_since'])}"
            if link["down_since"]
            else _format_local_time(link["since"]),
            link["reason"],
        )
        for link in links
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    advices = ["", *(link["advice"] for link in links)]
    for row, advice in zip(rows, advices, strict=True):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        print(_escape_unprintable("  ".join(cells).rstrip()))
        if advice:
            print(_escape_unprintable(f"    {advice}"))


def _urgency(link: dict[str, Any]) -> tuple[bool, int, str, str]:
    known = link["state"] in _STATES_BY_URGENCY
    rank = _STATES_BY_URGENCY.index(link["state"]) if known else 0
    return bool(link["in_sync"]), rank, link["down_since"] or "9999", link["name"]


# trace


def _trace(arguments: argparse.Namespace) -> None:
    service = _service_client(arguments)
    path = f"links/{urllib.parse.quote(arguments.link, safe='')}/records"
    try:
        shown = service.get(path, "records", limit=max(arguments.lines, 1))
        last = shown[0]["id"] if shown else 0
        _print_records(shown[: arguments.lines])
        while not arguments.once:
            sleep(POLL_INTERVAL_S)
            new, missed = _records_after(service, path, last)
            if missed:
                print(f"… {MAX_RECORDS} records or more since the last look: some may be missing here")
            _print_records(new)
            last = new[0]["id"] if new else last
    except KeyboardInterrupt:
        pass  # how a person ends it


def _records_after(service: ServiceClient, path: str, last: int) -> tuple[list[dict[str, Any]], bool]:
    """The records after the last one, newest first, and whether there may be more than these."""
    new: list[dict[str, Any]] = []
    for limit in (50, MAX_RECORDS):  # seldom more than a few; all are asked for only then
        new = [record for record in service.get(path, "records", limit=limit) if record["id"] > last]
        if len(new) < limit:
            return new, False
    return new, True


def _print_records(records: Sequence[dict[str, Any]]) -> None:
    """Print records, given newest first, oldest first."""
    for record in reversed(records):
        print(_escape_unprintable(_format_record(record)))


def _format_record(record: dict[str, Any]) -> str:
    arrow = "→" if record["direction"] == "out" else "←"
    kind = RECORDS.get(record["type"])
    fields = [
        f"{code} {FIELDS[code].name}={value}" if code in FIELDS else f"{code}={value}"
        for code, value in record["fields"]
    ]
    name = kind.name if kind else "unknown record"
    return "  ".join(
        [f"{_format_local_time(record['at'], 'milliseconds')} {arrow} {record['type']} {name}", *fields]
    )


def _format_local_time(at: str, precision: str = "seconds") -> str:
    """A time of the service as this terminal's, with its offset."""
    return datetime.fromisoformat(at).astimezone().isoformat(" ", precision)


def _escape_unprintable(text: str) -> str:
    # what a PMS sends must not steer the terminal
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


# the service


class ServiceError(PmslinkError):
    """The service cannot be reached, or refused what was asked."""


@frozen
class ServiceClient:
    """The JSON interface of a running pmslink."""

    url: str
    token: str | None = None

    def get(self, path: str, key: str, **query: object) -> list[dict[str, Any]]:
        """The list under ``key`` in the answer to GET /api/v1/``path``. Raises ServiceError."""
        url = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(query)}".rstrip("?")
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        # no proxy of the environment stands between a service and its own terminal
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            request = urllib.request.Request(url, headers=headers)  # noqa: S310  (http or https: see _url)
            with opener.open(request, timeout=RESPONSE_TIMEOUT_S) as answer:
                return list(json.load(answer)[key])
        except urllib.error.HTTPError as refusal:
            with refusal:
                raise ServiceError(f"{self.url}: {_error_message(refusal)}") from None
        except (OSError, http.client.HTTPException) as problem:
            reason = getattr(problem, "reason", problem)
            raise ServiceError(f"{self.url} cannot be reached: {reason}") from None
        except (ValueError, LookupError, TypeError):
            raise ServiceError(f"{self.url} does not answer as pmslink does") from None


def _error_message(answer: urllib.error.HTTPError) -> str:
    try:
        error = json.load(answer)["error"]
        hint = "; name a file that holds one with --token-file" if answer.code == 401 else ""
        return f"{error['message']}{hint} ({answer.code} {error['code']})"
    except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError):
        return f"{answer.code} {answer.reason}"


def _service_client(arguments: argparse.Namespace) -> ServiceClient:
    return ServiceClient(arguments.url, arguments.token_file and _read_token(arguments.token_file))


def _read_token(file: str) -> str:
    try:
        token = Path(file).read_text(encoding="ascii").partition("\n")[0].strip()
    except OSError as problem:
        raise ServiceError(f"{file} cannot be read: {problem.strerror}") from None
    except UnicodeDecodeError:
        token = ""
    if not token.isprintable() or not token:
        raise ServiceError(f"{file} holds no token in its first line")
    return token
