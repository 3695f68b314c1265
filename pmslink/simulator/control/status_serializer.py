"""A property, its records and its postings as the control interface shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pmslink.simulator.pms.property import Pms
from pmslink.simulator.pms.received_postings import Posting
from pmslink.simulator.pms.record_log import Entry


def status(pms: Pms) -> dict[str, Any]:
    """How a property stands."""
    return {
        "port": pms.port,
        "connected": pms.connected,
        "alive": pms.alive,
        "declared": {id: "".join(codes) for id, codes in pms.declared.items()},
        "rooms": len(pms.hotel.rooms),
        "guests": len(pms.hotel.guests),
        "connections": pms.accepted_connections,
    }


def entry(entry: Entry) -> dict[str, Any]:
    """A record that was received or sent."""
    return {
        "id": entry.id,
        "at": _moment(entry.at),
        "direction": entry.direction,
        "type": entry.type,
        "text": entry.text,
    }


def posting(posting: Posting) -> dict[str, Any]:
    """A posting number and its deliveries."""
    return {
        "number": posting.number,
        "deliveries": posting.deliveries,
        "answers": posting.answers,
        "first_at": _moment(posting.first_at),
        "last_at": _moment(posting.came[-1].at),
        "text": posting.text,
        "came": [
            {
                "at": _moment(delivery.at),
                "connection": delivery.connection,
                "answer": delivery.answer,
                "answered_at": delivery.answered_at and _moment(delivery.answered_at),
            }
            for delivery in posting.came
        ],
    }


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")
