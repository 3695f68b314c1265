"""Masking of personal data in records."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmslink.fias.catalog import FIELDS, GUEST_FIELDS, RECORDS
from pmslink.fias.record import Record
from pmslink.fias.record_redaction import MASK, mask_record


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("GI|RN101|G#5|GNAdams|GFBen|GTProf|GLEN|", "GI|RN101|G#5|GN•••|GF•••|GT•••|GLEN|"),
        ("GC|RN101|G#5|GV1|A0ben@example|A9x|", "GC|RN101|G#5|GV1|A0•••|A9•••|"),
        ("XL|RN101|G#5|MTYour taxi waits|MI7", "XL|RN101|G#5|MT•••|MI7|"),
        ("PR|RN101|P#7|PISmith|$24111=1226|TI070000|", "PR|RN101|P#7|PI•••|$2•••|TI070000|"),
        ("PS|RN101|DD491234|TA250|CTWhisky|", "PS|RN101|DD•••|TA250|CT•••|"),
        ("LO|G#5|CTin the bar|", "LO|G#5|CT•••|"),
        ("PA|RN101|ASNA|CTNo such room|", "PA|RN101|ASNA|CTNo such room|"),
        ("GI|GN|GN|", "GI|GN|GN|"),  # an empty name is not masked
        ("GI|RN1|ZZSmith|X|", "GI|RN1|ZZ•••|X|"),  # not a field of FIAS
        ("ZZ|RN1|GNSmith|", "•••|RN1|GN•••|"),  # not a record of FIAS
        ("Smith", "•••|"),
        ("", "•••|"),
    ],
)  # fmt: skip
def test_personal_data_is_masked(text: str, masked: str) -> None:
    assert mask_record(Record(text)).text == masked


def test_a_record_without_personal_data_is_unchanged() -> None:
    for text in ("LS|DA261120|TI070000", "RE|RN101|CS1|ML1|", "GO|RN101|G#5|"):
        record = Record(text)
        assert mask_record(record) is record


def test_the_guest_fields_are_in_the_catalog() -> None:
    assert FIELDS.keys() >= GUEST_FIELDS


@given(
    st.sampled_from([*RECORDS, "ZZ"]),
    st.lists(st.sampled_from([*FIELDS, "ZZ"]), max_size=8),
    st.text("abc", min_size=1),
)
def test_masking_changes_only_values(id: str, codes: list[str], value: str) -> None:
    record = Record("|".join([id, *(code + value for code in codes)]))
    masked = mask_record(record)
    assert [code for code, _ in masked.fields] == codes
    assert all(
        masked_value == (MASK if code in GUEST_FIELDS else value) or masked_value == MASK
        for code, masked_value in masked.fields
    )
    assert mask_record(masked).text == masked.text
