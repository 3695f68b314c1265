"""The link description: what a PBX declares, and how a declaration is parsed."""

from __future__ import annotations

from datetime import datetime

import pytest

from pmslink.errors import FieldError
from pmslink.fias.catalog import RECORDS, find_problems
from pmslink.fias.link_description import (
    DECLARED_FIELDS,
    build_description,
    declared_fields,
    parse_declaration,
)
from pmslink.fias.record import Record

NOW = datetime(2026, 1, 1, 8)  # noqa: DTZ001  (the hotel's local time)


def test_it_is_ld_then_an_lr_for_each_record_then_la() -> None:
    first, *declarations, last = [record.text for record in build_description({}, "1.0", NOW)]
    assert (first, last) == ("LD|DA260101|TI080000|V#1.0|IFPB|", "LA|DA260101|TI080000|")
    assert declarations == [f"LR|RI{id}|FL{codes}|" for id, codes in DECLARED_FIELDS.items()]


def test_a_link_can_override_or_add_records() -> None:
    own = {"GI": "RNG#GNSF", "XL": "G#RNMTMI"}
    assert declared_fields(own) == {**DECLARED_FIELDS, **own}
    assert list(declared_fields(own)) == [*DECLARED_FIELDS, "XL"]
    written = [record.text for record in build_description(own, "1.0", NOW)]
    assert written[1] == "LR|RIGI|FLRNG#GNSF|"
    assert written[-2] == "LR|RIXL|FLG#RNMTMI|"


def test_d8_an_empty_override_leaves_the_record_out() -> None:
    assert list(declared_fields({"GC": ""})) == [id for id in DECLARED_FIELDS if id != "GC"]
    assert not any("RIGC" in record.text for record in build_description({"GC": "", "XL": ""}, "1.0", NOW))


def test_a_version_is_truncated_to_the_length_of_its_field() -> None:
    assert build_description({}, "1.0.0.dev20260101", NOW)[0].get("V#") == "1.0.0.dev2"


def test_a_version_that_fias_cannot_carry_is_rejected() -> None:
    with pytest.raises(FieldError):
        build_description({"GI": "RN|GN"}, "1.0", NOW)


def test_the_default_declaration_is_valid_fias() -> None:
    assert [found for record in build_description({}, "1.0", NOW) for found in find_problems(record)] == []


@pytest.mark.parametrize("id", DECLARED_FIELDS)
def test_each_declared_field_belongs_to_its_record(id: str) -> None:
    read = parse_declaration(Record(f"LR|RI{id}|FL{DECLARED_FIELDS[id]}|"))
    assert read is not None
    assert read[0] == id
    assert set(RECORDS[id].mandatory) <= set(read[1]) <= set(RECORDS[id].fields)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("LR|RIGI|FLRNG#A0+0$2|", ("GI", ("RN", "G#", "A0", "+0", "$2"))),
        ("LR|FLRNDATI|RIWR|", ("WR", ("RN", "DA", "TI"))),
        ("LR|RIGI|FLRNG|", ("GI", ("RN",))),
        ("LR|RIGI|FL|", ("GI", ())),
        ("LR|RIGI|", ("GI", ())),
        ("LR|RTGI|RN|G#|GN||", ("GI", ("RN", "G#", "GN"))),
        ("LR|RI|RTGO|RN|", ("GO", ("RN",))),
        ("LR|FLRN|", None),
        ("LR|", None),
    ],
)
def test_declarations_are_parsed_in_all_dialects(text: str, read: tuple[str, tuple[str, ...]] | None) -> None:
    assert parse_declaration(Record(text)) == read
