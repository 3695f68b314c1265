"""What is kept, for those who may look on, but not learn who the guests are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import copy
from typing import Any

from pmslink.fias.record import Record
from pmslink.fias.record_redaction import MASK, masked
from pmslink.hotel.rooms import PERSONAL
from pmslink.store.tables.log_entries import Entry, Happened, Recorded
from pmslink.store.tables.outbox_rows import Moved, Row, row_told, told_row

_OF_GUESTS = ("dialled", "text", "article")
"""What a posting tells of a guest: whom he called, and what he bought."""


def masked_entry(entry: Entry) -> Entry:
    """A copy that names no guest; the entry itself, if it names none."""
    if isinstance(entry, Happened):
        return _masked_event(entry)
    if isinstance(entry, Moved):
        row = masked_row(entry.row)
        if row is not entry.row:
            moved = copy(entry)
            moved.row = row
            return moved
    return entry


def _masked_event(entry: Happened) -> Happened:
    told = json.loads(entry.text)
    if "guest" in told:
        told["guest"] = masked_guest(told["guest"])
    elif "posting" in told:
        told["posting"] = row_told(masked_row(told_row(told["posting"])))
    else:
        return entry
    copied = copy(entry)
    copied.text = json.dumps(told)
    return copied


def masked_guest(guest: Mapping[str, Any]) -> dict[str, Any]:
    """A guest who cannot be recognised."""
    return {**guest, **{name: MASK for name in PERSONAL if guest[name] is not None}}


def masked_record(recorded: Recorded) -> Recorded:
    """The same of a record."""
    record = Record(recorded.text)
    shown = masked(record)
    if shown is record:
        return recorded
    copied = copy(recorded)
    copied.type, copied.text = shown.id, shown.text
    return copied


def masked_row(row: Row) -> Row:
    """The same of a row of the outbox, as far as it is told."""
    told = json.loads(row.body)
    hidden = {name: MASK for name in _OF_GUESTS if name in told}
    return row._replace(body=json.dumps(told | hidden)) if hidden else row
