"""Errors in a configuration: which key is wrong, what it contains, and what is expected; without secrets."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from pmslink.errors import PmslinkError
from pmslink.validation.setting_fields import REDACTED

_MAX_VALUE_CHARS = 80
"""Length to which values are cut in error texts."""


class ConfigError(PmslinkError):
    """Report everything that is wrong in a configuration, one line for each error.

    `key` is dotted (`links.grand.alive_interval`), `value` is the invalid value (None: missing), `expected`
    is a clause such as "must be …", `file` is empty if the settings come from elsewhere. `errors` has this
    error and all others. Secrets are redacted in `value`, whatever key contains them.
    """

    def __init__(
        self, key: str, value: object, expected: str, file: str = "", other_errors: Sequence[ConfigError] = ()
    ) -> None:
        value = _redact(key, value)
        super().__init__(key, value, expected, file)
        self.key = key
        self.value = value
        self.expected = expected
        self.file = file
        self.errors: tuple[ConfigError, ...] = (self, *other_errors)

    def __str__(self) -> str:
        return "\n".join(error._format_line() for error in self.errors)

    def _format_line(self) -> str:
        setting = f"{self.key} is missing"
        if self.value is not None:
            setting = f"{self.key} = {_format_value(self.value)}"
        return ": ".join(part for part in (self.file, self.key and setting, self.expected) if part)


def combine_errors(errors: Sequence[ConfigError], file: str = "") -> ConfigError:
    """Combine errors into one ConfigError, and add the name of the file to each."""
    first, *others = [ConfigError(error.key, error.value, error.expected, file) for error in errors]
    return ConfigError(first.key, first.value, first.expected, file, others)


def dotted_key(key_prefix: str, key: str) -> str:
    """Return a key below a prefix, quoted as in TOML if it needs quotes."""
    quoted = key if re.fullmatch("[A-Za-z0-9_.-]+", key) else json.dumps(key, ensure_ascii=False)
    return f"{key_prefix}.{quoted}" if key_prefix else quoted


def _redact(key: str, value: object) -> object:
    """Return a value without secrets: values of keys named "secret", and user and password of URLs."""
    name = key.rpartition(".")[2].lower()
    if "secret" in name and value is not None:
        return REDACTED
    if isinstance(value, Mapping):
        return {part: _redact(str(part), value[part]) for part in value}
    if isinstance(value, list):
        return [_redact("", part) for part in value]
    if isinstance(value, str) and ("//" in value or "url" in name):
        _, separator, after_credentials = value.rpartition("@")
        return f"{REDACTED}@{after_credentials}" if separator else value
    return value


def _format_value(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _MAX_VALUE_CHARS else text[: _MAX_VALUE_CHARS - 1] + "…"
