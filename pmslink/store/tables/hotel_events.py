"""The events of hotels: each is stored in the commit of its cause, and published after it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from pmslink.hotel.events import Event
from pmslink.store.core.transaction import Transaction
from pmslink.store.tables.log_entries import HotelEventLogged
from pmslink.timestamps import to_ms

_ENCODER = json.JSONEncoder(ensure_ascii=False)


def append_event(transaction: Transaction, link: str, at: datetime, event: Event) -> None:
    """Publish an event under the next number, and insert its row when the transaction ends.

    The event contains the present extensions of its rooms; they do not change when it is read later.
    """
    extensions = transaction.hotels.policy_of(link).extensions_of_room
    room_extensions = [] if event.room is None else extensions(event.room)
    body: dict[str, Any] = {"extensions": room_extensions, "resync": event.resync, **event.payload}
    if "from_room" in body:
        body["from_extensions"] = extensions(body["from_room"])
    text = _ENCODER.encode(body)
    lacks_extension = event.room is not None and not room_extensions
    entry = HotelEventLogged(link, at, event.type, event.room, text, lacks_extension)
    entry.seq = transaction.next_seq()
    transaction.to_publish.append(entry)
    transaction.hotels.add_event_row(link, _event_row(entry))


def _event_row(entry: HotelEventLogged) -> tuple[object, ...]:
    return (entry.seq, entry.link, to_ms(entry.at), entry.type, entry.room, entry.text)
