"""Parse the settings `records` and `status_codes`, which name FIAS records, fields and room statuses."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pmslink.fias.catalog import FIELDS, LINK_RECORDS, RECORDS
from pmslink.validation.validators import NestedValueError, integer_validator

_DECLARABLE_RECORDS = RECORDS.keys() - LINK_RECORDS - {"LR", "LC", "DR", "DS", "DE"}
"""Records that are used only if an LR declares them."""

_MAX_STATUS_CODES = 100
_DIALLED_CODE_PATTERN = "[0-9*#]{1,8}"
_MIN_STATUS, _MAX_STATUS = 1, 99
_validate_status = integer_validator(_MIN_STATUS, _MAX_STATUS)


def parse_record_overrides(raw: object) -> dict[str, str]:
    """Return overrides of the link description: concatenated field codes by record id; '' leaves it out.

    Raises ValueError if `raw` is no table, and NestedValueError for the first invalid entry.
    """
    if not isinstance(raw, dict):
        raise ValueError
    for record_id, codes in raw.items():
        declarable = record_id in _DECLARABLE_RECORDS
        if not declarable or not isinstance(codes, str) or not _is_field_code_list(codes):
            raise NestedValueError(record_id, codes)
    return dict(raw)


def _is_field_code_list(codes: str) -> bool:
    pairs = [codes[at : at + 2] for at in range(0, len(codes), 2)]
    return len(codes) <= FIELDS["FL"].length and all(pair in FIELDS for pair in pairs)


RECORDS_SCHEMA: Mapping[str, object] = {"additionalProperties": {"type": "string"}}
"""JSON Schema keywords for what `parse_record_overrides` accepts."""


def parse_status_codes(raw: object) -> Mapping[str, int]:
    """Return room statuses (RS) of the PMS by the code that is dialled on a phone.

    Raises ValueError if `raw` is no table or too long, and NestedValueError for the first invalid entry.
    """
    if not isinstance(raw, dict) or len(raw) > _MAX_STATUS_CODES:
        raise ValueError
    for dialled, status in raw.items():
        try:
            _validate_status(status)
        except ValueError:
            raise NestedValueError(dialled, status) from None
        if not re.fullmatch(_DIALLED_CODE_PATTERN, dialled):
            raise NestedValueError(dialled, status)
    return dict(raw)


STATUS_CODES_SCHEMA: Mapping[str, object] = {
    "maxProperties": _MAX_STATUS_CODES,
    "propertyNames": {"pattern": f"^{_DIALLED_CODE_PATTERN}$"},
    "additionalProperties": {"type": "integer", "minimum": _MIN_STATUS, "maximum": _MAX_STATUS},
    "examples": [{"*61": 1}],
}
"""JSON Schema keywords for what `parse_status_codes` accepts."""
