"""Properties, records and postings in the JSON of the control API."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pmslink.simulator.pms.property import Pms
from pmslink.simulator.pms.received_postings import Posting
from pmslink.simulator.pms.record_log import TraceEntry


def serialize_status(pms: Pms) -> dict[str, Any]:
    """Serialize the status of a property: its link, rooms and guests."""
    return {
        "port": pms.port,
        "connected": pms.connected,
        "alive": pms.alive,
        "waits_for": pms.waits_for,
        "declared": {record_id: "".join(codes) for record_id, codes in pms.declared.items()},
        "rooms": len(pms.hotel.rooms),
        "guests": len(pms.hotel.guests),
        "connections": pms.connection_count,
    }


def serialize_entry(entry: TraceEntry) -> dict[str, Any]:
    """Serialize a record of the trace."""
    return {
        "id": entry.id,
        "at": _serialize_time(entry.at),
        "direction": entry.direction,
        "type": entry.type,
        "text": entry.text,
    }


def serialize_posting(posting: Posting) -> dict[str, Any]:
    """Serialize a posting number and its deliveries."""
    return {
        "number": posting.number,
        "deliveries": posting.delivery_count,
        "answers": posting.answers,
        "first_at": _serialize_time(posting.first_at),
        "last_at": _serialize_time(posting.recent_deliveries[-1].at),
        "text": posting.text,
        "came": [
            {
                "at": _serialize_time(delivery.at),
                "connection": delivery.connection,
                "answer": delivery.answer,
                "answered_at": delivery.answered_at and _serialize_time(delivery.answered_at),
            }
            for delivery in posting.recent_deliveries
        ],
    }


def _serialize_time(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")
