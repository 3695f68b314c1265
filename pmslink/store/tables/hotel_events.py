"""What happens in a hotel, as events: told and kept in the commit that keeps what they came of."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, TypeGuard

from pmslink.hotel.events import Event
from pmslink.store.tables.log_entries import Entry, HotelEventLogged, Transaction


def append_event(transaction: Transaction, link: str, at: datetime, event: Event) -> None:
    """Number and tell an event, which is written when the commit ends.

    The extensions are those that the rooms have now: who reads it later sees what it meant.
    """
    extensions = transaction.hotels.policy_of(link).extensions_of_room
    told: dict[str, Any] = {
        "extensions": [] if event.room is None else extensions(event.room),
        "resync": event.resync,
        **event.payload,
    }
    if "from_room" in told:
        told["from_extensions"] = extensions(told["from_room"])
    entry = HotelEventLogged(link, at, event.type, event.room, json.dumps(told, ensure_ascii=False))
    entry.seq = transaction.next_seq()
    transaction.to_publish.append(entry)
    transaction.hotels.events.append(entry)


def is_without_extension(entry: Entry) -> TypeGuard[HotelEventLogged]:
    """Whether this happened in a room that no extension belongs to."""
    return (
        isinstance(entry, HotelEventLogged)
        and entry.room is not None
        and entry.text.startswith('{"extensions": []')
    )
