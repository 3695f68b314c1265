"""What can go wrong with a PMS: each fault that has been met in a real one, as a switch.

The defaults are a PMS without faults. Each fault says itself what it does; the text is shown by the
control interface too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

from attrs import asdict, evolve, field, fields, frozen

from pmslink.errors import PmslinkError
from pmslink.fias.charset import is_usable_charset

ANSWER_CODES = ("OK", "NG", "NA", "NP", "RY", "UR", "DN", "FX", "IA", "CO", "DM", "NF", "NM", "BM", "CD")
"""What a PMS may answer to a posting (AS)."""

MAX_RECORD_CHARS = 1_000_000
MAX_DELAY_S = 86_400

Validator = Callable[[Any], str | None]
"""Gives what a value should have been, or None for a good one."""


class FaultError(PmslinkError):
    """A fault that does not exist, or a value that it cannot have; ``name`` is the fault's."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name}: {problem}")
        self.name = name


def _fault(default: Any, meaning: str, validator: Validator) -> Any:
    return field(default=default, metadata={"meaning": meaning, "judge": validator})


def _boolean(meaning: str) -> Any:
    return _fault(False, meaning, lambda value: None if isinstance(value, bool) else "true or false")


def _integer(meaning: str, maximum: int) -> Any:
    def judge(value: Any) -> str | None:
        good = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= maximum
        return None if good else f"a whole number from 0 (off) to {maximum}"

    return _fault(0, meaning, judge)


def _seconds(meaning: str) -> Any:
    def judge(value: Any) -> str | None:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        good = number and (value == 0 or 0.01 <= value <= MAX_DELAY_S)
        return None if good else f"seconds: 0 (off), or 0.01 to {MAX_DELAY_S}"

    return _fault(0, meaning, judge)


def _choice(meaning: str, *choices: str, default: str = "") -> Any:
    def judge(value: Any) -> str | None:
        return None if value in choices else f"one of {', '.join(map(repr, choices))}"

    return _fault(default, meaning, judge)


def _validate_charset(value: Any) -> str | None:
    good = isinstance(value, str) and is_usable_charset(value)
    return None if good else "a charset that contains ASCII, such as cp850, cp1252, utf-8 or gbk"


def _validate_control_bytes(value: Any) -> str | None:
    try:
        good = (
            isinstance(value, str) and len(value) <= 32 and all(byte < 0x20 for byte in bytes.fromhex(value))
        )
    except ValueError:
        good = False
    return None if good else "up to 16 bytes below 20 in hexadecimal, such as 02 or 0d0a"


@frozen
class Faults:
    """Which faults a property has at the moment; all are off unless given."""

    # the start of a link, and its checks
    no_ls: bool = _boolean("sends no LS on connect and waits for the PBX")
    ls_la_at_once: bool = _boolean(
        "sends LS and LA on connect, ignores the link description, tells everything"
    )
    never_la: bool = _boolean("never sends LA: takes the link description and goes on, answers LS with LS")
    la_for_la: bool = _boolean("answers LA with LA once the link is alive")
    ls_every: float = _seconds("sends LS again so many seconds after the link became alive")
    ls_unanswered: bool = _boolean("does not answer LS: link checks stay open while all else works")
    ld_mirror: bool = _boolean("answers LS as a PBX would: with LD, LR and LA of its own")
    remember_declaration: bool = _boolean(
        "keeps the link description over connections and answers the LS of a new one with LA"
    )
    frozen: bool = _boolean("answers nothing at all and sends nothing; connections are still accepted")
    # connections
    drop_after: int = _integer(
        "closes a connection without LE once so many records came on it; the last is taken, but unanswered",
        1_000_000,
    )
    refuse_second: bool = _boolean("refuses a second connection; normally it displaces the first")
    # bytes on the wire
    split_bytes: bool = _boolean("sends every byte in a segment of its own")
    joined: bool = _boolean("sends all records of 20 ms in one segment")
    one_per_read: bool = _boolean("takes only the first record of each segment that it reads")
    framing: str = _choice(
        "stx-etx, or crlf: lines without STX and ETX, both ways, from the next connection on",
        "stx-etx",
        "crlf",
        default="stx-etx",
    )
    trailer: str = _choice(
        "what follows each ETX: ack (06), lrc (a check byte) or crlf", "", "ack", "lrc", "crlf"
    )
    charset: str = _fault("cp1252", "the charset of all text, both ways", _validate_charset)
    # how records are written
    no_last_bar: bool = _boolean("leaves out the bar behind the last field")
    unknown_record: bool = _boolean("sends a record of an unknown type (ZZ) before each data record")
    unknown_field: bool = _boolean("adds an unknown field (ZZ) to each record")
    empty_fields: bool = _boolean(
        "sends declared fields for which it has no value, empty; not in GC, and never SF"
    )
    shuffled: bool = _boolean("sends the fields of each record in random order")
    gs_twice: bool = _boolean("sends GS twice in each record that has it once")
    hhmm: bool = _boolean("sends times as HHMM")
    name_bytes: str = _fault(
        "", "control bytes (hexadecimal) in the middle of each guest's name", _validate_control_bytes
    )
    oversize: int = _integer("makes each GI so many characters long, by padding the name", MAX_RECORD_CHARS)
    # what it tells of guests
    duplicate_gi: bool = _boolean("sends each GI twice")
    move_as_go_gi: bool = _boolean("tells a room move as GO and GI, whatever was declared")
    move_as_gi_go: bool = _boolean("tells a room move as GI and GO, in this order, whatever was declared")
    dr_ignored: bool = _boolean("does not answer DR")
    de_missing: bool = _boolean("does not end a resync with DE")
    live_in_resync: bool = _boolean("checks a guest in in the middle of each resync")
    # answers to postings
    pa_delay: float = _seconds("answers postings so many seconds late")
    pa_never: bool = _boolean("never answers postings")
    pa_skip: int = _integer("does not answer the next so many postings; counts down", 1_000_000)
    pa_out_of_order: bool = _boolean(
        "keeps each answer until a second posting came, then answers the second first"
    )
    pa_without_number: bool = _boolean("answers without P#")
    pa_answer: str = _choice("answers every posting with this code", "", *ANSWER_CODES)

    @classmethod
    def parse(cls, values: Mapping[str, Any], base: Self | None = None) -> Self:
        """Faults from JSON values by name; null is the default, names not given stay as in ``base``.

        Raises FaultError that names the fault, the value and what would be right.
        """
        known = {fault.name: fault for fault in fields(cls)}
        changes = {}
        for name, value in values.items():
            if name not in known:
                raise FaultError(name, f"no such fault; there are {', '.join(known)}")
            if value is None:
                value = known[name].default
            elif wanted := known[name].metadata["judge"](value):
                raise FaultError(name, f"{value!r} should be {wanted}")
            changes[name] = value
        return evolve(base or cls(), **changes)

    def serialize(self) -> dict[str, Any]:
        """Every fault with its value."""
        return asdict(self)

    def non_default(self) -> dict[str, Any]:
        """The faults that are not at their default, with their values."""
        return {name: value for name, value in asdict(self).items() if value != getattr(NO_FAULTS, name)}


def fault_meanings() -> dict[str, str]:
    """What each fault does, by name."""
    return {fault.name: fault.metadata["meaning"] for fault in fields(Faults)}


NO_FAULTS = Faults()
