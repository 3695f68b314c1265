"""Any guests whom a PMS has in rooms with guests by hand, in any order, with any GS, named or not."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pmslink.hotel.guest_names import is_named, is_same_guest
from pmslink.hotel.manual_changes import Outcome
from pmslink.hotel.rooms import Guest
from tests.hotel.hotel_driver import HotelDriver
from tests.hotel.test_any_record import assert_consistent

DAY_S = 24 * 3600
ROOMS = ("101", "102")
NAMES = ("Jones", "Smith", "Day", "", " . ")
HAND_NAMES = ("Smith", "Day", ".")

guests_of_pms = st.lists(
    st.tuples(st.sampled_from(ROOMS), st.sampled_from(NAMES), st.sampled_from(["GSY|", "GSN|", ""])),
    max_size=5,
    unique_by=lambda guest: (guest[0], guest[1].strip(" .") or object()),
)


def expected_outcome(by_hand: Guest, of_pms: list[Guest]) -> Outcome:
    """What the comparison has to find, by the rule of the front desk."""
    if any(is_same_guest(by_hand, guest) for guest in of_pms):
        return "agreed"
    return "overruled" if any(map(is_named, of_pms)) else "differs"


@settings(max_examples=200, deadline=None, derandomize=True)
@given(data=st.data())
def test_the_outcome_depends_on_who_is_there_not_on_the_order(data: st.DataObject) -> None:
    hotel = HotelDriver()
    hotel.receive("GI|RN109|G#100|GSN|GNAdams|")
    hotel.wait(5)
    by_hand = {room: data.draw(st.sampled_from(HAND_NAMES), f"by hand in {room}") for room in ROOMS}
    for room, name in by_hand.items():
        hotel.check_in_by_hand(room, name)
        hotel.receive(f"WR|RN{room}|DA260105|TI070000|")
    hotel.wait(5)
    present = data.draw(guests_of_pms, "at the PMS")
    records = [
        f"GI|RN{room}|G#{number}|GN{name}|{share}SF|" for number, (room, name, share) in enumerate(present, 1)
    ]
    records = [*data.draw(st.permutations([*records, "GI|RN109|G#100|GSN|GNAdams|SF|"]), "order")]
    hotel.receive_in_new_session("DS|", *records, "DE|")
    assert_consistent(hotel)
    outcomes = {change.room: change.outcome for change in hotel.state.manual.by_id.values()}
    for room, name in by_hand.items():
        of_pms = [Guest(name=one[1]) for one in present if one[0] == room]
        assert outcomes[room] == expected_outcome(Guest(name=name), of_pms)
        assert bool(hotel.room(room).wake_ups) == (outcomes[room] != "overruled")
    for change in hotel.state.manual.open:
        if data.draw(st.booleans(), f"take {change.room}"):
            hotel.take(change.id)
    hotel.wait(DAY_S + 5)
    assert_consistent(hotel)
    assert {room: {*hotel.guests(room)} for room in ROOMS} == {
        room: {str(number) for number, one in enumerate(present, 1) if one[0] == room} for room in ROOMS
    }


live_records = st.lists(
    st.sampled_from(
        [
            f"{place}{share}{guest}{name}"
            for place, guest in (
                ("GI|RN101|", "G#6|"),
                ("GI|RN101|", "G#7|"),
                ("GC|RN101|", "G#6|RO103|"),
                ("GI|RN102|", "G#8|"),
            )
            for name in ("GNBaker|", "GN|", "")
            for share in ("GSN|", "GSY|", "")
        ]
        + ["GO|RN101|G#6|GSY|", "GO|RN101|G#7|GSN|", "GC|RN101|G#1|GNAdams|"]
    ),
    max_size=5,
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(data=st.data())
def test_no_room_is_that_of_a_guest_by_hand_while_the_pms_has_somebody_else_there(
    data: st.DataObject,
) -> None:
    """So that no charge of that guest goes there: after each record, kept or not."""
    hotel = HotelDriver()
    hotel.receive("GI|RN101|G#1|GSN|GNAdams|", "GI|RN109|G#100|GSN|GNHill|")
    hotel.wait(5)
    if data.draw(st.booleans(), "moved"):
        hotel.move_by_hand("101", "102")
    else:
        hotel.check_out_by_hand("101")
    hotel.receive_in_new_session("DS|", "GI|RN101|G#1|GNAdams|SF|", "GI|RN109|G#100|GNHill|SF|", "DE|")
    (change,) = hotel.state.manual.open
    if data.draw(st.booleans(), "kept"):
        hotel.keep(change.id)
    alone = ""  # who has come into the room alone, as the PMS says
    for record in data.draw(live_records, "records"):
        hotel.receive(record)
        hotel.wait(data.draw(st.sampled_from([0, 3]), "then"))
        assert_consistent(hotel)
        if record.startswith(("GI|RN101|GSN|", "GC|RN101|GSN|")):
            alone = record
        (after,) = hotel.state.manual.by_id.values()
        if not after.is_open:
            break
        assert after.pms_room is None or not alone
