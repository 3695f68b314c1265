"""Server-Sent Events: entries of the store in the form that the stream sends."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pmslink.store.core.transaction import Entry
from pmslink.store.tables.log_entries import LinkSnapshotLogged
from pmslink.store.tables.notice_rows import NoticeChanged
from pmslink.store.tables.outbox_rows import OutboxRowChanged
from pmslink.timestamps import format_timestamp, from_ms
from pmslink.web.http.json_responses import serialize_json
from pmslink.web.serializers.event_serializer import is_event, serialize_event
from pmslink.web.serializers.notice_serializer import serialize_notice
from pmslink.web.serializers.posting_serializer import serialize_row
from pmslink.web.stream.link_snapshots import LinkSnapshot

EntryKind = Literal["link", "removal", "posting", "notice", "event"]
"""The kind of an entry in the stream. A removal is sent as a reset, followed by all links."""


def entry_kind(entry: Entry) -> EntryKind | None:
    """Return the kind of an entry; None for an entry that the stream does not send."""
    if isinstance(entry, LinkSnapshotLogged):
        return "removal" if isinstance(entry, LinkSnapshot) and entry.is_removal else "link"
    if isinstance(entry, OutboxRowChanged):
        return "posting"
    if isinstance(entry, NoticeChanged):
        return "notice"
    return "event" if is_event(entry) else None


def serialize_sse_entry(entry: Entry, published_at: datetime | None) -> bytes:
    """Serialize an entry as an event of the stream.

    `published_at` is None for an entry that an earlier run of the service published.
    """
    if isinstance(entry, LinkSnapshotLogged):
        return serialize_sse_link(entry.seq, entry.at, entry.text.encode())
    if isinstance(entry, OutboxRowChanged):
        row = entry.row
        at = published_at or from_ms(max(row.created, row.sent or 0, row.answered or 0))
        payload = {"link": row.link, "posting": serialize_row(row)}
        return serialize_sse_event(entry.seq, "posting", at, payload)
    if isinstance(entry, NoticeChanged):
        notice = entry.notice
        at = published_at or from_ms(max(notice.opened, notice.acknowledged_at or 0, notice.over or 0))
        return serialize_sse_event(
            entry.seq, "notice", at, {"link": notice.link, "notice": serialize_notice(notice)}
        )
    return _format_sse(entry.seq, "event", serialize_json(serialize_event(entry)))


def serialize_sse_link(seq: int, at: datetime, payload: bytes) -> bytes:
    """Serialize an event with a link; the payload is a JSON object that lacks only `seq` and `at`."""
    head = b'{"seq":%d,"at":"%s",' % (seq, format_timestamp(at).encode())
    return _format_sse(seq, "link", head + payload[1:])


def serialize_sse_event(seq: int, event_type: str, at: datetime, payload: dict[str, Any]) -> bytes:
    """Serialize an event of the stream that is not a stored entry."""
    return _format_sse(seq, event_type, serialize_json({"seq": seq, "at": format_timestamp(at), **payload}))


def _format_sse(seq: int, event_type: str, data: bytes) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (seq, event_type.encode(), data)
