"""`pmslink trace`: follow the records of one link, decoded."""

from __future__ import annotations

import argparse
import urllib.parse
from collections.abc import Iterator, Sequence
from time import sleep
from typing import Any

from pmslink.cli.api_client import ServiceClient, add_service_options, client_of
from pmslink.cli.terminal_output import escape_unprintable, format_local_time
from pmslink.fias.catalog import FIELDS, RECORDS

POLL_INTERVAL_S = 0.5
"""Time between two requests for new records."""
POLL_RECORDS = 50
"""Records to request in a poll, usually enough."""
MAX_RECORDS = 1000
"""The most records that the service returns for one request."""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    add_service_options(command)
    command.add_argument("link", metavar="LINK")
    command.add_argument(
        "--lines",
        type=_parse_record_count,
        default=20,
        metavar="N",
        help="number of past records to show first (default: 20)",
    )
    command.add_argument("--once", action="store_true", help="show the past records and exit")
    command.set_defaults(run=follow_records, runs_until_interrupted=True)


def _parse_record_count(text: str) -> int:
    if not text.isdecimal() or int(text) > MAX_RECORDS:
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number from 0 to {MAX_RECORDS}")
    return int(text)


def follow_records(arguments: argparse.Namespace) -> Iterator[str]:
    """Yield past records, then new records as they arrive, oldest first. Raises ServiceError."""
    client = client_of(arguments)
    path = f"links/{urllib.parse.quote(arguments.link, safe='')}/records"
    past = client.get(path, "records", limit=max(arguments.lines, 1))
    last_id = past[0]["id"] if past else 0
    yield from _format_records(past[: arguments.lines])
    while not arguments.once:
        sleep(POLL_INTERVAL_S)
        new, is_incomplete = _records_after(client, path, last_id)
        if is_incomplete:
            yield f"… at least {MAX_RECORDS} records since the last poll: some may be missing here"
        yield from _format_records(new)
        last_id = new[0]["id"] if new else last_id


def _records_after(client: ServiceClient, path: str, last_id: int) -> tuple[list[dict[str, Any]], bool]:
    """Return the records with ids above `last_id`, newest first, and whether some may be missing."""
    new: list[dict[str, Any]] = []
    for limit in (POLL_RECORDS, MAX_RECORDS):
        new = [record for record in client.get(path, "records", limit=limit) if record["id"] > last_id]
        if len(new) < limit:
            return new, False
    return new, True


def _format_records(newest_first: Sequence[dict[str, Any]]) -> Iterator[str]:
    for record in reversed(newest_first):
        yield escape_unprintable(_format_record(record))


def _format_record(record: dict[str, Any]) -> str:
    arrow = "→" if record["direction"] == "out" else "←"
    catalog_entry = RECORDS.get(record["type"])
    name = catalog_entry.name if catalog_entry else "unknown record"
    fields = [
        f"{code} {FIELDS[code].name}={value}" if code in FIELDS else f"{code}={value}"
        for code, value in record["fields"]
    ]
    at = format_local_time(record["at"], "milliseconds")
    problem = record.get("problem")  # a service that runs an earlier release has none
    marks = [f"!! {problem}"] if problem else []
    return "  ".join([f"{at} {arrow} {record['type']} {name}", *fields, *marks])
