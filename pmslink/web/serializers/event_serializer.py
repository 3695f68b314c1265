"""What has happened to a hotel and its link, as events for the PBX."""

from __future__ import annotations

import json
from typing import Any, TypeGuard

from pmslink.store.core.transaction import Entry
from pmslink.store.tables.log_entries import HotelEventLogged, TransitionLogged
from pmslink.store.tables.outbox_rows import row_from_event
from pmslink.timestamps import format_timestamp
from pmslink.web.http.json_responses import serialize_json
from pmslink.web.serializers.link_serializer import serialize_stored_transition
from pmslink.web.serializers.posting_serializer import serialize_row


def is_event(entry: Entry) -> TypeGuard[HotelEventLogged | TransitionLogged]:
    """Whether this is told as an event."""
    return isinstance(entry, HotelEventLogged | TransitionLogged)


def serialize_event(entry: Entry) -> dict[str, Any]:
    """One event."""
    assert isinstance(entry, HotelEventLogged | TransitionLogged)  # noqa: S101
    begun: dict[str, Any] = {"seq": entry.seq, "at": format_timestamp(entry.at), "link": entry.link}
    if isinstance(entry, TransitionLogged):
        nowhere: dict[str, Any] = {"type": "link.changed", "room": None, "extensions": [], "resync": False}
        return begun | nowhere | {"transition": serialize_stored_transition(entry)}
    told: dict[str, Any] = json.loads(entry.text)
    if "posting" in told:
        told["posting"] = serialize_row(row_from_event(told["posting"]))
    return begun | {"type": entry.type, "room": entry.room} | told


def serialize_webhook_event(entry: Entry) -> bytes:
    """One event, as a webhook gets it."""
    return serialize_json(serialize_event(entry))
