"""Where a charge goes: to its guest, to its room, or to nobody."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pytest

from pmslink.hotel.charge_destination import (
    GUEST_LEFT_REASON,
    VACANT_THEN_REASON,
    find_destination,
    refusal_reason,
)

ANNA, BERT, CARL = "1", "2", "3"


@pytest.mark.parametrize(
    ("guests", "room_by_guest", "occupants", "destination"),
    [
        # known guests
        ([ANNA], {ANNA: "101"}, {ANNA}, "101"),
        ([ANNA], {ANNA: "101"}, {ANNA, BERT}, "101"),
        ([ANNA], {ANNA: "102"}, set(), "102"),
        ([ANNA], {ANNA: "102"}, {BERT}, "102"),
        ([ANNA, BERT], {ANNA: "102", BERT: "101"}, {BERT}, "101"),
        ([ANNA, BERT], {ANNA: "102", BERT: "103"}, {CARL}, "102"),
        ([ANNA, BERT], {BERT: "103"}, {CARL}, "103"),
        # all of them have left
        ([ANNA], {}, set(), "101"),
        ([ANNA], {}, {BERT}, None),
        ([ANNA, BERT], {}, {CARL}, None),
        # the room was vacant
        ([], {}, set(), "101"),
        ([], {}, {BERT}, None),
        # nothing is known
        (None, {}, set(), "101"),
        (None, {}, {BERT}, "101"),
    ],
)
def test_a_charge_goes_to_its_guest_and_never_to_another(
    guests: Sequence[str] | None,
    room_by_guest: Mapping[str, str],
    occupants: Collection[str],
    destination: str | None,
) -> None:
    assert find_destination("101", guests, room_by_guest, occupants) == destination


def test_the_text_says_whether_a_guest_or_nobody_was_in_the_room() -> None:
    assert refusal_reason([ANNA]) == GUEST_LEFT_REASON
    assert refusal_reason([]) == VACANT_THEN_REASON
