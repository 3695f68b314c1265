"""A day in a living hotel; and that the judge of such days notices what is wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from attrs import evolve

from tests.simulated_days import judge, live
from tests.simulated_hotel import LivingHotel


@pytest.fixture(scope="module")
def hotel() -> LivingHotel:
    return live(days=1, rooms=60, seed=4)


def test_after_a_day_with_outages_all_is_as_promised(hotel: LivingHotel) -> None:
    assert "postings accepted" in judge(hotel)


@pytest.mark.parametrize("how", ["move_as_go_gi", "move_as_gi_go"])
def test_so_it_is_where_moves_are_told_as_pairs(how: str) -> None:
    assert "postings accepted" in judge(live(days=1, rooms=60, seed=5, **{how: True}))


def _another_light(hotel: LivingHotel) -> Callable[[], object]:
    room = hotel.pms.hotel.rooms[0]
    before = hotel.pms.equipment(room)
    hotel.pms.hotel.put(room, evolve(before, message_light=not before.message_light))
    return lambda: hotel.pms.hotel.put(room, before)


def _a_guest_more(hotel: LivingHotel) -> Callable[[], object]:
    guest = hotel.pms.hotel.check_in(hotel.pms.hotel.rooms[0], "Nobody")
    return lambda: hotel.pms.hotel.guests.pop(guest.number)


def _a_second_result(hotel: LivingHotel) -> Callable[[], object]:
    told = next(iter(hotel.pms.results))
    hotel.pms.results[told] += 1
    return lambda: hotel.pms.results.subtract([told])


def _a_result_less(hotel: LivingHotel) -> Callable[[], object]:
    told = next(iter(hotel.pms.results))
    del hotel.pms.results[told]
    return lambda: hotel.pms.results.update([told])


def _a_posting_booked_twice(hotel: LivingHotel) -> Callable[[], object]:
    posting = next(one for one in hotel.pms.postings.by_number.values() if "OK" in one.answers)
    posting.came.append(posting.came[-1])
    return posting.came.pop


def _a_posting_not_booked(hotel: LivingHotel) -> Callable[[], object]:
    number, posting = hotel.pms.postings.by_number.popitem()
    return lambda: hotel.pms.postings.by_number.update({number: posting})


def _a_call_that_was_lost(hotel: LivingHotel) -> Callable[[], object]:
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
def test_the_judge_notices(hotel: LivingHotel, wrong: Callable[[LivingHotel], Callable[[], object]]) -> None:
    put_right = wrong(hotel)
    with pytest.raises(AssertionError):
        judge(hotel)
    put_right()
    judge(hotel)
