"""What watchers of the stream are told, and how: entries of the store as Server-Sent Events.

A change of a link is kept as it is told, in JSON, but for the number that it gets when it is kept. That
links are gone is kept in the same place: who watches begins again there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pmslink.link.link import Link
from pmslink.link.state_history import Transition
from pmslink.store.core.transaction import Entry
from pmslink.store.tables.log_entries import HotelEventLogged, LinkSnapshotLogged, TransitionLogged
from pmslink.store.tables.outbox_rows import OutboxRowChanged
from pmslink.timestamps import format_timestamp, from_ms
from pmslink.web.http.json_responses import serialize_json
from pmslink.web.serializers.event_serializer import is_event, serialize_event
from pmslink.web.serializers.link_serializer import serialize_link, serialize_transition
from pmslink.web.serializers.posting_serializer import serialize_row

_LINK_JSON_PREFIX = '{"link":{"name":'
_REMOVAL_JSON_PREFIX = '{"removed":'


def is_streamed(entry: Entry) -> bool:
    """Whether watchers are told of it."""
    return isinstance(entry, LinkSnapshotLogged | OutboxRowChanged) or is_event(entry)


def serialize_link_snapshot(link: Link, transition: Transition | None) -> str:
    """A link as it is now, for the store."""
    change = None if transition is None else serialize_transition(transition)
    return serialize_json({"link": serialize_link(link.status()), "transition": change}).decode()


def serialize_removal(names: Iterable[str]) -> str:
    """That these links are gone, for the store."""
    return _REMOVAL_JSON_PREFIX + json.dumps(list(names)) + "}"


def is_removal(entry: Entry) -> bool:
    return isinstance(entry, LinkSnapshotLogged) and entry.text.startswith(_REMOVAL_JSON_PREFIX)


def published_link_names(entries: Iterable[Entry]) -> set[str]:
    """The links that who was told all this knows of."""
    names: set[str] = set()
    for entry in entries:
        if is_removal(entry) and isinstance(entry, LinkSnapshotLogged):
            names.difference_update(json.loads(entry.text)["removed"])
        elif isinstance(entry, LinkSnapshotLogged) and (
            match := re.match(_LINK_JSON_PREFIX + '"([^"]+)"', entry.text)
        ):
            names.add(match[1])
    return names


def serialize_sse_entry(entry: Entry, published_at: datetime | None) -> bytes:
    """One entry, which was told at this moment, or by an earlier service."""
    if isinstance(entry, LinkSnapshotLogged):
        return _format_sse(
            entry.seq, "link", _serialize_json_head(entry.seq, entry.at) + b"," + entry.text[1:].encode()
        )
    if isinstance(entry, OutboxRowChanged):
        row = entry.row
        at = published_at or from_ms(max(row.created, row.sent or 0, row.answered or 0))
        told = {"link": row.link, "posting": serialize_row(row)}
        return serialize_sse_event(entry.seq, "posting", at, told)
    return _format_sse(entry.seq, "event", serialize_json(serialize_event(entry)))


def serialize_sse_event(seq: int, event_type: str, at: datetime, payload: dict[str, Any]) -> bytes:
    """An event that is told by itself."""
    return _format_sse(seq, event_type, serialize_json({"seq": seq, "at": format_timestamp(at), **payload}))


def estimate_size_bytes(entry: Entry) -> int:
    """About how many bytes an entry takes in memory."""
    match entry:
        case LinkSnapshotLogged() | HotelEventLogged():
            return 400 + len(entry.text)
        case TransitionLogged():
            return 600 + len(entry.reason) + len(entry.cause)
        case OutboxRowChanged():
            return 800 + len(entry.row.body) + len(entry.row.text) + len(entry.row.text_answer or "")
        case _:
            raise TypeError(entry)


def _serialize_json_head(seq: int, at: datetime) -> bytes:
    return b'{"seq":%d,"at":"%s"' % (seq, format_timestamp(at).encode())


def _format_sse(seq: int, event_type: str, data: bytes) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (seq, event_type.encode(), data)
