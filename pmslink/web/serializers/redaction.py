"""What is kept, for those who may look on, but not learn who the guests are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import copy
from typing import Any

from pmslink.fias.record import Record
from pmslink.fias.record_redaction import MASK, mask_record
from pmslink.hotel.rooms import PERSONAL_FIELDS
from pmslink.store.core.transaction import Entry
from pmslink.store.tables.log_entries import HotelEventLogged, RecordLogged
from pmslink.store.tables.outbox_rows import OutboxRow, OutboxRowChanged, row_from_event, row_to_event

_GUEST_POSTING_KEYS = ("dialled", "text", "article")
"""What a posting tells of a guest: whom he called, and what he bought."""


def redact_entry(entry: Entry) -> Entry:
    """A copy that names no guest; the entry itself, if it names none."""
    if isinstance(entry, HotelEventLogged):
        return _redact_event(entry)
    if isinstance(entry, OutboxRowChanged):
        row = redact_row(entry.row)
        if row is not entry.row:
            moved = copy(entry)
            moved.row = row
            return moved
    return entry


def _redact_event(entry: HotelEventLogged) -> HotelEventLogged:
    told = json.loads(entry.text)
    if "guest" in told:
        told["guest"] = redact_guest(told["guest"])
    elif "posting" in told:
        told["posting"] = row_to_event(redact_row(row_from_event(told["posting"])))
    else:
        return entry
    copied = copy(entry)
    copied.text = json.dumps(told)
    return copied


def redact_guest(guest: Mapping[str, Any]) -> dict[str, Any]:
    """A guest who cannot be recognised."""
    return {**guest, **{name: MASK for name in PERSONAL_FIELDS if guest[name] is not None}}


def redact_record(entry: RecordLogged) -> RecordLogged:
    """The same of a record."""
    record = Record(entry.text)
    shown = mask_record(record)
    if shown is record:
        return entry
    copied = copy(entry)
    copied.type, copied.text = shown.id, shown.text
    return copied


def redact_row(row: OutboxRow) -> OutboxRow:
    """The same of a row of the outbox, as far as it is told."""
    told = json.loads(row.body)
    hidden = {name: MASK for name in _GUEST_POSTING_KEYS if name in told}
    return row._replace(body=json.dumps(told | hidden)) if hidden else row
