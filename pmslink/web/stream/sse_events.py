"""Server-Sent Events: entries of the store in the form that the stream sends."""

from __future__ import annotations

from collections.abc import Mapping
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

NO_RESUME_ID = 0
"""The `id` of an event from which no client can resume: an unknown, old number."""

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


def serialize_sse_entry(entry: Entry, published_at: datetime | None, is_resumable: bool = True) -> bytes:
    """Serialize an entry as an event of the stream, from which a client can resume unless it is said.

    `published_at` is None for an entry that an earlier run of the service published.
    """
    event_id = entry.seq if is_resumable else NO_RESUME_ID
    if isinstance(entry, LinkSnapshotLogged):
        return serialize_sse_link(entry.seq, entry.at, entry.text.encode(), event_id)
    if isinstance(entry, OutboxRowChanged):
        row = entry.row
        at = published_at or from_ms(max(row.created, row.sent or 0, row.answered or 0))
        payload = {"link": row.link, "posting": serialize_row(row)}
        return serialize_sse_event(entry.seq, "posting", at, payload, event_id)
    if isinstance(entry, NoticeChanged):
        notice = entry.notice
        at = published_at or from_ms(max(notice.opened, notice.acknowledged_at or 0, notice.over or 0))
        notice_payload = {"link": notice.link, "notice": serialize_notice(notice)}
        return serialize_sse_event(entry.seq, "notice", at, notice_payload, event_id)
    return _format_sse(event_id, "event", serialize_json(serialize_event(entry)))


def serialize_sse_link(seq: int, at: datetime, payload: bytes, event_id: int) -> bytes:
    """Serialize an event with a link; the payload is a JSON object that lacks only `seq` and `at`."""
    head = b'{"seq":%d,"at":"%s",' % (seq, format_timestamp(at).encode())
    return _format_sse(event_id, "link", head + payload[1:])


def serialize_sse_event(
    seq: int, event_type: str, at: datetime, payload: Mapping[str, Any], event_id: int
) -> bytes:
    """Serialize an event of the stream with a JSON object that lacks only `seq` and `at`."""
    data = serialize_json({"seq": seq, "at": format_timestamp(at), **payload})
    return _format_sse(event_id, event_type, data)


def _format_sse(event_id: int, event_type: str, data: bytes) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (event_id, event_type.encode(), data)
