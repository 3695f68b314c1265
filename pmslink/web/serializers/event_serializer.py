"""JSON form of events for the PBX: hotel events, and transitions of the link."""

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
    """Return whether an entry of the store is an event for the PBX."""
    return isinstance(entry, HotelEventLogged | TransitionLogged)


def serialize_event(entry: Entry) -> dict[str, Any]:
    """Return the JSON form of an event; `entry` must be one by `is_event`."""
    assert isinstance(entry, HotelEventLogged | TransitionLogged)  # noqa: S101
    head: dict[str, Any] = {"seq": entry.seq, "at": format_timestamp(entry.at), "link": entry.link}
    if isinstance(entry, TransitionLogged):
        no_room: dict[str, Any] = {"type": "link.changed", "room": None, "extensions": [], "resync": False}
        return head | no_room | {"transition": serialize_stored_transition(entry)}
    details: dict[str, Any] = json.loads(entry.text)
    if "posting" in details:
        details["posting"] = serialize_row(row_from_event(details["posting"]))
    return head | {"type": entry.type, "room": entry.room} | details


def serialize_webhook_event(entry: Entry) -> bytes:
    """Return an event as the JSON body of a webhook request."""
    return serialize_json(serialize_event(entry))
