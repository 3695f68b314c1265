"""Records: parsing is tolerant and keeps the order of the wire, building is strict."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmslink.errors import FieldError, PmslinkError
from pmslink.fias.record import Record, build_record

SAFE = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="|")
CODES = st.text(SAFE, min_size=2, max_size=2)
FIELDS = st.lists(st.tuples(CODES, st.text(SAFE, max_size=40)), max_size=12)


def test_a_check_in_is_an_id_and_fields_in_order() -> None:
    record = Record("GI|RN101|G#5001|GSN|GNAdams|")
    assert record.id == "GI"
    assert record.fields == (("RN", "101"), ("G#", "5001"), ("GS", "N"), ("GN", "Adams"))
    assert record.get("GN") == "Adams"
    assert record.get("GF") is None
    assert record.get("GF", "") == ""
    assert "G#" in record
    assert "GF" not in record


@pytest.mark.parametrize(
    "code",
    [
        "RN",
        "G#",
        "G+",
        "A0",
        "A9",
        "P#",
        "V#",
        "$1",
        "$2",
        "$J",
        "+0",
        "C#",
        "F#",
        "K#",
        "M#",
        "T#",
        "T1",
        "D9",
    ],
)
def test_a_code_can_be_any_two_characters(code: str) -> None:
    record = build_record("GI", [(code, "x1"), ("RN", "0330")])
    assert record.text == f"GI|{code}x1|RN0330|"
    assert record.get(code) == "x1"


def test_repeated_fields_keep_their_positions() -> None:
    # room move: each GS belongs to the room before it
    move = Record("GC|RN215|GSN|G#6100|GNDiaz|RO110|GSY|")
    assert [code for code, _ in move.fields] == ["RN", "GS", "G#", "GN", "RO", "GS"]
    assert list(move.all("GS")) == ["N", "Y"]
    assert move.get("GS") == "N"


@pytest.mark.parametrize(
    ("text", "id", "fields"),
    [
        ("LA", "LA", ()),
        ("LA|", "LA", ()),
        ("LA|DA|TI|", "LA", (("DA", ""), ("TI", ""))),
        ("GO|RN102|SF", "GO", (("RN", "102"), ("SF", ""))),
        ("LR|RTGI|RN|G#||", "LR", (("RT", "GI"), ("RN", ""), ("G#", ""))),
        ("ZZ|??what|x|", "ZZ", (("??", "what"), ("x", ""))),
        ("GI|RN 0330 |", "GI", (("RN", " 0330 "),)),
        ("", "", ()),
        ("|", "", ()),
    ],
)
def test_parsing_is_tolerant(text: str, id: str, fields: tuple[tuple[str, str], ...]) -> None:
    assert (Record(text).id, Record(text).fields) == (id, fields)


@given(st.text())
def test_any_text_makes_a_record(text: str) -> None:
    record = Record(text)
    assert "|" not in record.id
    assert all("|" not in code + value for code, value in record.fields)


@given(CODES, FIELDS)
def test_a_built_record_parses_to_its_fields(id: str, fields: list[tuple[str, str]]) -> None:
    record = build_record(id, fields)
    assert record.text.endswith("|")
    assert (record.id, list(record.fields)) == (id, fields)
    assert Record(record.text) == record


@pytest.mark.parametrize(
    ("id", "fields", "code"),
    [
        ("G", [], "id"),
        ("GIS", [], "id"),
        ("G|", [], "id"),
        ("GI", [("R", "101")], "R"),
        ("GI", [("RNX", "101")], "RNX"),
        ("GI", [("RN", "101"), ("GN", "Mc|Lean")], "GN"),
        ("GI", [("RN", "101"), ("G|", "")], "G|"),
        ("GI", [("GN", "Ad\x02ams")], "GN"),
        ("GI", [("GN", "Adams\x03")], "GN"),
        ("XL", [("MT", "two\r\nlines")], "MT"),
        ("GI", [("GN", "\x7f")], "GN"),
        ("GI", [("GN", "\x85")], "GN"),
        ("GI", [("\x00\x00", "")], "\x00\x00"),
    ],
)
def test_a_value_that_fias_cannot_carry_raises_an_error_with_its_field(
    id: str, fields: list[tuple[str, str]], code: str
) -> None:
    with pytest.raises(FieldError) as caught:
        build_record(id, fields)
    assert caught.value.code == code
    assert str(caught.value).startswith(f"field {code}: ")
    assert isinstance(caught.value, PmslinkError)
