"""`pmslink status`: show the state of all links as a table."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from pmslink.cli.api_client import add_service_options, client_of
from pmslink.cli.link_details import link_details
from pmslink.cli.terminal_output import escape_unprintable, format_local_time, format_table


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    add_service_options(command)
    command.set_defaults(run=show_status)


def show_status(arguments: argparse.Namespace) -> Iterator[str]:
    """Yield a row for each link, followed by its advice and by its details. Raises ServiceError."""
    links = sorted(client_of(arguments).get_pages("links", "links"), key=_urgency)
    rows = [("LINK", "STATE", "", "IN SYNC", "SINCE", "REASON")]
    rows += [
        (
            link["name"],
            link["state"],
            link["label"],
            "yes" if link["in_sync"] else "no",
            _format_since(link),
            link["reason"],
        )
        for link in links
    ]
    header, *lines = format_table(rows)
    yield header
    for line, link in zip(lines, links, strict=True):
        yield escape_unprintable(line)
        for detail in (link["advice"], *link_details(link)):
            if detail:
                yield escape_unprintable(f"    {detail}")


def _format_since(link: dict[str, Any]) -> str:
    if link["down_since"]:
        return f"down since {format_local_time(link['down_since'])}"
    return format_local_time(link["since"])


def _urgency(link: dict[str, Any]) -> tuple[int, str, str]:
    """Return the sort key of a link: highest attention first, then the longest down, then by name."""
    # a service that still runs an earlier release does not rate its links
    return -link.get("attention", 0), link["down_since"] or "9999", link["name"]
