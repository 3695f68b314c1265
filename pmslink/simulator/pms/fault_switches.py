"""The faults of a PMS, each as a switch; every one was seen in a real PMS.

The defaults describe a PMS without faults. Each fault carries its own description, which the control API
returns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import Attribute, asdict, evolve, field, fields, frozen

from pmslink.errors import PmslinkError
from pmslink.fias.charset import is_usable_charset
from pmslink.simulator.pms.pbx_address import is_loopback_address
from pmslink.validation.validators import (
    Validator,
    boolean_validator,
    choice_validator,
    integer_validator,
    number_validator,
    pattern_validator,
    text_validator,
)

ANSWER_CODES = ("OK", "NG", "NA", "NP", "RY", "UR", "DN", "FX", "IA", "CO", "DM", "NF", "NM", "BM", "CD")
"""Answer codes of a PMS to a posting (AS)."""

STRAY_NUMBER = "99999999"
"""The P# of an answer for no posting: the highest number, which no PBX reaches."""
MAX_RECORD_CHARS = 1_000_000
MAX_RECORD_COUNT = 1_000_000
MAX_CONTROL_BYTES = 16
MIN_DELAY_S, MAX_DELAY_S = 0.01, 86_400
MAX_CLOCK_OFFSET_S = 86_400


class FaultError(PmslinkError):
    """Report an unknown fault or an invalid value; ``name`` is the fault's."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name}: {problem}")
        self.name = name


def _fault(default: Any, meaning: str, validator: Validator) -> Any:
    return field(default=default, metadata={"meaning": meaning, "validator": validator})


def _boolean(meaning: str) -> Any:
    return _fault(False, meaning, boolean_validator())


def _integer(meaning: str, maximum: int) -> Any:
    expected = f"a whole number from 0 (off) to {maximum}"
    return _fault(0, meaning, integer_validator(0, maximum, expected))


def _seconds(meaning: str) -> Any:
    delay = number_validator(MIN_DELAY_S, MAX_DELAY_S)
    # not isinstance(…, int): a bool is an int to Python
    validator = Validator(
        f"a number of seconds: 0 (off), or {MIN_DELAY_S} to {MAX_DELAY_S}",
        lambda value: value if type(value) in (int, float) and value == 0 else delay(value),
    )
    return _fault(0, meaning, validator)


def _choice(meaning: str, *choices: str, default: str = "") -> Any:
    expected = f"one of {', '.join(map(repr, choices))}"
    return _fault(default, meaning, choice_validator(choices, expected))


def _are_control_bytes(digits: str) -> bool:
    try:
        data = bytes.fromhex(digits)
    except ValueError:
        return False
    return len(digits) <= 2 * MAX_CONTROL_BYTES and all(byte < 0x20 for byte in data)


_CLOCK_OFFSET = number_validator(
    -MAX_CLOCK_OFFSET_S,
    MAX_CLOCK_OFFSET_S,
    f"a number of seconds from -{MAX_CLOCK_OFFSET_S} to {MAX_CLOCK_OFFSET_S}",
)
_DIAL_ADDRESS = text_validator(
    "HOST:PORT on this computer, for example 127.0.0.1:5010 or [::1]:5010",
    lambda text: not text or is_loopback_address(text),
)
_RECORD_ID = pattern_validator("a record id of two characters, for example RE", "|[A-Z][A-Z0-9]")
_CHARSET = text_validator(
    "a character set that contains ASCII, for example cp850, cp1252, utf-8 or gbk", is_usable_charset
)
_CONTROL_BYTES = text_validator(
    f"up to {MAX_CONTROL_BYTES} bytes below 20 in hexadecimal, for example 02 or 0d0a", _are_control_bytes
)


@frozen
class Faults:
    """The faults of a property; all are off unless given."""

    # link start and link checks
    no_ls: bool = _boolean("sends no LS on connect and waits for the PBX")
    ls_la_at_once: bool = _boolean(
        "sends LS and LA on connect, ignores the link description, sends all records with all fields"
    )
    la_unasked: float = _seconds(
        "sends LA by itself this many seconds after the last LD or LR, and then a GI for each guest, "
        "without DS and DE"
    )
    close_at_lr: str = _fault("", "closes the connection at the LR of this record id", _RECORD_ID)
    never_la: bool = _boolean("never sends LA: accepts the link description, is alive, answers LS with LS")
    la_for_la: bool = _boolean("answers LA with LA while the link is alive")
    ls_every: float = _seconds("sends LS again this many seconds after the link became alive")
    ls_unanswered: bool = _boolean("does not answer LS: link checks fail while everything else works")
    ld_mirror: bool = _boolean("answers LS like a PBX: with its own LD, LR and LA")
    mirror_pause: float = _seconds(
        "with ld_mirror: pauses this many seconds before each LR and the LA, and sends no data in between"
    )
    mirror_strict: bool = _boolean(
        "with ld_mirror: closes the connection at any record but LA, from its LD to the LA of the PBX"
    )
    remember_declaration: bool = _boolean(
        "stores the link description across connections and answers the LS of a new connection with LA"
    )
    frozen: bool = _boolean("sends nothing and answers nothing; connections are still accepted")
    clock_offset: float = _fault(
        0,
        "its clock is wrong by this many seconds in each LS and all other records; negative: it is slow",
        _CLOCK_OFFSET,
    )
    # connections
    dial: str = _fault(
        "", "connects to the PBX at this address, and again 5 s after the connection ended", _DIAL_ADDRESS
    )
    drop_after: int = _integer(
        "closes a connection without LE after this many received records; the last is accepted, not answered",
        MAX_RECORD_COUNT,
    )
    refuse_second: bool = _boolean("rejects a second connection; normally it displaces the first")
    # bytes on the wire
    split_bytes: bool = _boolean("sends every byte in a separate segment")
    joined: bool = _boolean("sends all records of 20 ms in one segment")
    one_per_read: bool = _boolean("reads only the first record of each received segment")
    framing: str = _choice(
        "stx-etx, or crlf: lines without STX and ETX in both directions, from the next connection",
        "stx-etx",
        "crlf",
        default="stx-etx",
    )
    trailer: str = _choice(
        "bytes after each ETX: ack (06), lrc (a check byte) or crlf", "", "ack", "lrc", "crlf"
    )
    charset: str = _fault("cp1252", "the character set of all text, in both directions", _CHARSET)
    # record encoding
    no_last_bar: bool = _boolean("omits the bar after the last field")
    unknown_record: bool = _boolean("sends a record of an unknown type (ZZ) before each data record")
    unknown_field: bool = _boolean("adds an unknown field (ZZ) to each record")
    empty_fields: bool = _boolean("sends declared fields without a value as empty; not in GC, and never SF")
    shuffled: bool = _boolean("sends the fields of each record in random order")
    gs_twice: bool = _boolean("sends GS twice in each record that has it once")
    hhmm: bool = _boolean("sends times as HHMM")
    name_bytes: str = _fault(
        "", "control bytes (hexadecimal) in the middle of each guest's name", _CONTROL_BYTES
    )
    oversize: int = _integer("pads the name so that each GI has this many characters", MAX_RECORD_CHARS)
    oversize_early: int = _integer(
        "sends a record of this many characters on connect, before LS", MAX_RECORD_CHARS
    )
    # guest records
    duplicate_gi: bool = _boolean("sends each GI twice")
    move_as_go_gi: bool = _boolean("sends each room move as GO and GI, even if RO was declared")
    move_as_gi_go: bool = _boolean(
        "sends each room move as GI and GO, in this order, even if RO was declared"
    )
    dr_ignored: bool = _boolean("does not answer DR")
    de_missing: bool = _boolean("does not end a resync with DE")
    live_in_resync: bool = _boolean("checks in a guest in the middle of each resync")
    # answers to postings
    pa_delay: float = _seconds("delays each answer to a posting by this many seconds")
    pa_never: bool = _boolean("never answers postings")
    pa_skip: int = _integer("does not answer the next postings, this many; counts down", MAX_RECORD_COUNT)
    pa_out_of_order: bool = _boolean(
        "holds each answer until a second posting arrives, then answers the second first"
    )
    pa_twice: bool = _boolean("sends each answer twice")
    pa_stray: str = _choice(
        f"sends an answer with this code and a P# of no posting ({STRAY_NUMBER}) before each answer",
        "",
        *ANSWER_CODES,
    )
    pa_without_number: bool = _boolean("answers without P#")
    pa_answer: str = _choice("answers every posting with this code", "", *ANSWER_CODES)

    @classmethod
    def parse(cls, values: Mapping[str, Any], base: Self | None = None) -> Self:
        """Parse faults from JSON values by name.

        null is the default; faults that are not given stay as in ``base``. Raises FaultError that names the
        fault, the value and what is expected.
        """
        definitions = {fault.name: fault for fault in fields(cls)}
        changes = {}
        for name, value in values.items():
            if name not in definitions:
                raise FaultError(name, f"unknown fault; the faults are {', '.join(definitions)}")
            definition = definitions[name]
            changes[name] = definition.default if value is None else _parse_value(definition, value)
        return evolve(base or cls(), **changes)

    def serialize(self) -> dict[str, Any]:
        """Serialize every fault: its value by name."""
        return asdict(self)

    def non_default(self) -> dict[str, Any]:
        """Return the values of the faults that differ from their default, by name."""
        return {name: value for name, value in asdict(self).items() if value != getattr(NO_FAULTS, name)}


def fault_meanings() -> dict[str, str]:
    """Return the description of each fault, by name."""
    return {fault.name: fault.metadata["meaning"] for fault in fields(Faults)}


def _parse_value(definition: Attribute[Any], value: Any) -> Any:
    validator: Validator = definition.metadata["validator"]
    try:
        return validator(value)
    except ValueError:
        raise FaultError(definition.name, f"must be {validator.expected}, not {value!r}") from None


NO_FAULTS = Faults()
