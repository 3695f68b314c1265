"""How a PBX describes itself to the PMS: LD, an LR for each record it uses, LA.

The PMS sends only the records and fields that an LR declares, so this list decides what a link can do.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pmslink.fias.field_values import date_time_fields
from pmslink.fias.record import Record, build_record

DECLARED_FIELDS: dict[str, str] = {
    "GI": "RNG#GSGNGFGTGLGVGGGAGDCSSFDATI",
    "GO": "RNG#GSSFDATI",
    "GC": "RNG#GSGNGFGTGLGVGGGAGDCSRODATI",
    "RE": "RNCSDNMLRSVM",
    "WR": "RNDATI",
    "WC": "RNDATI",
    "WA": "RNDATIAS",
    "PS": "RNPTTADDDUDATIP#PCCTMAM#MPSO",
    "PA": "RNASP#DATICT",
    "NS": "DATI",
    "NE": "DATI",
}
"""Record id to its field codes glued together, as FL carries them; a link may override single ones.

DA and TI of a guest's records tell one that is repeated from a new one that says the same.
"""


def declared_fields(overrides: Mapping[str, str]) -> dict[str, str]:
    """What a link declares: the common set, with the link's own lists in their places or behind it."""
    return {**DECLARED_FIELDS, **overrides}


def build_description(overrides: Mapping[str, str], version: str, now: datetime) -> list[Record]:
    """LD, the LRs and LA, to be sent back to back and in this order."""
    return [
        build_record("LD", [*date_time_fields(now), ("V#", version[:10]), ("IF", "PB")]),
        *(
            build_record("LR", [("RI", id), ("FL", codes)])
            for id, codes in declared_fields(overrides).items()
        ),
        build_record("LA", date_time_fields(now)),
    ]


def parse_declaration(record: Record) -> tuple[str, tuple[str, ...]] | None:
    """An LR's record id and field codes; None when it declares nothing readable.

    One PMS emulator's own LRs say ``RT`` for ``RI`` and give the codes as fields; that is taken too.
    """
    id = record.get("RI") or record.get("RT")
    if not id:
        return None
    glued = record.get("FL")
    if glued is None:
        return id, tuple(code for code, _ in record.fields if code not in ("RI", "RT"))
    return id, tuple(glued[at : at + 2] for at in range(0, len(glued) - 1, 2))
