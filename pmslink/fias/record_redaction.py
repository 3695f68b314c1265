"""Records for those who may look on, but not learn who the guests are."""

from __future__ import annotations

from pmslink.fias.catalog import ANSWER_RECORDS, FIELDS, GUEST_FIELDS, RECORDS
from pmslink.fias.record import BAR, Field, Record

MASK = "•••"
"""Stands in the place of what is not shown, however long that is."""


def mask_record(record: Record) -> Record:
    """A copy that names no guest. What FIAS does not know is masked too: it could be anything."""
    hidden = GUEST_FIELDS - {"CT"} if record.id in ANSWER_RECORDS else GUEST_FIELDS
    fields = [_mask_field(field, hidden) for field in record.fields]
    if record.id in RECORDS and fields == list(record.fields):
        return record
    id = record.id if record.id in RECORDS else MASK
    return Record(BAR.join([id, *(code + value for code, value in fields)]) + BAR)


def _mask_field(field: Field, hidden: frozenset[str]) -> Field:
    code, value = field
    if not value or (code in FIELDS and code not in hidden):
        return field
    return code, MASK
