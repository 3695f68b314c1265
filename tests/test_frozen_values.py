"""Changed copies of frozen attrs values."""

from __future__ import annotations

import pytest

from pmslink.frozen_values import evolve
from pmslink.hotel.rooms import Guest, Room


def test_a_change_makes_a_copy() -> None:
    room = Room("101", class_of_service=2)
    assert evolve(room, class_of_service=3, message_light=True) == Room("101", (), 3, False, True)
    assert room == Room("101", class_of_service=2)


def test_a_value_that_does_not_change_is_not_copied() -> None:
    room = Room("101", (Guest("7"),), 2)
    assert evolve(room, class_of_service=2, guests=(Guest("7"),)) is room


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(AttributeError):
        evolve(Room("101"), floor=1)
