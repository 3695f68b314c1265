"""Parse a table of settings into a class whose attrs fields have setting metadata, and collect all errors."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any, Generic, TypeVar, cast

import cattrs
from attrs import fields
from cattrs.gen import make_dict_structure_fn, override

from pmslink.config.config_errors import ConfigError, combine_errors, dotted_key
from pmslink.validation.setting_fields import Setting, setting_of
from pmslink.validation.validators import NestedValueError

_T = TypeVar("_T")
_MAX_SUGGESTIONS = 20
"""Unknown keys for which a similar one is searched, which takes a millisecond each."""


class SettingsParser(Generic[_T]):
    """Parse tables into instances of one class.

    `key_by_field` has the key in the table of each field whose name differs from its key.
    """

    def __init__(self, cls: type[_T], key_by_field: Mapping[str, str] | None = None) -> None:
        self._cls = cls
        self._key_by_field = key_by_field or {}
        self._converter = self._build_converter()

    def _build_converter(self) -> cattrs.Converter:
        def hook(setting: Setting) -> Any:
            return lambda raw, _type: setting.validator(raw)

        converter = cattrs.Converter()
        overrides = {
            attribute.name: override(
                struct_hook=hook(setting_of(self._cls, attribute.name)),
                rename=self._key_by_field.get(attribute.name),
            )
            for attribute in fields(self._cls)  # type: ignore[arg-type]
        }
        structure = make_dict_structure_fn(self._cls, converter, _cattrs_forbid_extra_keys=True, **overrides)  # type: ignore[arg-type]
        converter.register_structure_hook(self._cls, structure)
        return converter

    def parse(self, raw: Mapping[str, object], key_prefix: str = "") -> _T:
        """Return an instance. Raises ConfigError with all errors, their keys below the prefix."""
        try:
            return self._converter.structure(raw, self._cls)
        except cattrs.ClassValidationError as group:
            raise combine_errors(list(self._config_errors(raw, group, key_prefix))) from None

    def _config_errors(
        self, raw: Mapping[str, object], group: cattrs.ClassValidationError, key_prefix: str
    ) -> Iterator[ConfigError]:
        field_errors, key_errors = group.group_exceptions()
        for error, note in field_errors:
            if isinstance(error, ConfigError):
                yield from error.errors
            else:
                yield self._field_error(raw, error, note.name, key_prefix)
        keys = [self._key_by_field.get(attribute.name, attribute.name) for attribute in fields(self._cls)]  # type: ignore[arg-type]
        for error in key_errors:
            unknown = sorted(cast(cattrs.ForbiddenExtraKeysError, error).extra_fields)
            for number, key in enumerate(unknown):
                similar = difflib.get_close_matches(key, keys, n=1) if number < _MAX_SUGGESTIONS else []
                expected = "there is no such setting" + (f"; did you mean {similar[0]}?" if similar else "")
                yield ConfigError(dotted_key(key_prefix, key), raw[key], expected)

    def _field_error(
        self, raw: Mapping[str, object], error: Exception, field_name: str, key_prefix: str
    ) -> ConfigError:
        key = self._key_by_field.get(field_name, field_name)
        value = raw.get(key)
        full_key = dotted_key(key_prefix, key)
        expected = ""
        if isinstance(error, NestedValueError):
            full_key = dotted_key(full_key, error.key)
            value, expected = error.value, error.expected
        return ConfigError(
            full_key, value, expected or f"must be {setting_of(self._cls, field_name).expected}"
        )
