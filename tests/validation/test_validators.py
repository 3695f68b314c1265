"""Each validator: the values that it accepts, and the error for all others."""

from __future__ import annotations

import pytest

from pmslink.validation.validators import (
    InvalidValueError,
    NestedValueError,
    Validator,
    boolean_validator,
    choice_validator,
    integer_validator,
    number_validator,
    pattern_validator,
    text_validator,
)

INTEGER = integer_validator(1, 3)
NUMBER = number_validator(0.5, 3)
BOOLEAN = boolean_validator()
TEXT = text_validator("text without blanks", lambda text: " " not in text)
PATTERN = pattern_validator("two digits", "[0-9]{2}")
CHOICE = choice_validator(("on", "off"))


@pytest.mark.parametrize(
    ("validator", "value"),
    [
        (INTEGER, 1),
        (INTEGER, 3),
        (NUMBER, 0.5),
        (NUMBER, 3),
        (BOOLEAN, False),
        (TEXT, ""),
        (PATTERN, "07"),
        (CHOICE, "off"),
    ],
)
def test_valid_value_is_returned_unchanged(validator: Validator, value: object) -> None:
    assert validator(value) is value


@pytest.mark.parametrize(
    ("validator", "value", "expected"),
    [
        (INTEGER, 0, "a whole number from 1 to 3"),
        (INTEGER, 4, "a whole number from 1 to 3"),
        (INTEGER, True, "a whole number from 1 to 3"),
        (INTEGER, 2.0, "a whole number from 1 to 3"),
        (INTEGER, "2", "a whole number from 1 to 3"),
        (INTEGER, None, "a whole number from 1 to 3"),
        (NUMBER, 0.4, "a number from 0.5 to 3"),
        (NUMBER, True, "a number from 0.5 to 3"),
        (NUMBER, float("nan"), "a number from 0.5 to 3"),
        (BOOLEAN, 1, "true or false"),
        (BOOLEAN, "true", "true or false"),
        (TEXT, "a b", "text without blanks"),
        (TEXT, 5, "text without blanks"),
        (PATTERN, "07\n", "two digits"),
        (PATTERN, "107", "two digits"),
        (CHOICE, "of", '"on" or "off"'),
        (CHOICE, ["on"], '"on" or "off"'),
        (integer_validator(1, 3, "a number of attempts"), 4, "a number of attempts"),
    ],
)
def test_invalid_value_raises_error_that_says_what_is_expected(
    validator: Validator, value: object, expected: str
) -> None:
    with pytest.raises(InvalidValueError) as caught:
        validator(value)
    assert (caught.value.expected, caught.value.detail, str(caught.value)) == (expected, "", expected)


def test_text_of_a_conversion_error_becomes_the_detail() -> None:
    def convert(raw: object) -> object:
        raise ValueError("x is unknown")

    for validator in (Validator("digits", convert), Validator("digits", Validator("other", convert))):
        with pytest.raises(InvalidValueError, match=r"^digits, x is unknown$"):
            validator("x")


def test_error_about_a_nested_value_is_not_replaced() -> None:
    def convert(raw: object) -> object:
        raise NestedValueError("rates.1", raw)

    with pytest.raises(NestedValueError) as caught:
        Validator("a table", convert)(5)
    assert (caught.value.key, caught.value.value) == ("rates.1", 5)
