"""Serialize notices for the API and the stream."""

from __future__ import annotations

from typing import Any

from pmslink.link.link import Link
from pmslink.store.tables.notice_rows import Notice
from pmslink.timestamps import format_timestamp_ms


def serialize_notice(notice: Notice, link: Link | None = None) -> dict[str, Any]:
    """Serialize a notice as the object `Notice` of the API.

    With its `link`, the notice of an outage that lasts also has the link's marker and its redials.
    """
    params = {name: value for name, value in notice.params.items() if name != "cause"}
    if link is not None and notice.kind == "down" and notice.over is None:
        params |= {"marker": link.core.marker, "attempts": link.dialer.retries}
    return {
        "id": notice.id,
        "at": format_timestamp_ms(notice.opened),
        "link": notice.link,
        "kind": notice.kind,
        "subject": notice.subject,
        "params": params,
        "cause": notice.params.get("cause"),
        "state": notice.state,
        "acknowledged": _serialize_acknowledgement(notice),
        "over": None if notice.over is None else format_timestamp_ms(notice.over),
    }


def _serialize_acknowledgement(notice: Notice) -> dict[str, str | None] | None:
    if notice.acknowledged_at is None:
        return None
    return {"by": notice.acknowledged_by, "at": format_timestamp_ms(notice.acknowledged_at)}
