"""The link description that a PBX sends to the PMS: LD, an LR for each record type it uses, LA.

The PMS sends only the records and fields that an LR declares, so they decide what a link can do.
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
"""Field codes by record id, without separators, as in FL. A link can override single records.

DA and TI of guest records distinguish a repeated record from a new one with the same text.
"""


def declared_fields(overrides: Mapping[str, str]) -> dict[str, str]:
    """Merge a link's overrides into the common declaration: replace a record's fields, or add a record.

    A record whose override is empty is left out.
    """
    return {record_id: codes for record_id, codes in {**DECLARED_FIELDS, **overrides}.items() if codes}


def build_description(overrides: Mapping[str, str], version: str, now: datetime) -> list[Record]:
    """Build LD, the LRs and LA, to be sent without a pause and in this order."""
    return [
        build_record("LD", [*date_time_fields(now), ("V#", version[:10]), ("IF", "PB")]),
        *(
            build_record("LR", [("RI", record_id), ("FL", codes)])
            for record_id, codes in declared_fields(overrides).items()
        ),
        build_record("LA", date_time_fields(now)),
    ]


def parse_declaration(record: Record) -> tuple[str, tuple[str, ...]] | None:
    """Parse an LR's record id and field codes; None if it names no record.

    The LRs of one PMS emulator have ``RT`` in place of ``RI`` and the codes as fields, which is accepted too.
    """
    record_id = record.get("RI") or record.get("RT")
    if not record_id:
        return None
    field_list = record.get("FL")
    if field_list is None:
        return record_id, tuple(code for code, _ in record.fields if code not in ("RI", "RT"))
    return record_id, split_codes(field_list)


def split_codes(field_list: str) -> tuple[str, ...]:
    """Split the concatenated field codes of an FL."""
    return tuple(field_list[at : at + 2] for at in range(0, len(field_list) - 1, 2))
