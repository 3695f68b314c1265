"""Redaction of guest data, for callers with the role `view`."""

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
"""Keys of a posting that reveal something about the guest: numbers called, and articles bought."""


def redact_entry(entry: Entry) -> Entry:
    """Return a copy of an entry without guest data; the entry itself if it has none."""
    if isinstance(entry, HotelEventLogged):
        return _redact_event(entry)
    if isinstance(entry, OutboxRowChanged):
        row = redact_row(entry.row)
        if row is not entry.row:
            redacted = copy(entry)
            redacted.row = row
            return redacted
    return entry


def _redact_event(entry: HotelEventLogged) -> HotelEventLogged:
    details = json.loads(entry.text)
    if "guest" in details:
        details["guest"] = redact_guest(details["guest"])
    elif "posting" in details:
        details["posting"] = row_to_event(redact_row(row_from_event(details["posting"])))
    elif entry.type == "wake_up.not_understood":
        details["text"] = mask_record(Record(details["text"])).text
    else:
        return entry
    redacted = copy(entry)
    redacted.text = json.dumps(details)
    return redacted


def redact_guest(guest: Mapping[str, Any]) -> dict[str, Any]:
    """Return a guest, given in JSON form, with the personal fields masked."""
    names = {name: MASK for name in PERSONAL_FIELDS if guest[name] is not None}
    fields = dict.fromkeys(guest.get("fields", {}), MASK)  # events of older releases have none
    return {**guest, **names, "fields": fields}


def redact_record(entry: RecordLogged) -> RecordLogged:
    """Return a copy of a logged record with its guest data masked; the entry itself if it has none."""
    record = Record(entry.text)
    masked_record = mask_record(record)
    if masked_record is record:
        return entry
    redacted = copy(entry)
    redacted.type, redacted.text = masked_record.id, masked_record.text
    return redacted


def redact_row(row: OutboxRow) -> OutboxRow:
    """Return a row of the outbox with its guest data masked; the row itself if it has none."""
    body = json.loads(row.body)
    masked_values = {name: MASK for name in _GUEST_POSTING_KEYS if name in body}
    return row._replace(body=json.dumps(body | masked_values)) if masked_values else row
