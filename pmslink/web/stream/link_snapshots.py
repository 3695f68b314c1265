"""Link snapshots: changes and removals of links, as entries of the store that the stream sends.

A snapshot is stored in the JSON form that the stream sends, except for its number, which it gets with the
commit. A removal is stored in the same table: every client that reads past it starts again with all links.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime

from attrs import define

from pmslink.link.state_history import Transition
from pmslink.store.core.transaction import Entry
from pmslink.store.tables.log_entries import LinkSnapshotLogged
from pmslink.web.http.json_responses import serialize_json
from pmslink.web.serializers.link_serializer import serialize_transition


@define(eq=False)
class LinkSnapshot(LinkSnapshotLogged):
    """A stored snapshot, with the names of its links. The names are not stored beside the JSON text."""

    links: Sequence[str] = ()
    is_removal: bool = False


def make_link_snapshot(
    name: str, link_json: bytes, transition: Transition | None, at: datetime
) -> LinkSnapshot:
    """Return a snapshot of a link; `transition` is the change of state that caused it, if one did."""
    return LinkSnapshot(at, serialize_link_payload(link_json, transition).decode(), [name])


def serialize_link_payload(link_json: bytes, transition: Transition | None) -> bytes:
    """Serialize a link, given as JSON text, with its change of state, if it had one."""
    changed = b"null" if transition is None else serialize_json(serialize_transition(transition))
    return b'{"link":%s,"transition":%s}' % (link_json, changed)


def make_removal(names: Sequence[str], at: datetime) -> LinkSnapshot:
    """Return the entry for the removal of these links."""
    return LinkSnapshot(at, serialize_json({"removed": names}).decode(), names, is_removal=True)


def parse_link_snapshot(entry: Entry) -> Entry:
    """Return a snapshot read from the store with the names of its links; any other entry unchanged."""
    if not isinstance(entry, LinkSnapshotLogged) or isinstance(entry, LinkSnapshot):
        return entry
    names, is_removal = _parse_link_names(entry.text)
    snapshot = LinkSnapshot(entry.at, entry.text, names, is_removal)
    snapshot.seq, snapshot.published = entry.seq, entry.published
    return snapshot


def _parse_link_names(text: str) -> tuple[list[str], bool]:
    """Return the links that a stored snapshot is about, and whether it removes them.

    A snapshot without the expected keys, perhaps of another release, is about none: the stream sends it as
    it is stored, and it does not keep the service from starting.
    """
    try:
        stored = json.loads(text)
    except (ValueError, RecursionError):
        return [], False
    match stored:
        case {"removed": [*names]}:
            return [name for name in names if isinstance(name, str)], True
        case {"link": {"name": str(name)}}:
            return [name], False
    return [], False


def published_link_names(entries: Iterable[Entry]) -> set[str]:
    """Return the names of the links that a client has after it has received all these entries."""
    names: set[str] = set()
    for entry in entries:
        if isinstance(entry, LinkSnapshot):
            if entry.is_removal:
                names.difference_update(entry.links)
            else:
                names.update(entry.links)
    return names
