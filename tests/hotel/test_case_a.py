"""Cases A1 to A11: who is where. Within a window of two seconds the order of GI, GO and GC has no meaning."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import permutations

import pytest

from pmslink.hotel.events import Event
from pmslink.hotel.phone_update_records import PhoneUpdate, dnd_update, make_up_room_update
from pmslink.hotel.rooms import Room
from tests.hotel.hotel_driver import HotelDriver

SIX, SEVEN = "DA301201|TI060000|", "DA301201|TI070000|"
TOMORROW_AT_FOUR = datetime.fromisoformat("2026-01-02T04:00")


class Hotel(HotelDriver):
    """A hotel that collects the events of a test, and describes its rooms in lines."""

    def __init__(self, *texts: str) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.events: list[Event] = []
        self.receive(*texts)
        self.wait(60)
        self.lines.clear()
        self.events.clear()

    def _collect(self) -> list[str]:
        lines = super()._collect()
        self.lines += lines
        self.events += [event for event in self.emitted if isinstance(event, Event)]
        return lines

    def dial(self, update: PhoneUpdate | None) -> None:
        """Apply what a phone has dialled."""
        if update is not None:
            self.apply_phone_update(update)

    def lines_of(self, *event_types: str) -> list[str]:
        return [line for line in self.lines if line.startswith(event_types)]

    def describe(self, *rooms: str) -> list[str]:
        """Describe rooms: guests, class of service, lights and wake-ups."""
        return [self._describe(self.state.rooms.get(name, Room(name))) for name in rooms]

    @staticmethod
    def _describe(room: Room) -> str:
        words = [room.room, *(f"#{number}" for number in sorted(guest.number for guest in room.guests))]
        words += [] if room.class_of_service is None else [f"CS{room.class_of_service}"]
        words += ["light"] * room.message_light + ["dnd"] * room.do_not_disturb
        return " ".join([*words, *(f"{wake_up.at:%H:%M}" for wake_up in room.wake_ups)])


def received_in_any_order(before: Iterable[str], records: Sequence[str]) -> Iterable[tuple[Hotel, str]]:
    """Yield hotels that have received the records in each order, with the order as text."""
    for order in permutations(records):
        hotel = Hotel(*before)
        hotel.receive(*order)
        yield hotel, "\n".join(order)


def assert_moved_only(hotel: Hotel, order: str, *moves: str) -> None:
    """Assert that the guests moved once each, and that nobody left or came and no wake-up ended."""
    hotel.wait(10)
    moved = sorted(line.replace(" vacant", "") for line in hotel.lines_of("guest."))
    assert moved == sorted(f"guest.moved {move}" for move in moves), order
    assert hotel.lines_of("wake_up.") == [], order


# A1 and A2: guests exchange their rooms.

ANNA_AND_BERT = ["GI|RN110|G#1|GSN|GNAnna|CS2|", "GI|RN215|G#2|GSN|GNBert|CS3|"]
THEIR_ORDERS = [f"WR|RN110|{SIX}", f"WR|RN215|{SEVEN}", "RE|RN215|MLY|"]
EXCHANGE_IN_PAIRS = [
    "GI|RN215|G#1|GSN|GNAnna|CS2|",
    "GI|RN110|G#2|GSN|GNBert|CS3|",
    "GO|RN110|G#1|GSN|",
    "GO|RN215|G#2|GSN|",
]
EXCHANGES = {
    "pairs": EXCHANGE_IN_PAIRS,
    "pairs without class": [record.replace("CS2|", "").replace("CS3|", "") for record in EXCHANGE_IN_PAIRS],
    "pairs after one another": [
        "GI|RN215|G#1|GSY|GNAnna|",
        "GO|RN110|G#1|GSN|",
        "GI|RN110|G#2|GSN|GNBert|",
        "GO|RN215|G#2|GSY|",
    ],
    "pairs with the state at the end": [
        "GO|RN110|G#1|GSY|",
        "GO|RN215|G#2|GSY|",
        "GI|RN215|G#1|GSN|GNAnna|",
        "GI|RN110|G#2|GSN|GNBert|",
    ],
    "check-ins": EXCHANGE_IN_PAIRS[:2],
    "changes after one another": ["GC|RN215|GSY|G#1|RO110|GSN|", "GC|RN110|GSN|G#2|RO215|GSY|"],
    "changes with the state at the end": ["GC|RN215|GSN|G#1|RO110|GSY|", "GC|RN110|GSN|G#2|RO215|GSY|"],
    "changes with GS N": ["GC|RN215|GSN|G#1|RO110|GSN|", "GC|RN110|GSN|G#2|RO215|GSN|"],
    "a pair and a change": [
        "GO|RN110|G#1|GSN|",
        "GI|RN215|G#1|GSY|GNAnna|",
        "GC|RN110|GSN|G#2|RO215|GSY|",
    ],
}


@pytest.mark.parametrize("way", EXCHANGES)
def test_a1_two_guests_exchange_their_rooms(way: str) -> None:
    for hotel, order in received_in_any_order(ANNA_AND_BERT, EXCHANGES[way]):
        assert_moved_only(hotel, order, "215 #1 from 110", "110 #2 from 215")
        assert hotel.describe("110", "215") == ["110 #2 CS3", "215 #1 CS2"], order
        assert [hotel.room(name).guests[0].name for name in ("110", "215")] == ["Bert", "Anna"]


@pytest.mark.parametrize("way", EXCHANGES)
def test_a2_wake_ups_and_lights_of_two_guests_exchange_rooms_too(way: str) -> None:
    for hotel, order in received_in_any_order([*ANNA_AND_BERT, *THEIR_ORDERS], EXCHANGES[way]):
        assert_moved_only(hotel, order, "215 #1 from 110", "110 #2 from 215")
        assert hotel.describe("110", "215") == ["110 #2 CS3 light 07:00", "215 #1 CS2 06:00"], order


def test_a2_a_resync_can_be_first_to_say_that_two_guests_exchanged_their_rooms() -> None:
    hotel = Hotel(*ANNA_AND_BERT, *THEIR_ORDERS)
    hotel.receive("DS|", "GI|RN110|G#2|GSN|GNBert|SF|", "GI|RN215|G#1|GSN|GNAnna|SF|", "DE|")
    assert_moved_only(hotel, "", "215 #1 from 110 (resync)", "110 #2 from 215 (resync)")
    assert hotel.describe("110", "215") == ["110 #2 CS3 light 07:00", "215 #1 CS2 06:00"]


@pytest.mark.parametrize("way", ["pairs", "check-ins"])
def test_three_guests_can_exchange_rooms_in_a_ring(way: str) -> None:
    before = [f"GI|RN10{n}|G#{n}|GSN|GNN{n}|CS{n}|" for n in (1, 2, 3)]
    before += [f"WR|RN10{n}|DA301201|TI0{n}0000|" for n in (1, 2, 3)] + ["RE|RN102|MLY|"]
    check_ins = [f"GI|RN10{n % 3 + 1}|G#{n}|GSN|GNN{n}|" for n in (1, 2, 3)]
    check_outs = [f"GO|RN10{n}|G#{n}|GSN|" for n in (1, 2, 3)] if way == "pairs" else []
    for hotel, order in received_in_any_order(before, check_ins + check_outs):
        assert_moved_only(hotel, order, "102 #1 from 101", "103 #2 from 102", "101 #3 from 103")
        assert hotel.describe("101", "102", "103") == [
            "101 #3 CS3 03:00",
            "102 #1 CS1 01:00",
            "103 #2 CS2 light 02:00",
        ], order


def test_two_couples_can_exchange_their_rooms() -> None:
    before = [
        *("GI|RN101|G#1|GSN|GNA|CS2|", "GI|RN101|G#2|GSY|GNB|", "RE|RN101|MLY|", f"WR|RN101|{SIX}"),
        *("GI|RN102|G#3|GSN|GNC|CS3|", "GI|RN102|G#4|GSY|GND|", f"WR|RN102|{SEVEN}"),
    ]
    exchange = [
        *("GC|RN102|GSY|G#1|RO101|GSY|", "GC|RN102|GSY|G#2|RO101|GSN|"),
        *("GC|RN101|GSN|G#3|RO102|GSY|", "GC|RN101|GSY|G#4|RO102|GSY|"),
    ]
    for hotel, order in received_in_any_order(before, exchange):
        moves = ["102 #1 from 101", "102 #2 from 101", "101 #3 from 102", "101 #4 from 102"]
        assert_moved_only(hotel, order, *moves)
        assert hotel.describe("101", "102") == ["101 #3 #4 CS3 07:00", "102 #1 #2 CS2 light 06:00"], order


# A3: guests who share a room move.

COUPLE = ["GI|RN101|G#1|GSN|GNAnna|CS2|", "GI|RN101|G#2|GSY|GNBert|", "RE|RN101|MLY|", f"WR|RN101|{SIX}"]
COUPLE_MOVES = {
    "changes": ["GC|RN102|GSN|G#1|RO101|GSY|", "GC|RN102|GSY|G#2|RO101|GSN|"],
    "pairs": [
        "GO|RN101|G#1|GSY|",
        "GO|RN101|G#2|GSN|",
        "GI|RN102|G#1|GSN|GNAnna|",
        "GI|RN102|G#2|GSY|GNBert|",
    ],
    "pairs with class": [
        "GO|RN101|G#1|GSY|",
        "GO|RN101|G#2|GSN|",
        "GI|RN102|G#1|GSN|GNAnna|CS2|",
        "GI|RN102|G#2|GSY|GNBert|",
    ],
    "pairs with the state at the end": [
        "GO|RN101|G#1|GSN|",
        "GO|RN101|G#2|GSN|",
        "GI|RN102|G#1|GSY|GNAnna|",
        "GI|RN102|G#2|GSY|GNBert|",
    ],
    "check-ins": ["GI|RN102|G#1|GSN|GNAnna|", "GI|RN102|G#2|GSY|GNBert|"],
    "a change and a pair": ["GC|RN102|GSN|G#1|RO101|GSY|", "GO|RN101|G#2|GSN|", "GI|RN102|G#2|GSY|GNBert|"],
}


@pytest.mark.parametrize("way", COUPLE_MOVES)
def test_a3_what_belongs_to_a_couple_moves_with_it(way: str) -> None:
    for hotel, order in received_in_any_order(COUPLE, COUPLE_MOVES[way]):
        assert_moved_only(hotel, order, "102 #1 from 101", "102 #2 from 101")
        assert hotel.describe("101", "102") == ["101", "102 #1 #2 CS2 light 06:00"], order


@pytest.mark.parametrize("flags", [("GSN", "GSY"), ("GSY", "GSY"), ("GSY", "GSN")])
def test_a3_a_resync_can_be_first_to_say_that_a_couple_moved(flags: tuple[str, str]) -> None:
    records = [
        f"GI|RN102|G#1|{flags[0]}|GNAnna|SF|",
        f"GI|RN102|G#2|{flags[1]}|GNBert|SF|",
        "GO|RN101|GSN|SF|",
    ]
    for order in permutations(records):
        hotel = Hotel(*COUPLE)
        hotel.receive("DS|", *order, "DE|")
        assert_moved_only(hotel, str(order), "102 #1 from 101 (resync)", "102 #2 from 101 (resync)")
        assert hotel.describe("101", "102") == ["101", "102 #1 #2 CS2 light 06:00"], order


def test_a_couple_takes_its_wake_ups_and_no_lights_to_others() -> None:
    before = [*COUPLE, "GI|RN102|G#9|GSN|GNNina|CS3|", f"WR|RN102|{SEVEN}"]
    joins = ["GC|RN102|GSY|G#1|RO101|GSY|", "GC|RN102|GSY|G#2|RO101|GSN|"]
    for hotel, order in received_in_any_order(before, joins):
        assert_moved_only(hotel, order, "102 #1 from 101", "102 #2 from 101")
        assert hotel.describe("101", "102") == ["101", "102 #1 #2 #9 CS3 06:00 07:00"], order


@pytest.mark.parametrize("way", ["change", "pair", "check-in"])
def test_what_belongs_to_a_couple_stays_with_the_one_who_stays(way: str) -> None:
    records = {
        "change": ["GC|RN102|GSN|G#1|RO101|GSY|"],
        "pair": ["GO|RN101|G#1|GSY|", "GI|RN102|G#1|GSN|GNAnna|"],
        "check-in": ["GI|RN102|G#1|GSN|GNAnna|"],
    }[way]
    for hotel, order in received_in_any_order(COUPLE, records):
        assert_moved_only(hotel, order, "102 #1 from 101")
        assert hotel.describe("101", "102") == ["101 #2 CS2 light 06:00", "102 #1"], order


def test_what_belongs_to_a_couple_goes_with_the_one_who_does_not_check_out() -> None:
    records = ["GO|RN101|G#2|GSY|", "GO|RN101|G#1|GSN|", "GI|RN102|G#1|GSN|GNAnna|"]
    for hotel, order in received_in_any_order(COUPLE, records):
        hotel.wait(2)
        assert hotel.lines_of("wake_up.") == [], order
        assert len(hotel.lines_of("guest.checked_out")) == 1, order
        assert hotel.describe("101", "102") == ["101", "102 #1 CS2 light 06:00"], order


def test_a_group_of_four_moves_from_two_rooms_to_two_others() -> None:
    before = [*COUPLE, "GI|RN103|G#3|GSN|GNC|CS3|", "GI|RN103|G#4|GSY|GND|", f"WR|RN103|{SEVEN}"]
    group = [
        *("GC|RN102|GSN|G#1|RO101|GSY|", "GC|RN102|GSY|G#2|RO101|GSN|"),
        *("GC|RN104|GSN|G#3|RO103|GSY|", "GC|RN104|GSY|G#4|RO103|GSN|"),
    ]
    for hotel, order in received_in_any_order(before, group):
        moves = ["102 #1 from 101", "102 #2 from 101", "104 #3 from 103", "104 #4 from 103"]
        assert_moved_only(hotel, order, *moves)
        assert hotel.describe("101", "102", "103", "104") == [
            "101",
            "102 #1 #2 CS2 light 06:00",
            "103",
            "104 #3 #4 CS3 07:00",
        ], order


# A4: orders for a room whose guest is leaving.

ANNA = ["GI|RN101|G#1|GSN|GNAnna|", f"WR|RN101|{SIX}"]
ANNA_LEAVES, ANNA_COMES = "GO|RN101|G#1|GSN|", "GI|RN102|G#1|GSN|GNAnna|"


def test_a4_a_class_of_service_between_check_out_and_check_in_is_the_room_s() -> None:
    hotel = Hotel(*ANNA)
    hotel.receive(ANNA_LEAVES, "RE|RN101|CS0|", ANNA_COMES)
    assert_moved_only(hotel, "", "102 #1 from 101")
    assert hotel.describe("101", "102") == ["101 CS0", "102 #1 06:00"]


def test_a4_the_class_of_service_of_the_guest_moves_all_the_same() -> None:
    hotel = Hotel("GI|RN101|G#1|GSN|GNAnna|CS2|", "RE|RN101|MLY|")
    hotel.receive(ANNA_LEAVES, "RE|RN101|CS0|MLN|", ANNA_COMES)
    assert_moved_only(hotel, "", "102 #1 from 101")
    assert hotel.describe("101", "102") == ["101 CS0", "102 #1 CS2 light"]


@pytest.mark.parametrize(
    "update",
    [
        PhoneUpdate("status", "101", 1),
        PhoneUpdate("dnd", "101", False),
        PhoneUpdate("wake_up_cancel", "101", None),
    ],
)
def test_a4_a_phone_code_between_check_out_and_check_in_ends_no_stay(update: PhoneUpdate) -> None:
    hotel = Hotel(*ANNA)
    hotel.receive(ANNA_LEAVES)
    hotel.dial(update)
    hotel.receive(ANNA_COMES)
    assert_moved_only(hotel, "", "102 #1 from 101")
    assert hotel.describe("101", "102") == ["101", "102 #1 06:00"]


@pytest.mark.parametrize(
    ("record", "vacated"),
    [
        ("RE|RN101|MLY|", "101 light"),
        ("RE|RN101|DNY|", "101 dnd"),
        (f"WR|RN101|{SEVEN}", "101 07:00"),
        (f"WR|RN101|{SIX}", "101 06:00"),
        (f"WC|RN101|{SIX}", "101"),
        ("WC|RN101|DA|TI|", "101"),
        ("GI|RN103|G#7|GSN|", "101"),
        ("NS|DA260101|TI120000|", "101"),
    ],
)
def test_a4_other_records_between_check_out_and_check_in_are_not_the_guest_s(
    record: str, vacated: str
) -> None:
    hotel = Hotel(*ANNA)
    hotel.receive(ANNA_LEAVES, record, ANNA_COMES)
    hotel.wait(10)
    assert hotel.lines_of("guest.moved") == ["guest.moved 102 #1 from 101 vacant"]
    assert hotel.lines_of("guest.checked_out", "wake_up.cancelled") == []
    assert hotel.describe("101", "102") == [vacated, "102 #1 06:00"]


def test_a4_what_is_said_before_the_guest_leaves_is_the_guest_s() -> None:
    hotel = Hotel(*ANNA)
    hotel.receive("RE|RN101|CS1|MLY|", f"WR|RN101|{SEVEN}", ANNA_LEAVES, ANNA_COMES)
    hotel.wait(10)
    assert hotel.describe("101", "102") == ["101", "102 #1 CS1 light 06:00 07:00"]


def test_what_is_said_of_a_room_after_a_check_out_stays() -> None:
    hotel = Hotel(*ANNA)
    hotel.receive(ANNA_LEAVES, "RE|RN101|CS0|", f"WR|RN101|{SEVEN}")
    assert hotel.guests("101") == ["1"]
    hotel.wait(10)
    assert hotel.lines_of("guest.", "wake_up.") == [
        "wake_up.set 101 07:00",
        "wake_up.cancelled 101 06:00",
        "guest.checked_out 101 #1 vacant",
    ]
    assert hotel.describe("101") == ["101 CS0 07:00"]


@pytest.mark.parametrize("record", ["RE|RN101|MLY|", "RE|RN101|CS1|", f"WR|RN101|{SEVEN}"])
def test_an_order_for_a_room_of_which_one_guest_leaves_is_for_the_other(record: str) -> None:
    hotel = Hotel("GI|RN101|G#1|GSN|", "GI|RN101|G#2|GSY|")
    hotel.receive("GO|RN101|G#1|GSY|", record, "GI|RN102|G#1|GSN|")
    hotel.wait(10)
    (word,) = {"CS1", "light", "07:00"} & set(hotel.describe("101")[0].split())
    assert hotel.describe("101", "102") == [f"101 #2 {word}", "102 #1"]


# A5 and A6: check-ins.


def test_a5_a_sharer_in_a_vacant_room_is_its_first_guest() -> None:
    hotel = Hotel()
    hotel.dial(PhoneUpdate("dnd", "201", True))
    hotel.receive("GI|RN201|G#1|GSY|GNAlice|CS2|")
    assert hotel.describe("201") == ["201 #1 CS2"]
    assert [guest.sharer for guest in hotel.room("201").guests] == [False]
    assert hotel.lines_of("room.do_not_disturb")[-1] == "room.do_not_disturb 201 False"


def test_a5_a_sharer_in_a_room_that_all_leave_is_its_first_guest() -> None:
    hotel = Hotel("GI|RN201|G#1|GSN|CS2|", "RE|RN201|DNY|MLY|")
    hotel.receive("GO|RN201|G#1|GSY|", "GI|RN201|G#2|GSY|")
    assert hotel.room("201").guest("2").sharer is False  # type: ignore[union-attr]
    hotel.wait(2)
    assert hotel.describe("201") == ["201 #2"]


def test_a5_a_couple_in_a_vacant_room_keeps_what_was_said_of_both() -> None:
    records = ["GI|RN201|G#1|GSN|GNAlice|CS2|", "GI|RN201|G#2|GSY|GNBob|"]
    for hotel, order in received_in_any_order(["RE|RN201|DNY|CS3|MLY|"], records):
        hotel.wait(2)
        assert hotel.lines_of("guest.checked_out") == [], order
        assert hotel.describe("201") == ["201 #1 #2 CS2"], order


def test_a6_a_change_of_an_unknown_guest_is_a_missed_check_in() -> None:
    hotel = Hotel("RE|RN1701|DNY|MLY|CS1|")
    assert hotel.receive("GC|RN1701|G#1701|GNMissed|GSN|") == ["guest.checked_in 1701 #1701 (resync)"]
    assert hotel.describe("1701") == ["1701 #1701 CS1 light dnd"]
    assert hotel.receive("GC|RN1701|G#1701|GNMet|GSN|") == ["guest.changed 1701 #1701"]


def test_a6_a_move_of_an_unknown_guest_is_a_missed_check_in() -> None:
    hotel = Hotel("GI|RN101|G#1|GSN|", f"WR|RN101|{SIX}")
    assert hotel.receive("GC|RN1701|GSN|G#1701|GNMissed|RO100|GSN|") == [
        "guest.checked_in 1701 #1701 (resync)"
    ]
    assert hotel.describe("101", "1701") == ["101 #1 06:00", "1701 #1701"]


# A7: wake-ups of a vacant room.

NEW_GUEST = "GI|RN101|G#1|GSN|GNAnna|"


@pytest.mark.parametrize("flag", ["GSN", "GSY"])
def test_a7_a_new_guest_does_not_get_the_wake_up_of_a_vacant_room(flag: str) -> None:
    hotel = Hotel()
    hotel.dial(PhoneUpdate("wake_up", "101", TOMORROW_AT_FOUR))
    assert "wake_up.cancelled 101 04:00" in hotel.receive(f"GI|RN101|G#1|{flag}|GNAnna|")
    assert hotel.describe("101") == ["101 #1"]


def test_a7_the_pms_can_request_a_wake_up_just_before_the_check_in() -> None:
    hotel = Hotel()
    hotel.dial(PhoneUpdate("wake_up", "101", TOMORROW_AT_FOUR))
    hotel.receive(f"WR|RN101|{SIX}")
    hotel.wait(1.999)
    assert "wake_up.cancelled 101 04:00" in hotel.receive(NEW_GUEST)
    assert hotel.describe("101") == ["101 #1 06:00"]


def test_a7_an_older_request_of_the_pms_is_not_for_the_new_guest() -> None:
    hotel = Hotel(f"WR|RN101|{SIX}")
    assert "wake_up.cancelled 101 06:00" in hotel.receive(NEW_GUEST)
    assert hotel.describe("101") == ["101 #1"]


def test_a7_a_check_in_of_a_resync_cancels_no_wake_up() -> None:
    hotel = Hotel(f"WR|RN101|{SIX}", "RE|RN101|DNY|CS1|MLY|")
    hotel.receive("DS|", "GI|RN101|G#1|GSN|GNAnna|SF|", "DE|")
    assert hotel.lines_of("wake_up.") == []
    assert hotel.describe("101") == ["101 #1 CS1 light dnd 06:00"]


def test_a7_a_guest_who_moves_does_not_get_the_wake_up_of_a_vacant_room() -> None:
    hotel = Hotel("GI|RN110|G#1|GSN|", f"WR|RN110|{SEVEN}", f"WR|RN101|{SIX}")
    hotel.receive("GC|RN101|GSN|G#1|RO110|GSN|")
    hotel.wait(2)
    assert hotel.lines_of("wake_up.") == ["wake_up.cancelled 101 06:00"]
    assert hotel.describe("110", "101") == ["110", "101 #1 07:00"]


def test_a7_the_wake_up_of_the_last_guest_is_not_for_the_new_one() -> None:
    records = ["GO|RN101|G#1|GSN|", "GI|RN101|G#2|GSN|"]
    for hotel, order in received_in_any_order(ANNA, records):
        assert hotel.lines_of("wake_up.cancelled") == [], order
        hotel.wait(2)
        assert hotel.lines_of("wake_up.", "guest.checked_out") == [
            "wake_up.cancelled 101 06:00",
            "guest.checked_out 101 #1",
        ], order
        assert hotel.describe("101") == ["101 #2"], order


def test_a7_a_request_after_the_check_in_is_for_the_new_guest() -> None:
    hotel = Hotel(*ANNA)
    hotel.receive("GI|RN101|G#2|GSN|", f"WR|RN101|{SEVEN}", f"WR|RN101|{SIX}", "GO|RN101|G#1|GSN|")
    hotel.wait(2)
    assert hotel.describe("101") == ["101 #2 06:00 07:00"]


# A8 and A11: door signs and room status.


def test_a8_the_end_of_one_sign_is_not_the_end_of_the_other() -> None:
    hotel = Hotel()
    hotel.dial(dnd_update("101", {"on": True}).phone_update)
    hotel.dial(make_up_room_update("101", {"on": False}).phone_update)
    assert hotel.room("101").do_not_disturb
    hotel.dial(dnd_update("101", {"on": False}).phone_update)
    hotel.dial(make_up_room_update("101", {"on": True}).phone_update)
    hotel.dial(dnd_update("101", {"on": False}).phone_update)
    assert hotel.room("101").make_up_room
    assert hotel.lines_of("room.do_not_disturb") == [
        "room.do_not_disturb 101 True by pbx",
        "room.do_not_disturb 101 False by pbx",
    ]


@pytest.mark.parametrize("status", range(1, 7))
def test_a11_a_room_status_of_the_pms_is_an_event(status: int) -> None:
    hotel = Hotel()
    assert hotel.receive(f"RE|RN101|RS{status}|") == [f"room.status 101 {status}"]
    assert hotel.events[-1].payload == {"value": status, "by": "pms"}
    assert hotel.receive(f"RE|RN101|RS{status}|") == []


def test_a11_a_room_status_of_a_phone_is_an_event() -> None:
    hotel = Hotel("RE|RN101|RS1|")
    hotel.dial(PhoneUpdate("status", "101", 3))
    assert hotel.lines == ["room.status 101 3 by pbx"]


@pytest.mark.parametrize("sign", [8, 9, 10])
def test_a11_door_signs_do_not_change_the_room_status(sign: int) -> None:
    hotel = Hotel("RE|RN101|RS3|")
    hotel.receive(f"RE|RN101|RS{sign}|")
    assert hotel.room("101").status == 3
    assert hotel.lines_of("room.status") == []


# A9 and A10: fields and names.


def test_a9_fields_without_a_key_reach_the_pbx() -> None:
    hotel = Hotel()
    hotel.receive("GI|RN901|G#9|GSN|GNX|A0x|NPY|EN4312345|")
    guest = hotel.events[0].payload["guest"]
    assert (guest["no_post"], guest["fields"]) == (True, {"A0": "x", "EN": "4312345"})
    assert hotel.receive("GI|RN901|G#9|GSN|GNX|A0x|NPY|EN4312345|") == []
    hotel.receive("GC|RN901|G#9|NPN|A0y|")
    guest = hotel.events[-1].payload["guest"]
    assert (guest["no_post"], guest["fields"]) == (False, {"A0": "y", "EN": "4312345"})


def test_a9_without_such_fields_nothing_is_known() -> None:
    hotel = Hotel()
    hotel.receive("GI|RN901|G#9|GSN|GNX|GAsomeday|CS1|DA260101|TI120000|WSdesk|")
    guest = hotel.events[0].payload["guest"]
    assert guest["no_post"] is None
    assert not {"RN", "G#", "GS", "GN", "CS", "DA", "TI"} & guest["fields"].keys()


@pytest.mark.parametrize("room", [" 101", "101 ", " 101 ", "101\r\n", "\x01101", "101\t"])
def test_a10_blanks_and_control_characters_are_no_part_of_a_room(room: str) -> None:
    hotel = Hotel()
    hotel.receive(f"GI|RN{room}|G#1|GSN|GN Anna\r\n Lee \x02|", f"WR|RN{room}|{SIX}", "RE|RN101|MLY|")
    assert hotel.describe("101") == ["101 #1 light 06:00"]
    assert {event.room for event in hotel.events} == {"101"}
    name = hotel.room("101").guests[0].name or ""
    assert (name, name.isprintable()) == (name.strip(), True)
    assert name.startswith("Anna")
    assert name.endswith("Lee")


def test_a10_an_old_room_and_a_number_are_read_without_blanks() -> None:
    hotel = Hotel("GI|RN101|G#1|GSN|", f"WR|RN101|{SIX}")
    hotel.receive("GC|RN 102 |GSN|G# 1|RO101 |GSN|")
    assert hotel.describe("101", "102") == ["101", "102 #1 06:00"]


# Guests who leave, and guests who come.


def test_a_new_guest_does_not_wait_for_the_one_who_leaves() -> None:
    hotel = Hotel("GI|RN101|G#1|GSN|CS2|", "RE|RN101|DNY|MLY|")
    hotel.receive("GO|RN101|G#1|GSN|")
    assert "guest.checked_in 101 #2" in hotel.receive("GI|RN101|G#2|GSN|CS1|")
    assert hotel.describe("101") == ["101 #1 #2 CS1"]
    assert hotel.wait(2) == ["guest.checked_out 101 #1"]
    assert hotel.describe("101") == ["101 #2 CS1"]


def test_a_new_guest_comes_where_another_moves_away() -> None:
    before = ["GI|RN101|G#1|GSN|GNAnna|CS2|", "RE|RN101|MLY|", f"WR|RN101|{SIX}"]
    records = ["GO|RN101|G#1|GSN|", "GI|RN102|G#1|GSN|GNAnna|", "GI|RN101|G#2|GSN|GNBert|CS1|"]
    for hotel, order in received_in_any_order(before, records):
        hotel.wait(2)
        assert hotel.lines_of("guest.checked_out", "wake_up.") == [], order
        assert hotel.describe("101", "102") == ["101 #2 CS1", "102 #1 CS2 light 06:00"], order


def test_a_check_out_that_is_taken_back_at_once_changes_nothing() -> None:
    hotel = Hotel("GI|RN101|G#1|GSN|GNAnna|CS2|", "RE|RN101|MLY|DNY|", f"WR|RN101|{SIX}")
    hotel.receive("GO|RN101|G#1|GSN|", "GI|RN101|G#1|GSN|GNAnna|CS2|")
    hotel.wait(10)
    assert hotel.lines == []
    assert hotel.describe("101") == ["101 #1 CS2 light dnd 06:00"]


def test_a_check_out_that_is_taken_back_later_is_a_new_stay() -> None:
    hotel = Hotel("GI|RN101|G#1|GSN|GNAnna|CS2|", f"WR|RN101|{SIX}", "GO|RN101|G#1|GSN|")
    assert hotel.describe("101") == ["101"]
    assert hotel.receive("GI|RN101|G#1|GSN|GNAnna|") == ["guest.checked_in 101 #1"]


def test_a_check_out_can_be_taken_back_while_another_guest_is_in_the_room() -> None:
    hotel = Hotel("GI|RN101|G#1|GSN|GNAnna|", f"WR|RN101|{SIX}")
    hotel.receive("GO|RN101|G#1|GSN|", "GI|RN101|G#2|GSN|GNBert|", "GI|RN101|G#1|GSY|GNAnna|")
    hotel.wait(10)
    assert hotel.lines_of("guest.", "wake_up.") == ["guest.checked_in 101 #2"]
    assert hotel.describe("101") == ["101 #1 #2 06:00"]


# A wake-up that falls due within the window.

DUE_IN_A_SECOND = "WR|RN101|DA260101|TI120101|"


def test_a_wake_up_of_a_guest_who_leaves_waits_for_the_move() -> None:
    hotel = Hotel("GI|RN101|G#1|GSN|GNAnna|", DUE_IN_A_SECOND)
    hotel.receive("GO|RN101|G#1|GSN|")
    assert hotel.wait(1.5) == []
    hotel.receive("GI|RN102|G#1|GSN|GNAnna|")
    hotel.wait(1)
    assert hotel.lines_of("wake_up.") == ["wake_up.due 102 12:01 1"]


def test_a_wake_up_of_a_guest_who_leaves_does_not_ring() -> None:
    hotel = Hotel("GI|RN101|G#1|GSN|GNAnna|", DUE_IN_A_SECOND)
    hotel.receive("GO|RN101|G#1|GSN|", "GI|RN101|G#2|GSN|GNBert|")
    hotel.wait(10)
    assert hotel.lines_of("wake_up.") == ["wake_up.cancelled 101 12:01"]


def test_a_wake_up_of_a_couple_rings_for_the_one_who_stays() -> None:
    hotel = Hotel("GI|RN101|G#1|GSN|", "GI|RN101|G#2|GSY|", DUE_IN_A_SECOND)
    hotel.receive("GO|RN101|G#1|GSY|")
    hotel.wait(1)
    assert hotel.lines_of("wake_up.") == ["wake_up.due 101 12:01 1"]


# A restart within the window.


def test_a_restart_within_the_window_changes_nothing() -> None:
    for order in permutations(EXCHANGES["pairs after one another"]):
        for at in range(1, 4):
            hotel = Hotel(*ANNA_AND_BERT, *THEIR_ORDERS)
            hotel.receive(*order[:at])
            hotel.reload()
            hotel.receive(*order[at:])
            assert_moved_only(hotel, f"{order} {at}", "215 #1 from 110", "110 #2 from 215")
            assert hotel.describe("110", "215") == ["110 #2 CS3 light 07:00", "215 #1 CS2 06:00"], order
