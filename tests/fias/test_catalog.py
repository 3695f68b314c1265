"""The catalog has every record and field of FIAS, and finds no problem in valid records."""

from __future__ import annotations

import pytest

from pmslink.fias.catalog import FIELDS, LINK_RECORDS, RECORDS, describe_fields, find_problems
from pmslink.fias.record import Record

SESSIONS = {
    "link start": """
        < LS|DA260101|TI080000|
        > LD|DA260101|TI080000|V#1.0|IFPB|
        > LR|RIGI|FLRNG#GSGNGLCSSF|
        > LA|DA260101|TI080000|
        < LA|DA260101|TI080001|
    """,
    "link check": """
        > LS|DA260101|TI081000|
        < LA|DA260101|TI081000|
    """,
    "resync": """
        > DR|DA260101|TI081500|
        < DS|DA260101|TI081501|
        < GI|RN101|G#5001|GSN|GNAdams|GLEA|CS2|SF|
        < GO|RN102|GSN|SF|
        < GI|RN103|G#5002|GSN|GNBauer|GLGE|CS2|SF|
        < GI|RN103|G#5009|GSY|GNBauer|GLGE|CS2|
        < DE|DA260101|TI081509|
    """,
    "check-in, sharer, change, check-out": """
        < GI|RN110|G#6001|GSN|GNClark|GFAnn|GLEA|CS1|DA260101|TI140000|
        < GI|RN110|G#6002|GSY|GNClark|GFBen|GLEA|CS1|DA260101|TI140010|
        < GC|RN110|G#6001|GNClark-Day|
        < GO|RN110|G#6001|GSY|DA260103|TI100000|
        < GO|RN110|G#6002|GSN|DA260103|TI101500|
    """,
    "room move": """
        < GC|RN215|GSN|G#6100|GNDiaz|GLSP|RO110|GSN|
        < GO|RN110|G#6100|GSN|
        < GI|RN215|G#6100|GSN|
    """,
    "room equipment": """
        < RE|RN110|CS3|
        < RE|RN110|MLY|
        < RE|RN110|DNY|
        < RE|RN110|CS2|DNN|
        > RE|RN110|RS3|IDMaid5|
        > RE|RN110|RS8|
        > RE|RN110|RS10|
        > RE|RN110|VM0103|
    """,
    "postings": """
        > PS|RN110|PTC|TA1050|DD0049891234567|DU000345|PCI|CTInternational|P#17|DA260102|TI123545|
        < PA|RN110|ASOK|P#17|DA260102|TI123646|
        > PS|RN110|PTT|MP8|DD2123830|DA260102|TI124041|P#18|
        > PS|RN110|PTT|DU000345|DD5105550100|DA260102|TI124041|P#19|
        > PS|RN110|PTM|MA1450|M#2|DA260102|TI090000|P#20|
        < PA|RN999|ASNG|P#21|CTINVALID ROOM|DA260102|TI090000|
        < PA|ASOK|RN110|P#22|DA260102|TI090000|CTPosting successful.|
        < PA|RN110|ASOK|P#22|DA260102|TI090000|GN|ID|SO|WS|C#|
    """,
    "wake-up": """
        < WR|RN110|DA260103|TI070000|
        < WC|RN110|DA260103|TI070000|
        < WC|RN110|DA|TI|
        > WA|RN110|DA260103|TI070000|ASOK|
        > WR|RN110|DA260104|TI063000|
        > WC|RN110|DA260104|TI063000|
    """,
    "night audit and the end": """
        < NS|DA260103|TI030000|
        < NE|DA260103|TI031500|
        < LE|DA260103|TI120000|
        > LE|DA260103|TI120000|
    """,
}


@pytest.mark.parametrize("session", SESSIONS)
def test_a_valid_session_has_no_problems(session: str) -> None:
    for line in SESSIONS[session].split("\n")[1:-1]:
        direction, text = line.split()[0], line.strip()[2:]
        record = Record(text)
        assert find_problems(record) == []
        assert RECORDS[record.id].direction in ("both", "to_pms" if direction == ">" else "from_pms")
        assert {code for code, _ in record.fields} <= set(RECORDS[record.id].fields)


@pytest.mark.parametrize("id", RECORDS)
def test_every_record_has_a_name_and_known_fields_once_each(id: str) -> None:
    kind = RECORDS[id]
    assert (kind.record_id, len(id)) == (id, 2)
    assert kind.name
    assert set(kind.fields) <= FIELDS.keys()
    assert len(set(kind.fields)) == len(kind.fields)


@pytest.mark.parametrize("code", FIELDS)
def test_every_field_has_a_name_and_is_used(code: str) -> None:
    kind = FIELDS[code]
    assert (kind.code, len(code)) == (code, 2)
    assert kind.name
    assert kind.data_type in "NMDTAE"
    assert (kind.length == 0) == (kind.data_type == "E")
    assert any(code in record.fields for record in RECORDS.values())


def test_the_catalog_has_the_records_of_fias() -> None:
    assert " ".join(RECORDS) == (
        "LS LD LR LA LE LC GI GO GC RE WR WC WA VA PS PA PR PL"
        " XL XM XT XD XR XI XB XC LO LF LP KR KD KM KA KZ DR DS DE NS NE"
    )
    assert LINK_RECORDS.issubset(RECORDS)


@pytest.mark.parametrize(
    "code", ["A0", "A9", "D1", "D9", "S1", "S9", "T1", "T9", "T#", "G#", "G+", "+0", "$1", "$J"]
)
def test_the_catalog_has_the_numbered_and_the_unusual_fields(code: str) -> None:
    assert code in FIELDS


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ZZ|RN1|", ["'ZZ' is not a FIAS record"]),
        ("GI|G#1|GSN|", ["GI lacks RN (room)"]),
        (
            "PS|RN1|PTC|",
            ["PS lacks DA (date)", "PS lacks TI (time)"],
        ),
        ("GI|RN123456789|", ["RN (room) is 9 characters long; the maximum is 8"]),
        ("GI|RN1|SFx|", ["SF (swap flag) is 1 characters long; the maximum is 0"]),
        ("GI|RN1|G#x1|", ["G# (reservation number) is 'x1', not a whole number"]),
        ("GI|RN1|G#١|", ["G# (reservation number) is '١', not a whole number"]),
        ("GI|RN1|G#-|", ["G# (reservation number) is '-', not a whole number"]),
        ("GI|RN1|G#-12|CS|", []),
        ("GI|RN1|HSwhat a protel adds|", []),
    ],
)
def test_problems_are_described(text: str, found: list[str]) -> None:
    assert find_problems(Record(text)) == found


def test_fields_are_described_by_name() -> None:
    assert describe_fields(Record("GI|RN101|G#5001|HSx|SF|")) == [
        ("RN", "room", "101"),
        ("G#", "reservation number", "5001"),
        ("HS", "HS", "x"),
        ("SF", "swap flag", ""),
    ]
