"""Dates, times, durations and money: parsing is tolerant, serializing is strict."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmslink.errors import FieldError
from pmslink.fias.field_values import (
    date_time_fields,
    parse_date,
    parse_duration,
    parse_money,
    parse_time,
    serialize_date,
    serialize_duration,
    serialize_money,
    serialize_time,
)
from pmslink.fias.record import build_record

Parser = Callable[[str, str], object]


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (parse_date, "260101", date(2026, 1, 1)),
        (parse_date, "280229", date(2028, 2, 29)),
        (parse_date, "991231", date(2099, 12, 31)),
        (parse_time, "235212", time(23, 52, 12)),
        (parse_time, "0700", time(7)),
        (parse_duration, "000345", 225),
        (parse_duration, "995959", 359_999),
        (parse_money, "1050", 1050),
        (parse_money, "10.50", 1050),
        (parse_money, "10.5", 1050),
        (parse_money, "-0.05", -5),
        (parse_money, "-1450", -1450),
        (parse_money, "0", 0),
    ],
)
def test_valid_values_are_parsed(parse: Parser, text: str, value: object) -> None:
    assert parse("XX", text) == value


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        *[
            (parse_date, text)
            for text in ("", "26010", "2601011", "261301", "260230", "26-1-1", "٢٦٠١٠١", " 60101")
        ],
        *[(parse_time, text) for text in ("", "07", "07000", "2400", "076000", "070060", "7:00", "+700")],
        *[(parse_duration, text) for text in ("", "345", "0345", "006000", "000060", "-00345")],
        *[
            (parse_money, text)
            for text in ("", "10,50", "10.505", "10.", ".5", "1e3", "+1", "--1", "1 0", "1" * 16)
        ],
    ],
)
def test_an_invalid_value_raises_an_error_that_names_the_field(parse: Parser, text: str) -> None:
    with pytest.raises(FieldError) as caught:
        parse("T9", text)
    assert caught.value.code == "T9"
    assert repr(text) in str(caught.value)


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)))
def test_a_date_survives_serializing_and_parsing(day: date) -> None:
    assert parse_date("DA", serialize_date(day)) == day


@given(st.times())
def test_a_time_survives_serializing_and_parsing_to_the_second(moment: time) -> None:
    assert parse_time("TI", serialize_time(moment)) == moment.replace(microsecond=0)


@given(st.integers(0, 359_999))
def test_a_duration_survives_serializing_and_parsing(seconds: int) -> None:
    text = serialize_duration("DU", seconds)
    assert len(text) == 6
    assert parse_duration("DU", text) == seconds


@pytest.mark.parametrize("seconds", [-1, 360_000])
def test_a_duration_out_of_range_is_rejected(seconds: int) -> None:
    with pytest.raises(FieldError, match=r"^field DU: "):
        serialize_duration("DU", seconds)


@given(st.integers(-(10**15) + 1, 10**15 - 1))
def test_money_survives_serializing_and_parsing_with_or_without_a_point(minor: int) -> None:
    assert parse_money("TA", serialize_money(minor)) == minor
    sign, whole, decimals = "-" if minor < 0 else "", abs(minor) // 100, abs(minor) % 100
    assert parse_money("TA", f"{sign}{whole}.{decimals:02}") == minor


def test_date_and_time_fields_are_da_and_ti() -> None:
    now = datetime(2023, 6, 4, 23, 52, 12, 999_999)  # noqa: DTZ001  (the hotel's local time)
    assert build_record("LS", date_time_fields(now)).text == "LS|DA230604|TI235212|"
