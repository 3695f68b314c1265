"""Every record and field of FIAS as data, for the trace, the simulator and the checks of sent records.

From Oracle's FIAS specification 2.20.23/24; lengths are its maxima. Records from a PMS are never rejected
for breaking them: room names longer than eight characters, for example, are common.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from attrs import frozen

from pmslink.fias.record import Record

Direction = Literal["to_pms", "from_pms", "both"]


@frozen
class RecordType:
    """The definition of a record id: name, direction, mandatory and optional fields."""

    record_id: str
    name: str
    direction: Direction
    mandatory: tuple[str, ...]
    optional: tuple[str, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """All field codes of the record, each once, the mandatory ones first."""
        return tuple(dict.fromkeys(self.mandatory + self.optional))


@frozen
class FieldType:
    """The definition of a field code: name, type and maximum length.

    `data_type`: N digits, M money, D date, T time, A text, E always empty.
    """

    code: str
    name: str
    data_type: Literal["N", "M", "D", "T", "A", "E"]
    length: int


_USER_FIELD_CODES = "A0 A1 A2 A3 A4 A5 A6 A7 A8 A9"
_KEY_FIELD_CODES = f"{_USER_FIELD_CODES} $1 $2 $3 CT DA TI DT GA GD GG GN G# ID K# KO RT SI UO"
_GUEST_FIELD_CODES = f"GN GF GT GL GV GG GA GD CS TV MR VR NP G+ {_USER_FIELD_CODES}"

_RECORDS = [
    # link
    ("LS", "link start", "both", "DA TI", ""),
    ("LD", "link description", "to_pms", "DA TI IF V#", "RT RL CG"),
    ("LR", "link record", "to_pms", "RI FL", ""),
    ("LA", "link alive", "both", "DA TI", ""),
    ("LE", "link end", "both", "DA TI", ""),
    ("LC", "link configuration", "from_pms", "", "RP A0 A1 A2 A3 PH CG DA TI"),
    # guest and room; a PMS that identifies guests by room sends no G# and GS
    ("GI", "guest check-in", "from_pms", "RN", f"G# GS {_GUEST_FIELD_CODES} SF DA TI WS EN EP ES"),
    ("GO", "guest check-out", "from_pms", "RN", "G# GS SF DA TI WS EN EP ES"),
    ("GC", "guest change", "from_pms", "RN", f"G# GS {_GUEST_FIELD_CODES} RO DA TI WS EN EP ES EO EI ET"),
    ("RE", "room equipment", "both", "RN", "CS DN ML MR TV VR G# RS VM PP CT ID PU DA TI"),
    ("WR", "wake-up request", "both", "DA RN TI", ""),
    ("WC", "wake-up clear", "both", "DA RN TI", ""),
    ("WA", "wake-up answer", "to_pms", "AS DA RN TI", ""),
    ("VA", "virtual number answer", "to_pms", "", "EN AS CT RN ES EP G# GP"),
    # posting
    (
        "PS",
        "posting simple",
        "to_pms",
        "DA TI RN PT",
        "DD DU MA M# MP SO TA P# CT X1 PC PM PX ID WS C# CO CV ST SC TP T# G# "
        "S1 S2 S3 S4 S5 S6 S7 S8 S9 T1 T2 T3 T4 T5 T6 T7 T8 T9 D1 D2 D3 D4 D5 D6 D7 D8 D9 +0",
    ),
    ("PA", "posting answer", "from_pms", "AS DA RN TI", "CT P# WS SO ID C# G# GN"),
    ("PR", "posting request", "to_pms", "DA P# RN TI WS", "G# GN PI PM TA $2 MX C# CT ID SO"),
    (
        "PL",
        "posting list",
        "from_pms",
        "G# GN P# RN WS",
        f"{_USER_FIELD_CODES} BA CL GA GD GF GL GT GV NP PM SO C# DA TI",
    ),
    # messages, bill, locators
    ("XL", "message text", "both", "G# RN MT", "MI $J DA TI"),
    ("XM", "message request", "to_pms", "G# RN", "MI RT"),
    ("XT", "message text answer", "from_pms", "G# MI MT RN", "DA TI"),
    ("XD", "message delete", "both", "G# MI RN", ""),
    ("XR", "bill request", "to_pms", "G# RN", ""),
    ("XI", "bill item", "from_pms", "BD BI DC G# RN F# FD", "DA TI"),
    ("XB", "bill balance", "from_pms", "BA G# RN", "AS DA TI"),
    ("XC", "remote check-out", "both", "G# RN", "BA AS CT DA TI"),
    ("LO", "locator on", "to_pms", "CT G# LT TI", "RN"),
    ("LF", "locator off", "to_pms", "G#", "RN"),
    ("LP", "locator retrieve", "both", "G#", "RN AS CT LT"),
    # keys
    ("KR", "key request", "from_pms", "KC KT RN WS", _KEY_FIELD_CODES),
    ("KD", "key delete", "from_pms", "KC RN WS", _KEY_FIELD_CODES),
    ("KM", "key change", "from_pms", "G# KC RN WS", f"RO {_KEY_FIELD_CODES}"),
    ("KA", "key answer", "to_pms", "AS CT KC WS", _KEY_FIELD_CODES),
    ("KZ", "key read", "both", "KC WS", f"AS CT RN {_KEY_FIELD_CODES}"),
    # control
    ("DR", "database resync request", "to_pms", "DA TI", ""),
    ("DS", "database resync start", "from_pms", "DA TI", ""),
    ("DE", "database resync end", "from_pms", "DA TI", ""),
    ("NS", "night audit start", "from_pms", "DA TI", ""),
    ("NE", "night audit end", "from_pms", "DA TI", ""),
]

_FIELDS = """
AS answer status A 2            | BA balance N 20                 | BD bill item text A 300
BI bill item amount N 20        | C# check number N 8             | CG cryptogram A 150
CL credit limit M 15            | CO override credit limit A 1    | CS class of service N 1
CT clear text A 80              | CV covers N 5                   | DA date D 6
DC department code N 20         | DD dialled digits N 20          | DN do not disturb A 1
DT departure time A 5           | DU duration T 6                 | EN virtual number A 200
EP virtual number pool A 200    | ES virtual number status A 200  | EO old virtual number A 200
EI old virtual pool A 200       | ET old virtual status A 200     | F# folio window N 2
FD folio show flag A 1          | FL field list A 2000            | G# reservation number N 10
G+ profile number A 10          | GA arrival date D 6             | GD departure date D 6
GF first name A 80              | GN name A 200                   | GT title A 20
GG group A 10                   | GL language A 10                | GP guest PIN A 6
GS share flag A 1               | GV VIP status A 20              | ID user A 16
IF interface family A 2         | K# key count N 2                | KC key coder A 8
KO key options A 20             | KT key type A 2                 | LT locator expiry T 4
M# article count N 2            | MA article N 4                  | MI message number N 8
MT message text A 2000          | ML message light A 1            | MP meter pulses N 10
MR minibar rights A 2           | MX most matches N 1             | NP no-post flag A 1
P# posting number N 8           | PC call type A 1                | PH hotel A 20
PI inquiry A 10                 | PM payment method A 5           | PP printer port N 1
PT posting type A 1             | PU persons N 2                  | PX trunk N 6
RI record id A 2                | RL longest message N 4          | RN room A 8
RO old room A 8                 | RP payment methods A 2000       | RS room status N 2
RT request type N 4             | SC service charge M 15          | TP tip M 15
ST serving time N 4             | SF swap flag E 0                | SI suite rooms A 30
SO sales outlet A 5             | T# table N 4                    | TA total amount M 15
TI time T 6                     | TV television rights A 2        | UO old suite rooms A 30
V# version A 10                 | VM voicemail A 4                | VR video rights A 2
WS workstation A 16             | X1 extra text A 25              | $1 track 1 A 200
$2 track 2 A 40                 | $3 track 3 A 200                | $J external message A 16
+0 cash rounding M 15
"""


def _field_types() -> Iterator[FieldType]:
    for entry in _FIELDS.replace("\n", "|").split("|"):
        if entry.strip():
            code, *name, data_type, length = entry.split()
            yield FieldType(code, " ".join(name), data_type, int(length))  # type: ignore[arg-type]
    for digit in range(10):
        yield FieldType(f"A{digit}", f"user-definable {digit}", "A", 200)
    for digit in range(1, 10):
        yield FieldType(f"D{digit}", f"discount {digit}", "M", 15)
        yield FieldType(f"S{digit}", f"subtotal {digit}", "M", 15)
        yield FieldType(f"T{digit}", f"tax {digit}", "M", 15)


RECORDS: dict[str, RecordType] = {
    record_id: RecordType(record_id, name, direction, tuple(mandatory.split()), tuple(optional.split()))  # type: ignore[arg-type]
    for record_id, name, direction, mandatory, optional in _RECORDS
}
FIELDS: dict[str, FieldType] = {field_type.code: field_type for field_type in _field_types()}

LINK_RECORDS = frozenset({"LS", "LD", "LA", "LE"})
"""The inputs of the link's state machine. Any other record only shows that the PMS is alive."""

DOCKING_RECORDS = LINK_RECORDS | {"LR", "LC"}
"""The records that establish a link. They contain no data of the hotel."""

GUEST_FIELDS = frozenset(
    {
        *("GN", "GF", "GT", "GG", "G+"),  # identity: names, title, group, the profile in the PMS
        *("GP", "PI", "$1", "$2", "$3"),  # the PIN, inquiries, the tracks of a card
        *("MT", "$J", "CT", "BD", "X1", "MA"),  # messages and purchases
        *("DD", "EN", "EO"),  # called numbers, and the guest's own number
        *(f"A{digit}" for digit in range(10)),  # user-definable; often an address
    }
)
"""The fields with personal data: a guest's identity, messages, purchases and calls.

The others are operational: rooms, reservation numbers, dates, rights, amounts.
"""

ANSWER_RECORDS = frozenset({"PA"})
"""The records whose clear text (CT) is the PMS's reason, for example why it refused a posting.

It is not personal data."""


def find_problems(record: Record) -> list[str]:
    """Describe each violation of FIAS in a record; empty for a valid record. Unknown fields are allowed."""
    record_type = RECORDS.get(record.id)
    if record_type is None:
        return [f"{record.id!r} is not a FIAS record"]
    problems = [
        f"{record.id} lacks {code} ({FIELDS[code].name})"
        for code in record_type.mandatory
        if code not in record
    ]
    for code, value in record.fields:
        field_type = FIELDS.get(code)
        if field_type is None:
            continue
        if len(value) > field_type.length:
            problems.append(
                f"{code} ({field_type.name}) is {len(value)} characters long; "
                f"the maximum is {field_type.length}"
            )
        if (
            field_type.data_type == "N"
            and value
            and not (value.removeprefix("-").isascii() and value.removeprefix("-").isdigit())
        ):
            problems.append(f"{code} ({field_type.name}) is {value!r}, not a whole number")
    return problems


def describe_fields(record: Record) -> list[tuple[str, str, str]]:
    """Describe a record's fields as (code, name, value). The name of an unknown code is the code."""
    return [(code, FIELDS[code].name if code in FIELDS else code, value) for code, value in record.fields]
