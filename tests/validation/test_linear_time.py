"""Tests that the time in which a value is validated grows no faster than the value: case E4."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from time import thread_time

import pytest
from attrs import fields

from pmslink.config.config_errors import ConfigError
from pmslink.config.link_definition import LinkDefinition, parse_link
from pmslink.endpoint_strings import EndpointString
from pmslink.fias.catalog import RECORDS
from pmslink.fias.record import Record
from pmslink.hotel.postings import parse_posting
from pmslink.hotel.record_problems import find_record_problem
from pmslink.hotel.request_fields import parse_room_name
from pmslink.validation.json_body import BodyError

MAX_RATIO = 40
"""Ratio of the CPU times for a text and for one that has a tenth of its length: ten if the time is linear,
a hundred if it is quadratic."""
UNITS = ("a", "/", "@", " ", "0", ":", ".", "a.", "a@", "\\", "\\:", "[", "ü", "-", "|", "\n", "%41", "0 ")
PREFIXES = ("", "//", "http://", "[", "tcp:")
SETTINGS = [attribute.name for attribute in fields(LinkDefinition)]


def parse_settings(text: str) -> None:
    for name in SETTINGS:
        try:
            parse_link("grand", {"host": "192.0.2.1", "port": 5010, name: text})
        except ConfigError as error:
            str(error)


def parse_bodies(text: str) -> None:
    call = {"type": "call", "room": "101", "dialled": "1", "duration": 1}
    charge = {"type": "charge", "room": "101", "amount": 1}
    for body in (call, charge):
        for name in (*body, "started", "amount", "call_type", "outlet", "text", text):
            try:
                parse_posting({**body, name: text}, datetime(2026, 11, 20, tzinfo=UTC))
            except BodyError as error:
                str(error)


def parse_room(text: str) -> None:
    try:
        parse_room_name(text)
    except BodyError as error:
        str(error)


def parse_endpoint(text: str) -> None:
    str(EndpointString.parse(text).port)


def parse_records(text: str) -> None:
    fields = "|".join(f"{code}{text}" for code in ("RN", "G#", "GN", "DA", "TI", "AS", "P#", "RS", "CS"))
    for record_id in RECORDS:
        find_record_problem(Record(f"{record_id}|{fields}|"))


def cpu_time(parse: Callable[[str], None], text: str) -> float:
    """Return the least CPU time of this thread in a few runs."""

    def measure() -> float:
        before = thread_time()
        parse(text)
        return thread_time() - before

    return min(measure() for _ in range(3))


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("parse", [parse_settings, parse_bodies, parse_room, parse_endpoint, parse_records])
def test_e4_time_is_linear_in_the_length_of_a_text(parse: Callable[[str], None], prefix: str) -> None:
    for unit in UNITS:
        short, long = (prefix + unit * (length // len(unit)) for length in (6_000, 60_000))
        floor_s = 0.0005  # below it, the clock of the thread is too coarse
        ratio = cpu_time(parse, long) / max(cpu_time(parse, short), floor_s)
        assert ratio < MAX_RATIO, (prefix, unit)
