"""What a PBX says of itself between LD and LA: what it wants to know, and which records it uses."""

from __future__ import annotations

from attrs import define, field

from pmslink.fias.link_description import parse_declaration
from pmslink.fias.record import Field, Record

MAX_DECLARED_RECORDS = 100
"""More record types than any PBX declares."""

_CONFIGURATION_FIELDS = {
    1: ("RP", "CA,VI"),
    4: ("A1", "1.0"),
    16: ("A2", "8.14"),
    32: ("A3", "8.14"),
    128: ("A0", "0"),
}
"""What LC tells for each bit of RT in LD."""


@define
class Declaration:
    """Begun by LD, then filled by each LR."""

    requested_bits: int = 0
    """RT of LD, a bit mask."""
    records: dict[str, tuple[str, ...]] = field(factory=dict)
    """Record ids to field codes."""

    @classmethod
    def from_ld(cls, ld: Record) -> Declaration:
        """An empty declaration; an RT that is no number asks for nothing."""
        asked = ld.get("RT") or ""
        return cls(int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 5 else 0)

    def add(self, lr: Record) -> None:
        """Take what an LR declares, if it is readable."""
        declared = parse_declaration(lr)
        if declared and len(self.records) < MAX_DECLARED_RECORDS:
            id, codes = declared
            self.records[id] = codes

    def configuration_fields(self) -> list[Field]:
        """The fields of LC; none if LD did not ask. The hotel's name always comes with the rest."""
        told = [field for bit, field in _CONFIGURATION_FIELDS.items() if self.requested_bits & bit]
        return [*told, ("PH", "pmssim")] if self.requested_bits else []
