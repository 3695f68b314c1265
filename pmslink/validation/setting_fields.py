"""Metadata of settings: meaning, expectation, unit, bounds and validator of an attrs field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args

from attrs import Attribute, field, fields, frozen

from pmslink.validation.validators import (
    Validator,
    boolean_validator,
    choice_validator,
    integer_validator,
    number_validator,
    pattern_validator,
    text_validator,
)

SettingKind = Literal[
    "number", "whole", "yes_or_no", "choice", "text", "moment", "records", "codes", "tariff", "secret"
]
"""The kind of input in the form of the page."""

REDACTED = "***"
"""The text that replaces a secret wherever settings are output."""


@frozen
class Setting:
    """The metadata of one setting.

    `kind` selects the input in a form; `choices` and `bounds` limit it. `pattern` is the regular expression
    that text must match from end to end, if there is one. `schema` holds JSON Schema keywords that do not
    follow from the others, such as `maxLength`. A `secret` setting is output as `REDACTED`.
    """

    meaning: str
    validator: Validator
    unit: str = ""
    kind: SettingKind = "text"
    choices: tuple[str, ...] = ()
    bounds: tuple[float, float] | None = None
    pattern: str = ""
    schema: Mapping[str, Any] = field(factory=dict)

    @property
    def expected(self) -> str:
        """What completes the sentence "must be …"."""
        return self.validator.expected

    @property
    def secret(self) -> bool:
        """Whether the value must never be output."""
        return self.kind == "secret"


def setting_of(cls: type, name: str) -> Setting:
    """Return the metadata of one field of a class of settings."""
    return setting_of_attribute(getattr(fields(cls), name))


def setting_of_attribute(attribute: Attribute[Any]) -> Setting:
    """Return the metadata of an attrs attribute."""
    setting: Setting = attribute.metadata["setting"]
    return setting


def setting_metadata(
    meaning: str, expected: str, convert: Callable[[Any], object], **more: Any
) -> Mapping[str, Setting]:
    """Describe a setting with a validator of its own; see `Validator` for `expected` and `convert`."""
    return {"setting": Setting(meaning, Validator(expected, convert), **more)}


def seconds(meaning: str, minimum: float = 0.1, maximum: float = 86400) -> Mapping[str, Setting]:
    """Describe a duration in seconds."""
    expected = f"a number of seconds from {minimum} to {maximum}"
    validator = number_validator(minimum, maximum, expected)
    return {"setting": Setting(meaning, validator, unit="s", kind="number", bounds=(minimum, maximum))}


def integer(meaning: str, minimum: int, maximum: int, unit: str = "") -> Mapping[str, Setting]:
    """Describe a whole number."""
    validator = integer_validator(minimum, maximum)
    return {"setting": Setting(meaning, validator, unit=unit, kind="whole", bounds=(minimum, maximum))}


def boolean(meaning: str) -> Mapping[str, Setting]:
    """Describe a setting that is true or false."""
    return {"setting": Setting(meaning, boolean_validator(), kind="yes_or_no")}


def choice(choices: object, meaning: str) -> Mapping[str, Setting]:
    """Describe a setting that is one of the texts of a Literal type."""
    texts = get_args(choices)
    return {"setting": Setting(meaning, choice_validator(texts), kind="choice", choices=texts)}


def text(
    meaning: str, expected: str, is_valid: Callable[[str], object], **more: Any
) -> Mapping[str, Setting]:
    """Describe text that a predicate accepts."""
    return {"setting": Setting(meaning, text_validator(expected, is_valid), **more)}


def matching_text(meaning: str, expected: str, pattern: str, **more: Any) -> Mapping[str, Setting]:
    """Describe text that a regular expression matches from end to end."""
    return {"setting": Setting(meaning, pattern_validator(expected, pattern), pattern=pattern, **more)}
