"""Judge records from the PMS: which of them, or which of their fields, are not understood, and why.

The judgement agrees with the handlers of `record_reducer`, which ignore what they do not understand. It is
pure, and its texts quote no field with personal data.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from pmslink.errors import FieldError
from pmslink.fias.catalog import FIELDS, RECORDS
from pmslink.fias.field_values import parse_date, parse_time
from pmslink.fias.record import Record
from pmslink.hotel.equipment import parse_class_of_service
from pmslink.hotel.rooms import MAX_ROOM_NAME_CHARS, is_room_name
from pmslink.hotel.wake_ups import MIDNIGHT_TIMES

_MAX_QUOTED_CHARS = 20
_FIRST_COUNTS = frozenset({"RN", "DA", "TI", "AS", "P#"})
"""Fields of which the first one counts, if there are several; of others it is the last one."""
_RECORD_ID_PATTERN = re.compile("[A-Za-z0-9$#+]{2}")
_POSTING_NUMBER_PATTERN = re.compile(" *[0-9]{1,9} *")
_ROOM_STATUS_PATTERN = re.compile("[0-9]{1,2}")


def find_record_problem(record: Record) -> str | None:
    """Return what is not understood of a record from the PMS, as one line of English; None if nothing."""
    if record.id not in RECORDS:
        shown = f" {record.id}" if _RECORD_ID_PATTERN.fullmatch(record.id) else ""
        return f"unknown record id{shown}"
    find = _PROBLEM_FINDERS.get(record.id)
    problems = [] if find is None else [*find(_field_values(record))]
    return "; ".join(problems) or None


def _field_values(record: Record) -> dict[str, str]:
    """Return the values by code, of repeated fields the one that the handlers use."""
    values = dict(record.fields)
    if len(values) < len(record.fields):
        values.update(field for field in reversed(record.fields) if field[0] in _FIRST_COUNTS)
    return values


def _find_room_problem(values: Mapping[str, str]) -> Iterator[str]:
    if "RN" not in values:
        yield "RN (room) is missing"
    elif not is_room_name(values["RN"]):
        yield f"RN (room) must have 1 to {MAX_ROOM_NAME_CHARS} characters, and no control characters inside"


def _find_check_out_problems(values: Mapping[str, str]) -> Iterator[str]:
    yield from _find_room_problem(values)


def _find_guest_problems(values: Mapping[str, str]) -> Iterator[str]:
    yield from _find_room_problem(values)
    for code in ("GA", "GD"):
        if values.get(code) and (problem := _find_field_problem(parse_date, code, values[code])):
            yield problem
    yield from _find_class_problem(values)


def _find_class_problem(values: Mapping[str, str]) -> Iterator[str]:
    if values.get("CS") and parse_class_of_service(values["CS"]) is None:
        yield _describe_value("CS", values["CS"], "one digit")


def _find_equipment_problems(values: Mapping[str, str]) -> Iterator[str]:
    yield from _find_room_problem(values)
    yield from _find_class_problem(values)
    for code in ("DN", "ML"):
        if values.get(code) and values[code] not in ("Y", "N"):
            yield _describe_value(code, values[code], "Y or N")
    if values.get("RS") and not _ROOM_STATUS_PATTERN.fullmatch(values["RS"]):
        yield _describe_value("RS", values["RS"], "a number of one or two digits")


def _find_wake_up_request_problems(values: Mapping[str, str]) -> Iterator[str]:
    yield from _find_room_problem(values)
    time_text, date_text = values.get("TI", "").strip(), values.get("DA", "").strip()
    if not time_text:
        yield "TI (time) is missing"
    elif time_text not in MIDNIGHT_TIMES and (problem := _find_field_problem(parse_time, "TI", time_text)):
        yield problem
    if date_text and (problem := _find_field_problem(parse_date, "DA", date_text)):
        yield problem


def _find_wake_up_clear_problems(values: Mapping[str, str]) -> Iterator[str]:
    if values.get("DA") or values.get("TI"):
        yield from _find_wake_up_request_problems(values)
    else:  # it clears all wake-ups of the room
        yield from _find_room_problem(values)


def _find_answer_problems(values: Mapping[str, str]) -> Iterator[str]:
    if not values.get("AS", "").strip():
        yield "AS (answer status) is missing"
    number = values.get("P#", "").strip()
    if number and not _POSTING_NUMBER_PATTERN.fullmatch(number):
        yield _describe_value("P#", number, "a number")


_PROBLEM_FINDERS: Mapping[str, Callable[[Mapping[str, str]], Iterator[str]]] = {
    "GI": _find_guest_problems,
    "GC": _find_guest_problems,
    "GO": _find_check_out_problems,
    "RE": _find_equipment_problems,
    "WR": _find_wake_up_request_problems,
    "WC": _find_wake_up_clear_problems,
    "PA": _find_answer_problems,
}
"""What a record needs, by its id. Other records need no field."""


def _find_field_problem(parse: Callable[[str, str], object], code: str, text: str) -> str | None:
    try:
        parse(code, text)
    except FieldError:
        return _describe_value(
            code, text, "a date YYMMDD" if parse is parse_date else "a time HHMMSS or HHMM"
        )
    return None


def _describe_value(code: str, text: str, expected: str) -> str:
    quoted = text if len(text) <= _MAX_QUOTED_CHARS else f"{text[:_MAX_QUOTED_CHARS]}…"
    return f"{code} ({FIELDS[code].name}) {quoted!r} is not {expected}"
