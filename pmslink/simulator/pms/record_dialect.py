"""How a property writes its records: what was declared, distorted by its faults, as bytes.

Everything here is a pure function; the random order of fields comes from the generator given.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from operator import xor
from random import Random

from pmslink.fias.framing import ETX, framed
from pmslink.fias.record import BAR, Field, Record
from pmslink.simulator.pms.fault_switches import Faults

DeclaredFields = Mapping[str, tuple[str, ...]]
"""Record ids to their field codes, as the PBX's LRs gave them."""

_RECORDS_WITHOUT_LR = frozenset({"DS", "DE"})
_UNKNOWN_RECORD = f"ZZ{BAR}ZZ1{BAR}"
_UNKNOWN_FIELD = ("ZZ", "1")


def encode_records(
    record: Record, declared: DeclaredFields | None, faults: Faults, rng: Random
) -> Iterator[str]:
    """The texts that tell a data record: none if it was not declared, several with some faults.

    ``declared`` is None where the PMS pays no heed to declarations and tells everything.
    """
    if record.id == "GC" and "RO" in record and sends_move_as_pair(declared, faults):
        halves = _split_move(record)
        for half in reversed(halves) if faults.move_as_gi_go else halves:
            yield from encode_records(half, declared, faults, rng)
        return
    codes = None if declared is None or record.id in _RECORDS_WITHOUT_LR else declared.get(record.id, ())
    if codes == ():
        return
    fields = list(record.fields)
    if codes is not None:
        fields = _select_declared(fields + _missing_fields(record, codes, faults), codes)
    if faults.gs_twice:
        fields = _with_second_gs(fields)
    if faults.unknown_record:
        yield _UNKNOWN_RECORD
    text = encode_text(record.id, fields, faults, rng)
    yield text
    if faults.duplicate_gi and record.id == "GI":
        yield text


def sends_move_as_pair(declared: DeclaredFields | None, faults: Faults) -> bool:
    """Whether a room move is told as a check-out and a check-in, and not as GC with the old room."""
    if faults.move_as_go_gi or faults.move_as_gi_go:
        return True
    return declared is not None and "RO" not in declared.get("GC", ())


def build_record(id: str, fields: Iterable[Field]) -> Record:
    """A record of any fields, also of such that FIAS cannot carry."""
    return Record(BAR.join([id, *(code + value for code, value in fields)]) + BAR)


def encode_text(id: str, fields: Iterable[Field], faults: Faults, rng: Random) -> str:
    """A record as it is spelled with these faults."""
    spelled = [(code, _distort_value(code, value, faults)) for code, value in fields]
    if faults.unknown_field:
        spelled.append(_UNKNOWN_FIELD)
    if faults.shuffled:
        groups = _group_fields(spelled)
        rng.shuffle(groups)
        spelled = [field for group in groups for field in group]
    if faults.oversize and id == "GI":
        spelled = _pad_name(spelled, faults.oversize)
    text = build_record(id, spelled).text
    return text.removesuffix(BAR) if faults.no_last_bar else text


def encode_frame(text: str, faults: Faults) -> bytes:
    """A record's text in its charset and its frame; what the charset lacks becomes a question mark."""
    text_bytes = text.encode(faults.charset, "replace")
    if faults.framing == "crlf":
        return framed(text_bytes, "crlf")
    trailer = {"": b"", "ack": b"\x06", "lrc": lrc(text_bytes), "crlf": b"\r\n"}[faults.trailer]
    return framed(text_bytes, "stx-etx") + trailer


def lrc(text: bytes) -> bytes:
    """The check byte of the serial line: XOR over everything behind STX, ETX included."""
    return bytes([reduce(xor, text + ETX, 0)])


def _split_move(move: Record) -> tuple[Record, Record]:
    """GO and GI for a room move, whose fields are RN GS G# …, RO GS and the rest."""
    old_room = next(at for at, (code, _) in enumerate(move.fields) if code == "RO")
    room, new_share, number, *person = move.fields[:old_room]
    (_, vacated), old_share, *stamp = move.fields[old_room:]
    return (
        build_record("GO", [("RN", vacated), number, old_share, *stamp]),
        build_record("GI", [room, number, new_share, *person, *stamp]),
    )


def _select_declared(fields: Iterable[Field], codes: tuple[str, ...]) -> list[Field]:
    """The declared fields in declared order; in a room move each GS stays behind its room."""
    place = {code: at for at, code in enumerate(codes)}
    kept = [(code, value) for code, value in fields if code in place]
    groups = _group_fields(kept)
    groups.sort(key=lambda group: place[group[0][0]])
    return [field for group in groups for field in group]


def _missing_fields(record: Record, codes: tuple[str, ...], faults: Faults) -> list[Field]:
    # An empty field of GC would say that a value was taken away, and SF says what it says by being there.
    if not faults.empty_fields or record.id == "GC":
        return []
    return [(code, "") for code in codes if code not in record and code != "SF"]


def _group_fields(fields: list[Field]) -> list[list[Field]]:
    """Fields one by one, but where GS comes twice each GS together with the field before it."""
    pair = sum(code == "GS" for code, _ in fields) > 1
    groups: list[list[Field]] = []
    for code, value in fields:
        if pair and code == "GS" and groups:
            groups[-1].append((code, value))
        else:
            groups.append([(code, value)])
    return groups


def _with_second_gs(fields: list[Field]) -> list[Field]:
    shares = [field for field in fields if field[0] == "GS"]
    return fields + shares if len(shares) == 1 else fields


def _distort_value(code: str, value: str, faults: Faults) -> str:
    if code == "TI" and faults.hhmm:
        return value[:4]
    if code == "GN" and faults.name_bytes:
        middle = len(value) // 2
        return value[:middle] + bytes.fromhex(faults.name_bytes).decode("ascii") + value[middle:]
    return value


def _pad_name(fields: list[Field], length: int) -> list[Field]:
    size = len("GI|") + sum(len(code + value) + 1 for code, value in fields)
    return [
        (code, value.ljust(len(value) + length - size, "x") if code == "GN" else value)
        for code, value in fields
    ]
