"""A day in a living hotel; and that the judge of such days notices what is wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from attrs import evolve

from tests.simulated_days import check_hotel, simulate_days
from tests.simulated_hotel import SimulatedHotel


@pytest.fixture(scope="module")
def hotel() -> SimulatedHotel:
    return simulate_days(days=1, rooms=60, seed=4)


def test_after_a_day_with_outages_all_is_as_promised(hotel: SimulatedHotel) -> None:
    assert "postings accepted" in check_hotel(hotel)


@pytest.mark.parametrize("how", ["move_as_go_gi", "move_as_gi_go"])
def test_so_it_is_where_moves_are_told_as_pairs(how: str) -> None:
    assert "postings accepted" in check_hotel(simulate_days(days=1, rooms=60, seed=5, **{how: True}))


def _another_light(hotel: SimulatedHotel) -> Callable[[], object]:
    room = hotel.pms.hotel.rooms[0]
    before = hotel.pms.equipment(room)
    hotel.pms.hotel.set_equipment(room, evolve(before, message_light=not before.message_light))
    return lambda: hotel.pms.hotel.set_equipment(room, before)


def _a_guest_more(hotel: SimulatedHotel) -> Callable[[], object]:
    guest = hotel.pms.hotel.check_in(hotel.pms.hotel.rooms[0], "Nobody")
    return lambda: hotel.pms.hotel.guests.pop(guest.number)


def _a_second_result(hotel: SimulatedHotel) -> Callable[[], object]:
    told = next(iter(hotel.pms.result_counts))
    hotel.pms.result_counts[told] += 1
    return lambda: hotel.pms.result_counts.subtract([told])


def _a_result_less(hotel: SimulatedHotel) -> Callable[[], object]:
    told = next(iter(hotel.pms.result_counts))
    del hotel.pms.result_counts[told]
    return lambda: hotel.pms.result_counts.update([told])


def _a_posting_booked_twice(hotel: SimulatedHotel) -> Callable[[], object]:
    posting = next(one for one in hotel.pms.postings.by_number.values() if "OK" in one.answers)
    posting.recent_deliveries.append(posting.recent_deliveries[-1])
    return posting.recent_deliveries.pop


def _a_posting_not_booked(hotel: SimulatedHotel) -> Callable[[], object]:
    number, posting = hotel.pms.postings.by_number.popitem()
    return lambda: hotel.pms.postings.by_number.update({number: posting})


def _a_call_that_was_lost(hotel: SimulatedHotel) -> Callable[[], object]:
    hotel.phones.counts["call"] += 1
    return lambda: hotel.phones.counts.subtract(["call"])


@pytest.mark.parametrize(
    "wrong",
    [
        _another_light,
        _a_guest_more,
        _a_second_result,
        _a_result_less,
        _a_posting_booked_twice,
        _a_posting_not_booked,
        _a_call_that_was_lost,
    ],
)
def test_the_judge_notices(
    hotel: SimulatedHotel, wrong: Callable[[SimulatedHotel], Callable[[], object]]
) -> None:
    put_right = wrong(hotel)
    with pytest.raises(AssertionError):
        check_hotel(hotel)
    put_right()
    check_hotel(hotel)
