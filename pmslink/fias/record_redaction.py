"""Mask personal data in records, for users without permission to read it."""

from __future__ import annotations

from pmslink.fias.catalog import ANSWER_RECORDS, FIELDS, GUEST_FIELDS, RECORDS
from pmslink.fias.record import BAR, Field, Record

MASK = "•••"
"""The text that replaces a masked value of any length."""


def mask_record(record: Record) -> Record:
    """Mask personal data in a record. Records and fields that FIAS does not define are masked too."""
    hidden = GUEST_FIELDS - {"CT"} if record.id in ANSWER_RECORDS else GUEST_FIELDS
    fields = [_mask_field(field, hidden) for field in record.fields]
    if record.id in RECORDS and fields == list(record.fields):
        return record
    record_id = record.id if record.id in RECORDS else MASK
    return Record(BAR.join([record_id, *(code + value for code, value in fields)]) + BAR)


def _mask_field(field: Field, hidden: frozenset[str]) -> Field:
    code, value = field
    if not value or (code in FIELDS and code not in hidden):
        return field
    return code, MASK
