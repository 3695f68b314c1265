"""The link description of a PBX, sent between LD and LA: requested configuration, and declared records."""

from __future__ import annotations

from attrs import define, field

from pmslink.fias.link_description import parse_declaration
from pmslink.fias.record import Field, Record

MAX_DECLARED_RECORDS = 100
"""Limit of declared record types; no PBX declares so many."""

_CONFIGURATION_FIELDS = {
    1: ("RP", "CA,VI"),
    4: ("A1", "1.0"),
    16: ("A2", "8.14"),
    32: ("A3", "8.14"),
    128: ("A0", "0"),
}
"""The field of LC for each bit of RT in LD."""


@define
class Declaration:
    """The link description of one PBX: created by LD, extended by each LR."""

    requested_bits: int = 0
    """RT of LD, a bit mask."""
    records: dict[str, tuple[str, ...]] = field(factory=dict)
    """Record ids to field codes."""

    @classmethod
    def from_ld(cls, ld: Record) -> Declaration:
        """Create an empty declaration from LD; an RT that is not a number requests nothing."""
        bits = ld.get("RT") or ""
        return cls(int(bits) if bits.isascii() and bits.isdigit() and len(bits) < 5 else 0)

    def add(self, lr: Record) -> None:
        """Add the record type that an LR declares; an invalid LR is ignored."""
        declared = parse_declaration(lr)
        if declared and len(self.records) < MAX_DECLARED_RECORDS:
            record_id, codes = declared
            self.records[record_id] = codes

    def configuration_fields(self) -> list[Field]:
        """Return the fields of LC: those that LD requested, and the hotel's name; empty without a request."""
        requested = [field for bit, field in _CONFIGURATION_FIELDS.items() if self.requested_bits & bit]
        return [*requested, ("PH", "pmssim")] if self.requested_bits else []
