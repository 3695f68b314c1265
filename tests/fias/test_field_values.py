"""Dates, times, durations, money and charsets: tolerant in reading, strict in writing."""

from __future__ import annotations

import encodings.aliases
from collections.abc import Callable
from datetime import date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmslink.errors import FieldError
from pmslink.fias.field_values import (
    date_time_fields,
    decode,
    encode,
    is_usable_charset,
    parse_date,
    parse_duration,
    parse_money,
    parse_time,
    serialize_date,
    serialize_duration,
    serialize_money,
    serialize_time,
)
from pmslink.fias.record import Record, build_record

USABLE = sorted(name for name in set(encodings.aliases.aliases.values()) if is_usable_charset(name))
Read = Callable[[str, str], object]


@pytest.mark.parametrize(
    ("read", "text", "value"),
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
def test_reading(read: Read, text: str, value: object) -> None:
    assert read("XX", text) == value


@pytest.mark.parametrize(
    ("read", "text"),
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
def test_what_cannot_be_read_is_an_error_that_names_the_field(read: Read, text: str) -> None:
    with pytest.raises(FieldError) as caught:
        read("T9", text)
    assert caught.value.code == "T9"
    assert repr(text) in str(caught.value)


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)))
def test_a_date_is_read_as_it_was_written(day: date) -> None:
    assert parse_date("DA", serialize_date(day)) == day


@given(st.times())
def test_a_time_is_read_as_it_was_written_to_the_second(moment: time) -> None:
    assert parse_time("TI", serialize_time(moment)) == moment.replace(microsecond=0)


@given(st.integers(0, 359_999))
def test_a_duration_is_read_as_it_was_written(seconds: int) -> None:
    text = serialize_duration("DU", seconds)
    assert len(text) == 6
    assert parse_duration("DU", text) == seconds


@pytest.mark.parametrize("seconds", [-1, 360_000])
def test_a_duration_that_does_not_fit_is_an_error(seconds: int) -> None:
    with pytest.raises(FieldError, match=r"^field DU: "):
        serialize_duration("DU", seconds)


@given(st.integers(-(10**15) + 1, 10**15 - 1))
def test_money_is_read_as_it_was_written_with_or_without_a_point(minor: int) -> None:
    assert parse_money("TA", serialize_money(minor)) == minor
    sign, whole, decimals = "-" if minor < 0 else "", abs(minor) // 100, abs(minor) % 100
    assert parse_money("TA", f"{sign}{whole}.{decimals:02}") == minor


def test_a_stamp_is_da_and_ti() -> None:
    now = datetime(2023, 6, 4, 23, 52, 12, 999_999)  # noqa: DTZ001  (the hotel's local time)
    assert build_record("LS", date_time_fields(now)).text == "LS|DA230604|TI235212|"


@pytest.mark.parametrize("name", ["cp1252", "UTF-8", "cp850", "gbk", "big5", "shift_jis", "gb18030", "ascii"])
def test_charsets_that_hold_ascii_are_usable(name: str) -> None:
    assert is_usable_charset(name)


@pytest.mark.parametrize(
    "name", ["utf-16", "cp037", "utf-7", "rot13", "hex", "klingon", "", "cp1252\0", "idna"]
)
def test_charsets_that_change_ascii_are_not_usable(name: str) -> None:
    assert not is_usable_charset(name)


@pytest.mark.parametrize("charset", USABLE)
def test_no_usable_charset_writes_a_character_with_the_marks_of_a_frame(charset: str) -> None:
    text = "".join(map(chr, range(0xA0, 0xD800))) + "".join(map(chr, range(0xE000, 0x10000)))
    written = text.encode(charset, "ignore")
    assert b"\x02" not in written
    assert b"\x03" not in written


@pytest.mark.parametrize(
    ("charset", "name"),
    [("gbk", "億"), ("big5", "育"), ("shift_jis", "ポ")],
)
def test_a_bar_inside_a_character_does_not_part_fields(charset: str, name: str) -> None:
    wire = encode(build_record("GI", [("RN", "101"), ("GN", name), ("GS", "N")]), charset)
    assert wire.count(b"|") > 4  # one is the second byte of a character
    assert Record(wire.decode(charset)).get("GN") == name


@given(st.sampled_from(USABLE), st.text(st.characters(min_codepoint=0xA0, exclude_categories=["Cs"])))
def test_what_can_be_encoded_keeps_its_fields(charset: str, text: str) -> None:
    name = text.encode(charset, "ignore").decode(charset)
    record = build_record("GI", [("RN", "101"), ("GN", name.replace("|", "/")), ("GS", "N")])
    read = Record(encode(record, charset).decode(charset))
    assert [code for code, _ in read.fields] == ["RN", "GN", "GS"]
    assert (read.get("RN"), read.get("GS")) == ("101", "N")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("GI|RN101|GNŁódź|", "GN"),
        ("GI|RN101|GNŁ", "GN"),
        ("GI|RN101|Łódź|", "GI"),
        ("Ł|RN101|", "Ł"),
    ],
)
def test_a_character_that_the_charset_lacks_is_told_with_its_field(text: str, code: str) -> None:
    with pytest.raises(FieldError, match="'Ł' does not exist in the link's charset cp1252") as caught:
        encode(Record(text), "cp1252")
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("frame", "charset", "text"),
    [
        (b"GI|GNAdams|", "cp1252", "GI|GNAdams|"),
        (b"GI|GNM\xfcller|", "cp1252", "GI|GNMüller|"),
        (b"GI|GN\xd0\xd0|", "gbk", "GI|GN行|"),
        (b"GI|GN\xff|", "utf-8", "GI|GN\ufffd|"),
        (b"GI|GN~{PP~}|", "hz", "GI|GN行|"),
        (b"GI|GN\x1b$B9T\x1b(B|", "iso2022_jp", "GI|GN行|"),
    ],
)
def test_a_frame_is_read_in_the_charset_of_its_link(frame: bytes, charset: str, text: str) -> None:
    assert decode(frame, charset) == text
