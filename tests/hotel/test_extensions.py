"""Which extensions a room has, and whose room an extension is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmslink.hotel.extensions import Extensions

STRIPPED = [("7101", ("101",)), ("77", ("7",)), ("7", ()), ("101", ()), ("", ())]
TABLE = Extensions("table", table={"101": ("7101", "7301"), "102": ("7102",), "103": ("7301",)})


def test_extensions_may_be_numbered_as_the_rooms() -> None:
    same = Extensions()
    assert same.of("0101") == same.rooms("0101") == ("0101",)
    assert same.of("") == same.rooms("") == ()


def test_a_prefix_may_be_put_before_the_room() -> None:
    prefix = Extensions("prefix", "*7")
    assert prefix.of("101") == ("*7101",)
    assert prefix.of("") == ()
    assert prefix.rooms("*7101") == ("101",)
    assert prefix.rooms("*7") == prefix.rooms("101") == prefix.rooms("") == ()


@pytest.mark.parametrize(("room", "found"), STRIPPED)
def test_a_prefix_may_be_taken_away_from_the_room(room: str, found: tuple[str, ...]) -> None:
    assert Extensions("strip", "7").of(room) == found


def test_a_prefix_that_was_taken_away_is_put_back() -> None:
    strip = Extensions("strip", "7")
    assert strip.rooms("101") == ("7101",)
    assert strip.rooms("") == ()


def test_a_table_may_say_it() -> None:
    assert TABLE.of("101") == ("7101", "7301")
    assert TABLE.of("999") == TABLE.of("") == ()
    assert TABLE.rooms("7301") == ("101", "103")
    assert TABLE.rooms("101") == TABLE.rooms("") == ()


NUMBERS = st.text("07*", max_size=4)
ANY = st.one_of(
    st.builds(Extensions, st.sampled_from(["same", "prefix", "strip"]), st.text("07*", max_size=2)),
    st.builds(
        Extensions,
        st.just("table"),
        table=st.dictionaries(NUMBERS, st.lists(NUMBERS, min_size=1, max_size=3), max_size=5),
    ),
)


@settings(deadline=None)
@given(ANY, NUMBERS, NUMBERS)
def test_a_room_has_an_extension_just_when_the_extension_has_the_room(
    extensions: Extensions, room: str, extension: str
) -> None:
    assert (extension in extensions.of(room)) == (room in extensions.rooms(extension))
    assert all(room in extensions.rooms(one) for one in extensions.of(room))
    assert all(extension in extensions.of(one) for one in extensions.rooms(extension))
