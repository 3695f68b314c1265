"""Settings that have parts: how these are read, and how the one that is wrong is named."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

from attrs import NOTHING, AttrsInstance, fields_dict

from pmslink.fias.catalog import FIELDS, LINK_RECORDS, RECORDS
from pmslink.validation.setting_fields import NestedValueError, setting_of

_T = TypeVar("_T", bound=AttrsInstance)


def parse_nested(cls: type[_T], raw: object, key_prefix: str = "") -> _T:
    """A class whose fields tell what may stand in them, of a table; ``place`` is the table's, for errors.

    Raises ValueError for what is no table, NestedValueError for what is wrong in one.
    """
    if not isinstance(raw, dict):
        raise ValueError
    given = {name: value for name, value in raw.items() if value is not None}
    known = fields_dict(cls)
    for name, value in given.items():
        if name not in known:
            right = f"there is no such part; there are {', '.join(known)}"
            raise NestedValueError(f"{key_prefix}{name}", value, right)
    values = {}
    for name, one in known.items():
        about = setting_of(cls, name)
        if name not in given and one.default is not NOTHING:
            continue
        try:
            values[name] = about.parse(given.get(name))
        except NestedValueError:
            raise
        except ValueError:
            raise NestedValueError(
                f"{key_prefix}{name}", given.get(name), f"must be {about.expected}"
            ) from None
    return cls(**values)


def parse_record_overrides(raw: object) -> dict[str, str]:
    """Overrides of the link description: field codes by the id of a record."""
    if not isinstance(raw, dict):
        raise ValueError
    for id, codes in raw.items():
        if id not in _DECLARABLE_RECORDS or not isinstance(codes, str) or not _is_field_code_list(codes):
            raise NestedValueError(id, codes)
    return dict(raw)


_DECLARABLE_RECORDS = RECORDS.keys() - LINK_RECORDS - {"LR", "LC", "DR", "DS", "DE"}
"""Records that are used only where an LR declares them."""


def _is_field_code_list(codes: str) -> bool:
    pairs = [codes[at : at + 2] for at in range(0, len(codes), 2)]
    return 0 < len(codes) <= FIELDS["FL"].length and all(pair in FIELDS for pair in pairs)


RECORDS_SCHEMA: Mapping[str, object] = {"additionalProperties": {"type": "string", "minLength": 2}}
"""JSON Schema keywords for what ``parse_record_overrides`` reads."""


def parse_status_codes(raw: object) -> Mapping[str, int]:
    """The RS of the PMS by what is dialled on a phone."""
    if not isinstance(raw, dict) or len(raw) > _MAX_STATUS_CODES:
        raise ValueError
    for dialled, status in raw.items():
        # not isinstance(…, int): a bool is an int to Python
        if not re.fullmatch(_DIALLED_CODE, dialled) or type(status) is not int or not 1 <= status <= 99:
            raise NestedValueError(dialled, status)
    return dict(raw)


_MAX_STATUS_CODES = 100
_DIALLED_CODE = "[0-9*#]{1,8}"

STATUS_CODES_SCHEMA: Mapping[str, object] = {
    "maxProperties": _MAX_STATUS_CODES,
    "propertyNames": {"pattern": f"^{_DIALLED_CODE}$"},
    "additionalProperties": {"type": "integer", "minimum": 1, "maximum": 99},
    "examples": [{"*61": 1}],
}
"""JSON Schema keywords for what ``parse_status_codes`` reads."""
