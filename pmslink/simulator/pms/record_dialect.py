"""The encoding of a property's records: select declared fields, apply the faults, encode as bytes.

All functions are pure; the given generator determines the random order of fields.
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
"""Field codes by record id, from the PBX's LRs."""

_RECORDS_WITHOUT_LR = frozenset({"DS", "DE"})
_UNKNOWN_RECORD = f"ZZ{BAR}ZZ1{BAR}"
_UNKNOWN_FIELD = ("ZZ", "1")


def encode_records(
    record: Record, declared: DeclaredFields | None, faults: Faults, rng: Random
) -> Iterator[str]:
    """Encode a data record as texts: none if it was not declared, several with some faults.

    ``declared`` is None if the PMS ignores declarations and sends all records with all fields.
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
    """Return whether a room move is sent as GO and GI, and not as GC with the old room (RO)."""
    if faults.move_as_go_gi or faults.move_as_gi_go:
        return True
    return declared is not None and "RO" not in declared.get("GC", ())


def build_record(record_id: str, fields: Iterable[Field]) -> Record:
    """Build a record of any fields, even of values that FIAS does not allow."""
    return Record(BAR.join([record_id, *(code + value for code, value in fields)]) + BAR)


def encode_text(record_id: str, fields: Iterable[Field], faults: Faults, rng: Random) -> str:
    """Encode a record as text, with these faults applied."""
    encoded = [(code, _distort_value(code, value, faults)) for code, value in fields]
    if faults.unknown_field:
        encoded.append(_UNKNOWN_FIELD)
    if faults.shuffled:
        groups = _group_fields(encoded)
        rng.shuffle(groups)
        encoded = [field for group in groups for field in group]
    if faults.oversize and record_id == "GI":
        encoded = _pad_name(encoded, faults.oversize)
    text = build_record(record_id, encoded).text
    return text.removesuffix(BAR) if faults.no_last_bar else text


def encode_frame(text: str, faults: Faults) -> bytes:
    """Encode a record's text in the character set and the framing of the faults.

    A character that is not in the character set becomes a question mark.
    """
    text_bytes = text.encode(faults.charset, "replace")
    if faults.framing == "crlf":
        return framed(text_bytes, "crlf")
    trailer = {"": b"", "ack": b"\x06", "lrc": lrc(text_bytes), "crlf": b"\r\n"}[faults.trailer]
    return framed(text_bytes, "stx-etx") + trailer


def lrc(text: bytes) -> bytes:
    """Compute the check byte of the serial line: XOR over all bytes after STX, ETX included."""
    return bytes([reduce(xor, text + ETX, 0)])


def _split_move(move: Record) -> tuple[Record, Record]:
    """Split a room move (RN GS G# …, RO GS …) into GO and GI."""
    old_room = next(at for at, (code, _) in enumerate(move.fields) if code == "RO")
    room, new_share, number, *person = move.fields[:old_room]
    (_, vacated), old_share, *stamp = move.fields[old_room:]
    return (
        build_record("GO", [("RN", vacated), number, old_share, *stamp]),
        build_record("GI", [room, number, new_share, *person, *stamp]),
    )


def _select_declared(fields: Iterable[Field], codes: tuple[str, ...]) -> list[Field]:
    """Select the declared fields in declared order; in a room move each GS stays after its room."""
    positions = {code: index for index, code in enumerate(codes)}
    selected = [(code, value) for code, value in fields if code in positions]
    groups = _group_fields(selected)
    groups.sort(key=lambda group: positions[group[0][0]])
    return [field for group in groups for field in group]


def _missing_fields(record: Record, codes: tuple[str, ...], faults: Faults) -> list[Field]:
    # An empty field of GC deletes the value, and the presence of SF alone marks a resync.
    if not faults.empty_fields or record.id == "GC":
        return []
    return [(code, "") for code in codes if code not in record and code != "SF"]


def _group_fields(fields: list[Field]) -> list[list[Field]]:
    """Group fields one by one; if GS occurs twice, each GS is grouped with the field before it."""
    has_two_shares = sum(code == "GS" for code, _ in fields) > 1
    groups: list[list[Field]] = []
    for code, value in fields:
        if has_two_shares and code == "GS" and groups:
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
