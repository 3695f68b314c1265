"""Postings: validation of the JSON body, its errors, and the FIAS record."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmslink.errors import PmslinkError
from pmslink.fias.catalog import find_problems
from pmslink.fias.record import Record
from pmslink.hotel.postings import (
    Posting,
    build_posting_record,
    parse_posting,
    serialize_posting,
    with_posting_number,
)
from pmslink.validation.json_body import BodyError

NOW = datetime(2026, 11, 20, 12, 35, 45, 678_901, UTC)
VIENNA = ZoneInfo("Europe/Vienna")

CALL: dict[str, object] = {"type": "call", "room": "110", "dialled": "0049891234567", "duration": 225}
MINIBAR: dict[str, object] = {"type": "minibar", "room": "110", "article": "1450"}
CHARGE: dict[str, object] = {"type": "charge", "room": "110", "amount": 1050}
EACH = pytest.mark.parametrize("body", [CALL, MINIBAR, CHARGE], ids=["call", "minibar", "charge"])


def read(body: dict[str, object], **more: object) -> Posting:
    return parse_posting({**body, **more}, NOW)


def error(body: dict[str, object], **more: object) -> BodyError:
    with pytest.raises(BodyError) as caught:
        read(body, **more)
    return caught.value


def sent(body: dict[str, object], **more: object) -> str:
    return build_posting_record(read(body, **more), UTC).text


# valid bodies


@pytest.mark.parametrize(
    ("body", "given"),
    [
        (CALL, {"dialled": "0049891234567", "duration": 225}),
        (
            {**CALL, "amount": 1050, "call_type": "I"},
            {"amount": 1050, "dialled": "0049891234567", "duration": 225, "call_type": "I"},
        ),
        (MINIBAR, {"article": "1450", "count": 1}),
        ({**MINIBAR, "count": 2}, {"article": "1450", "count": 2}),
        (CHARGE, {"amount": 1050}),
        (
            {**CHARGE, "outlet": "SPA", "text": "Massage, 30 min"},
            {"amount": 1050, "outlet": "SPA", "text": "Massage, 30 min"},
        ),
    ],
)
def test_details_include_the_defaults(body: dict[str, object], given: dict[str, object]) -> None:
    posting = read(body)
    assert (posting.type, posting.room, posting.details) == (body["type"], "110", given)


@pytest.mark.parametrize(
    ("body", "name", "value"),
    [
        (CALL, "room", "1"),
        (CALL, "room", "0330"),
        (CALL, "room", "x" * 40),
        (CALL, "room", "套房 8"),
        (CALL, "dialled", "1"),
        (CALL, "dialled", "1" * 20),
        (CALL, "duration", 0),
        (CALL, "duration", 359_999),
        (CALL, "amount", 0),
        (CALL, "amount", 10**14),
        (CALL, "call_type", "L"),
        (CALL, "call_type", "N"),
        (CALL, "call_type", "I"),
        (MINIBAR, "article", "0"),
        (MINIBAR, "article", "0001"),
        (MINIBAR, "count", 1),
        (MINIBAR, "count", 99),
        (CHARGE, "amount", 0),
        (CHARGE, "amount", 10**14),
        (CHARGE, "outlet", "S"),
        (CHARGE, "outlet", "Café1"),
        (CHARGE, "text", " "),
        (CHARGE, "text", "水疗 30 min\u3000*** 12345"),
    ],
)
def test_valid_values_are_stored_unchanged(body: dict[str, object], name: str, value: object) -> None:
    serialized = serialize_posting(read(body, **{name: value}))
    assert serialized[name] == value
    assert type(serialized[name]) is type(value)


@pytest.mark.parametrize(
    ("dialled", "digits"),
    [("+49 (89) 123-45", "498912345"), ("(0)1", "01"), ("1" * 20 + " - + ( )", "1" * 20)],
)
def test_separators_between_digits_are_removed(dialled: str, digits: str) -> None:
    assert read(CALL, dialled=dialled).details["dialled"] == digits


def test_a10_blanks_around_a_room_are_dropped() -> None:
    assert read(CALL, room="  0330\xa0") == read(CALL, room="0330")


@EACH
def test_null_means_missing(body: dict[str, object]) -> None:
    nulls = dict.fromkeys(["started", "amount", "call_type", "count", "outlet", "text", "dialled", "article"])
    assert read({**nulls, **body}) == read(body)


@pytest.mark.parametrize(
    ("started", "utc"),
    [
        ("2026-11-20T07:00:00Z", datetime(2026, 11, 20, 7, tzinfo=UTC)),
        ("2026-11-20T07:00:00+01:00", datetime(2026, 11, 20, 6, tzinfo=UTC)),
        ("2026-11-20T07:00:00.123987-05:30", datetime(2026, 11, 20, 12, 30, 0, 123_000, UTC)),
        ("2000-01-01T00:00:00Z", datetime(2000, 1, 1, tzinfo=UTC)),
        ("2099-12-31T23:59:59Z", datetime(2099, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_the_start_is_converted_to_utc_and_milliseconds(started: str, utc: datetime) -> None:
    posting = read(CALL, started=started)
    assert posting.started == utc
    assert posting.started.tzinfo is UTC


def test_the_default_start_is_now() -> None:
    at = NOW.astimezone(VIENNA)
    assert parse_posting(CALL, at).started == datetime(2026, 11, 20, 12, 35, 45, 678_000, UTC)


# invalid bodies


@EACH
@pytest.mark.parametrize(
    "room", ["", "x" * 41, "1|1", "1\x021", "11\n", "\x7f", "\x85", "\ud800", 110, True, ["110"]]
)
def test_a_room_name_that_fias_cannot_carry_is_rejected(body: dict[str, object], room: object) -> None:
    problem = error(body, room=room)
    assert problem.field == "room"
    assert str(problem) == 'room must be text of 1 to 40 characters without "|" and control characters'


@EACH
@pytest.mark.parametrize(
    "started",
    [
        "",
        "now",
        "2026-11-20",
        "2026-11-20T07:00:00",
        "2026-02-30T07:00:00Z",
        "2026-11-20T25:00:00Z",
        "2026-11-20T07:00:00+24:00",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "1999-12-31T23:59:59Z",
        "2100-01-01T00:00:00Z",
        1795158000,
        False,
    ],
)
def test_an_invalid_start_is_rejected(body: dict[str, object], started: object) -> None:
    problem = error(body, started=started)
    assert problem.field == "started"
    assert str(problem) == (
        'started must be a date and time from 2000 to 2099 with its offset, such as "2026-11-20T07:00:00Z"'
    )


def test_a_clock_outside_the_years_of_fias_is_rejected() -> None:
    with pytest.raises(BodyError) as caught:
        parse_posting(CALL, datetime(1970, 1, 1, tzinfo=UTC))
    assert caught.value.field == "started"


@pytest.mark.parametrize("type", ["", "fax", "Call", "call\n", 1, True, ["call"], {"call": 1}])
def test_an_unknown_type_is_rejected(type: object) -> None:
    problem = error(CALL, type=type)
    assert (problem.field, str(problem)) == ("type", "type must be call, minibar or charge")


DIALLED = "dialled must be 1 to 20 digits; + - ( ) and blanks are dropped"
MINOR_UNITS = "amount must be a whole number of minor units from 0 to 10^14"
NO_WHOLE = [True, 1.0, "1", [1], {}, -1]


@pytest.mark.parametrize(
    ("body", "name", "values", "right"),
    [
        (CALL, "dialled", ["", " ", "+", "1" * 21, 123, False, ["1"]], DIALLED),
        (CALL, "dialled", ["*", "12*34", "*#"], DIALLED + ', "*" is not allowed'),
        (CALL, "dialled", ["1a"], DIALLED + ', "a" is not allowed'),
        (CALL, "dialled", ["12\n"], DIALLED + ', "\\n" is not allowed'),
        (CALL, "dialled", ["١٢"], DIALLED + ', "١" is not allowed'),
        (CALL, "duration", [*NO_WHOLE, 360_000], "duration must be whole seconds from 0 to 359999"),
        (CALL, "amount", [*NO_WHOLE, 10**14 + 1], MINOR_UNITS),
        (
            CALL,
            "call_type",
            ["", "l", "X", "LN", 1, ["L"]],
            "call_type must be L (local), N (national) or I (international)",
        ),
        (
            MINIBAR,
            "article",
            ["", "12345", "12a", " 12", "12\n", "١٢", 1450, True],
            "article must be text of 1 to 4 digits",
        ),
        (MINIBAR, "count", [*NO_WHOLE, 0, 100], "count must be a whole number from 1 to 99"),
        (CHARGE, "amount", [*NO_WHOLE, 10**14 + 1], MINOR_UNITS),
        (
            CHARGE,
            "outlet",
            ["", "SOWIFI", "A|B", "A\x00", "A\x85", "A\u200b", "\udfff", 12],
            'outlet must be text of 1 to 5 printable characters without "|"',
        ),
        (
            CHARGE,
            "text",
            ["", "x" * 21, "a|b", "a\nb", "a\x9f", "\ud83d", 12],
            'text must be text of 1 to 20 characters without "|" and control characters',
        ),
    ],
)
def test_an_invalid_value_raises_an_error_that_names_the_key(
    body: dict[str, object], name: str, values: list[object], right: str
) -> None:
    for value in values:
        problem = error(body, **{name: value})
        assert (problem.field, str(problem)) == (name, right), value
        assert isinstance(problem, PmslinkError)


@pytest.mark.parametrize(
    ("body", "name", "right"),
    [
        (CALL, "type", "call, minibar or charge"),
        (CALL, "room", 'text of 1 to 40 characters without "|" and control characters'),
        (CALL, "dialled", "1 to 20 digits; + - ( ) and blanks are dropped"),
        (CALL, "duration", "whole seconds from 0 to 359999"),
        (MINIBAR, "article", "text of 1 to 4 digits"),
        (CHARGE, "amount", "a whole number of minor units from 0 to 10^14"),
    ],
)
def test_a_missing_key_is_rejected(body: dict[str, object], name: str, right: str) -> None:
    without = {key: value for key, value in body.items() if key != name}
    for problem in (error(without), error(body, **{name: None})):
        assert (problem.field, str(problem)) == (name, f"{name} is missing: must be {right}")


@pytest.mark.parametrize(
    ("body", "name", "text"),
    [
        (CALL, "amuont", 'there is no "amuont" in a posting of type call; did you mean amount?'),
        (MINIBAR, "Article", 'there is no "Article" in a posting of type minibar; did you mean article?'),
        (
            MINIBAR,
            "ß|",
            'there is no "ß|" in a posting of type minibar; there are type, room, started, article, count',
        ),
        (
            CHARGE,
            "",
            'there is no "" in a posting of type charge; there are type, room, started, amount, outlet, text',
        ),
        (CALL, "article", "article belongs to minibar, not to call"),
        (CHARGE, "dialled", "dialled belongs to call, not to charge"),
        (MINIBAR, "amount", "amount belongs to call and charge, not to minibar"),
    ],
)
def test_a_key_of_another_type_is_rejected(body: dict[str, object], name: str, text: str) -> None:
    problem = error(body, **{name: "1"})
    assert (problem.field, str(problem)) == (name, text)


# the record


@pytest.mark.parametrize(
    ("posting", "text"),
    [
        (CALL, "PS|RN110|PTT|DD0049891234567|DU000345|DA261120|TI123545|"),
        (
            {**CALL, "amount": 1050, "call_type": "I"},
            "PS|RN110|PTC|TA1050|DD0049891234567|DU000345|PCI|DA261120|TI123545|",
        ),
        (
            {**CALL, "amount": 0, "duration": 359_999},
            "PS|RN110|PTC|TA0|DD0049891234567|DU995959|DA261120|TI123545|",
        ),
        (MINIBAR, "PS|RN110|PTM|MA1450|M#1|DA261120|TI123545|"),
        ({**MINIBAR, "count": 12, "room": "0330"}, "PS|RN0330|PTM|MA1450|M#12|DA261120|TI123545|"),
        (CHARGE, "PS|RN110|PTC|TA1050|DA261120|TI123545|"),
        (
            {**CHARGE, "outlet": "SPA", "text": "Massage"},
            "PS|RN110|PTC|TA1050|SOSPA|CTMassage|DA261120|TI123545|",
        ),
    ],
)
def test_a_posting_is_a_ps(posting: dict[str, object], text: str) -> None:
    assert sent(posting) == text


def test_date_and_time_are_the_start_in_the_hotel_s_local_time() -> None:
    posting = read(CALL, started="2026-12-31T23:30:15Z")
    record = build_posting_record(posting, VIENNA)
    assert (record.get("DA"), record.get("TI")) == ("270101", "003015")


@pytest.fixture
def system_in_lima(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "<-05>5")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("system_in_lima")
def test_without_a_time_zone_a_record_has_the_system_s_local_time() -> None:
    record = build_posting_record(read(CALL, started="2026-11-20T03:00:00Z"), None)
    assert (record.get("DA"), record.get("TI")) == ("261119", "220000")


def test_the_posting_number_is_the_last_field() -> None:
    record = with_posting_number(build_posting_record(read(MINIBAR), UTC), 17)
    assert record == Record("PS|RN110|PTM|MA1450|M#1|DA261120|TI123545|P#17|")


@pytest.mark.parametrize(
    ("posting", "field", "code"),
    [
        (Posting("charge", "1|1", NOW, {"amount": 1}), "room", "RN"),
        (Posting("charge", "1\x031", NOW, {"amount": 1}), "room", "RN"),
        (Posting("charge", "11", NOW, {"amount": 1, "text": "a|b"}), "text", "CT"),
        (Posting("charge", "11", NOW, {"amount": 1, "outlet": "\n"}), "outlet", "SO"),
        (Posting("call", "11", NOW, {"dialled": "1", "duration": 360_000}), "duration", "DU"),
    ],
)
def test_a_value_that_fias_cannot_carry_raises_an_error_with_its_key(
    posting: Posting, field: str, code: str
) -> None:
    with pytest.raises(BodyError) as caught:
        build_posting_record(posting, UTC)
    assert caught.value.field == field
    assert str(caught.value).startswith(f"{field} cannot be sent: field {code}: ")


# any body


def test_a_posting_is_serialized_with_its_defaults() -> None:
    assert serialize_posting(read(MINIBAR)) == {
        "type": "minibar",
        "room": "110",
        "started": "2026-11-20T12:35:45.678Z",
        "article": "1450",
        "count": 1,
    }


def texts(most: int) -> st.SearchStrategy[str]:
    return st.text(
        st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="|"), min_size=1, max_size=most
    )


AMOUNTS = st.integers(0, 10**14)
COMMON = {"room": texts(40).filter(str.strip)}
MAYBE_STARTED = {
    "started": st.none()
    | st.datetimes(
        datetime(2000, 1, 2),  # noqa: DTZ001 (the zone comes from the next argument)
        datetime(2099, 12, 30),  # noqa: DTZ001
        timezones=st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes))),
    ).map(datetime.isoformat)
}
BODIES = st.one_of(
    st.fixed_dictionaries(
        {
            **COMMON,
            "type": st.just("call"),
            "dialled": st.text("0123456789", min_size=1, max_size=20).map(lambda digits: f"+({digits}) - "),
            "duration": st.integers(0, 359_999),
        },
        optional={**MAYBE_STARTED, "amount": st.none() | AMOUNTS, "call_type": st.sampled_from("LNI")},
    ),
    st.fixed_dictionaries(
        {
            **COMMON,
            "type": st.just("minibar"),
            "article": st.text("0123456789", min_size=1, max_size=4),
        },
        optional={**MAYBE_STARTED, "count": st.none() | st.integers(1, 99)},
    ),
    st.fixed_dictionaries(
        {**COMMON, "type": st.just("charge"), "amount": AMOUNTS},
        optional={**MAYBE_STARTED, "outlet": texts(5).filter(str.isprintable), "text": texts(20)},
    ),
)


@given(BODIES, st.sampled_from([UTC, VIENNA, ZoneInfo("Pacific/Kiritimati"), None]))
def test_every_accepted_posting_becomes_a_valid_record(body: dict[str, Any], zone: ZoneInfo | None) -> None:
    record = with_posting_number(build_posting_record(read(body), zone), 99_999_999)
    assert [problem for problem in find_problems(record) if not problem.startswith("RN (room) is ")] == []
    assert record.get("RN") == body["room"].strip()


@given(BODIES)
def test_a_serialized_posting_parses_to_an_equal_one(body: dict[str, Any]) -> None:
    posting = read(body)
    assert (
        parse_posting(json.loads(json.dumps(serialize_posting(posting))), NOW + timedelta(days=1)) == posting
    )


KEYS = [*CALL, *MINIBAR, *CHARGE, "started", "call_type", "count", "outlet", "text", "else"]
ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text())


@given(st.sampled_from([CALL, MINIBAR, CHARGE]), st.dictionaries(st.sampled_from(KEYS), ANYTHING, min_size=1))
def test_any_body_is_a_posting_or_an_error_that_names_a_key(
    body: dict[str, object], more: dict[str, object]
) -> None:
    try:
        named = list(serialize_posting(read(body, **more)))
    except BodyError as problem:
        named = [problem.field]
    assert set(named) <= set(KEYS)
