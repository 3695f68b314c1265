"""Whether two names are those of one guest."""

from __future__ import annotations

import pytest

from pmslink.hotel.guest_names import is_same_guest
from pmslink.hotel.rooms import Guest


@pytest.mark.parametrize(
    ("by_hand", "of_pms", "same"),
    [
        (("Müller", None), ("MULLER", None), True),
        (("Anna Müller", None), ("Müller", "Anna"), True),
        (("Müller, Anna", None), ("Muller", "Anna Maria"), True),
        (("Müller", "Anna"), ("Muller", None), True),
        (("王小明", None), ("王小明", None), True),
        (("Straße", None), ("STRASSE", None), True),
        ((None, None), ("Anybody", None), False),
        ((None, None), (None, None), False),
        ((".", None), ("Anybody", None), False),
        ((".", None), (".", None), False),
        (("-", "Anna"), ("Müller", "Anna"), True),
        (("Müller", None), ("Möller", None), False),
        (("Müller", "Anna"), ("Müller", "Bernd"), False),
        (("Müller", None), ("Müllerschön", None), False),
        (("Müller", None), (None, None), False),
        (("Müller", None), (" - ", None), False),
    ],
)
def test_names(
    by_hand: tuple[str | None, str | None], of_pms: tuple[str | None, str | None], same: bool
) -> None:
    first = Guest(name=by_hand[0], first_name=by_hand[1])
    assert is_same_guest(first, Guest(name=of_pms[0], first_name=of_pms[1])) is same
