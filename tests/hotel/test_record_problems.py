"""The judge of records, which agrees with the reducer about what is not understood (cases C4, D12)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmslink.fias.record import Record
from pmslink.hotel.record_problems import find_record_problem
from tests.hotel.hotel_driver import HotelDriver


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("GI|RN101|G#1|GSN|GNAdams|GA260101|GD|CS|", None),
        ("GI|G#1|GSN|GNAdams|", "RN (room) is missing"),
        ("GO|RN|", "RN (room) must have 1 to 40 characters, and no control characters inside"),
        ("GC|RN" + "1" * 41, "RN (room) must have 1 to 40 characters, and no control characters inside"),
        ("GI|RN101|GD20261301|", "GD (departure date) '20261301' is not a date YYMMDD"),
        ("GI|RN101|GA269999|CSX|", "GA (arrival date) '269999' is not a date YYMMDD; "
         "CS (class of service) 'X' is not one digit"),
        ("RE|RN101|DNMaybe|", "DN (do not disturb) 'Maybe' is not Y or N"),
        ("RE|RN101|CS12|", "CS (class of service) '12' is not one digit"),
        ("RE|RN101|RSdirty|", "RS (room status) 'dirty' is not a number of one or two digits"),
        ("RE|RN101|RS10|DN|ML|CS|", None),
        ("WR|RN101|DA301201|TI070000|", None),
        ("WR|RN101|TI0700|", None),
        ("WR|RN101|DA301201|TI240000|", None),
        ("WR|RN101|DA|TI|", "TI (time) is missing"),
        ("WR|RN101|DA301201|TI07:00|", "TI (time) '07:00' is not a time HHMMSS or HHMM"),
        ("WR|RN101|DA12012030|TI070000|", "DA (date) '12012030' is not a date YYMMDD"),
        ("WC|RN101|", None),
        ("WC|RN101|DA301201|", "TI (time) is missing"),
        ("PA|ASOK|P# 1|", None),
        ("PA|RN101|P#1|", "AS (answer status) is missing"),
        ("PA|ASOK|P#one|", "P# (posting number) 'one' is not a number"),
        ("ZZ|RN101|", "unknown record id ZZ"),
        ("gi|RN101|", "unknown record id gi"),
        ("Anna Adams", "unknown record id"),
        ("LS|", None),
        ("XL|", None),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_said(text: str, problem: str | None) -> None:
    assert find_record_problem(Record(text)) == problem


def test_a_long_value_is_cut() -> None:
    problem = find_record_problem(Record(f"GI|RN101|GA{'9' * 500}|"))
    assert problem is not None
    assert len(problem) < 100


@given(
    record_id=st.sampled_from(["WR", "WC"]),
    room=st.sampled_from(["|RN101", "|RN", "", "|RN 101 ", "|RN1\x021"]),
    day=st.sampled_from(["", "|DA", "|DA260101", "|DA260230", "|DA26010", "|DA 260102 ", "|DAx"]),
    time=st.sampled_from(["", "|TI", "|TI0700", "|TI070000", "|TI2400", "|TI250000", "|TI7", "|TI 0700 "]),
)
def test_the_judge_agrees_with_the_reducer_about_wake_ups(
    record_id: str, room: str, day: str, time: str
) -> None:
    text = f"{record_id}{room}{day}{time}|"
    hotel = HotelDriver()
    lines = hotel.receive(text)
    is_refused = any("wake_up.not_understood" in line for line in lines)
    assert is_refused == (find_record_problem(Record(text)) is not None), text
