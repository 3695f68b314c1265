"""The mapping of rooms to extensions, and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmslink.hotel.extensions import ExtensionMapping

STRIPPED = [("7101", ("101",)), ("77", ("7",)), ("7", ()), ("101", ()), ("", ())]
TABLE = ExtensionMapping("table", table={"101": ("7101", "7301"), "102": ("7102",), "103": ("7301",)})


def test_an_extension_can_equal_the_room() -> None:
    same = ExtensionMapping()
    assert same.extensions_of_room("0101") == same.rooms_of_extension("0101") == ("0101",)
    assert same.extensions_of_room("") == same.rooms_of_extension("") == ()


def test_a_prefix_can_be_added_to_the_room() -> None:
    prefix = ExtensionMapping("prefix", "*7")
    assert prefix.extensions_of_room("101") == ("*7101",)
    assert prefix.extensions_of_room("") == ()
    assert prefix.rooms_of_extension("*7101") == ("101",)
    assert (
        prefix.rooms_of_extension("*7")
        == prefix.rooms_of_extension("101")
        == prefix.rooms_of_extension("")
        == ()
    )


@pytest.mark.parametrize(("room", "found"), STRIPPED)
def test_a_prefix_can_be_removed_from_the_room(room: str, found: tuple[str, ...]) -> None:
    assert ExtensionMapping("strip", "7").extensions_of_room(room) == found


def test_a_removed_prefix_is_added_to_find_the_room() -> None:
    strip = ExtensionMapping("strip", "7")
    assert strip.rooms_of_extension("101") == ("7101",)
    assert strip.rooms_of_extension("") == ()


def test_a_table_can_map_rooms_to_extensions() -> None:
    assert TABLE.extensions_of_room("101") == ("7101", "7301")
    assert TABLE.extensions_of_room("999") == TABLE.extensions_of_room("") == ()
    assert TABLE.rooms_of_extension("7301") == ("101", "103")
    assert TABLE.rooms_of_extension("101") == TABLE.rooms_of_extension("") == ()


NUMBERS = st.text("07*", max_size=4)
ANY = st.one_of(
    st.builds(ExtensionMapping, st.sampled_from(["same", "prefix", "strip"]), st.text("07*", max_size=2)),
    st.builds(
        ExtensionMapping,
        st.just("table"),
        table=st.dictionaries(NUMBERS, st.lists(NUMBERS, min_size=1, max_size=3), max_size=5),
    ),
)


@given(ANY, NUMBERS, NUMBERS)
def test_the_mapping_from_extensions_to_rooms_is_the_inverse(
    extensions: ExtensionMapping, room: str, extension: str
) -> None:
    assert (extension in extensions.extensions_of_room(room)) == (
        room in extensions.rooms_of_extension(extension)
    )
    assert all(room in extensions.rooms_of_extension(one) for one in extensions.extensions_of_room(room))
    assert all(
        extension in extensions.extensions_of_room(one) for one in extensions.rooms_of_extension(extension)
    )
