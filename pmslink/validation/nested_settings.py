"""Parse settings that are tables themselves, and name the part that is wrong."""

from __future__ import annotations

from typing import TypeVar

from attrs import NOTHING, AttrsInstance, fields_dict

from pmslink.validation.setting_fields import setting_of
from pmslink.validation.validators import InvalidValueError, NestedValueError

_T = TypeVar("_T", bound=AttrsInstance)


def parse_nested(cls: type[_T], raw: object, key_prefix: str = "") -> _T:
    """Return an instance of a class of settings from a table; null stands for a part that is not given.

    `key_prefix` is put before the names of parts in errors. Raises ValueError if `raw` is no table, and
    NestedValueError for the first part that is unknown, missing or invalid.
    """
    if not isinstance(raw, dict):
        raise ValueError
    given = {name: value for name, value in raw.items() if value is not None}
    attributes = fields_dict(cls)
    for name, value in given.items():
        if name not in attributes:
            expected = f"there is no such part; there are {', '.join(attributes)}"
            raise NestedValueError(f"{key_prefix}{name}", value, expected)
    values = {}
    for name, attribute in attributes.items():
        if name not in given and attribute.default is not NOTHING:
            continue
        try:
            values[name] = setting_of(cls, name).validator(given.get(name))
        except InvalidValueError as error:
            raise NestedValueError(f"{key_prefix}{name}", given.get(name), f"must be {error}") from None
    return cls(**values)
