"""Tests of a simulated day in a hotel, and of the errors that its check detects."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from attrs import evolve

from tests.hotel_judge import check_hotel
from tests.simulated_days import simulate_days
from tests.simulated_hotel import SimulatedHotel


@pytest.fixture(scope="module")
def hotel() -> SimulatedHotel:
    return simulate_days(days=1, rooms=60, seed=4)


def test_pmslink_and_pms_agree_after_a_day_with_outages(hotel: SimulatedHotel) -> None:
    assert "postings accepted" in check_hotel(hotel)


@pytest.mark.parametrize("fault", ["move_as_go_gi", "move_as_gi_go"])
def test_pmslink_and_pms_agree_if_moves_are_sent_as_pairs(fault: str) -> None:
    assert "postings accepted" in check_hotel(simulate_days(days=1, rooms=40, seed=5, **{fault: True}))


def _change_message_light(hotel: SimulatedHotel) -> Callable[[], object]:
    room = hotel.pms.hotel.rooms[0]
    before = hotel.pms.equipment(room)
    hotel.pms.hotel.set_equipment(room, evolve(before, message_light=not before.message_light))
    return lambda: hotel.pms.hotel.set_equipment(room, before)


def _add_guest(hotel: SimulatedHotel) -> Callable[[], object]:
    guest = hotel.pms.hotel.check_in(hotel.pms.hotel.rooms[0], "Nobody")
    return lambda: hotel.pms.hotel.guests.pop(guest.number)


def _swap_names(hotel: SimulatedHotel) -> Callable[[], object]:
    guests = hotel.pms.hotel.guests
    first, second = list(guests.values())[:2]
    guests.update(
        {
            first.number: evolve(first, room=second.room),
            second.number: evolve(second, room=first.room),
        }
    )
    return lambda: guests.update({first.number: first, second.number: second})


def _let_a_guest_stay(hotel: SimulatedHotel) -> Callable[[], object]:
    stays = next(stays for stays in hotel.stay_log.stays.values() if stays[-1][1] is None)
    end = stays.pop()
    return lambda: stays.append(end)


def _let_nobody_make_calls(hotel: SimulatedHotel) -> Callable[[], object]:
    """Give the rooms of the log other names until shortly before the end of each stay."""
    stays = dict(hotel.stay_log.stays)
    for number, stay in stays.items():
        hotel.stay_log.stays[f"other {number}"] = hotel.stay_log.stays.pop(number)[:1]
        hotel.stay_log.stays[number] = stay[-1:]

    def undo() -> None:
        hotel.stay_log.stays.clear()
        hotel.stay_log.stays.update(stays)

    return undo


def _repeat_result(hotel: SimulatedHotel) -> Callable[[], object]:
    result = next(iter(hotel.pms.result_counts))
    hotel.pms.result_counts[result] += 1
    return lambda: hotel.pms.result_counts.subtract([result])


def _remove_result(hotel: SimulatedHotel) -> Callable[[], object]:
    result = next(iter(hotel.pms.result_counts))
    del hotel.pms.result_counts[result]
    return lambda: hotel.pms.result_counts.update([result])


def _book_posting_twice(hotel: SimulatedHotel) -> Callable[[], object]:
    posting = next(posting for posting in hotel.pms.postings.by_number.values() if "OK" in posting.answers)
    posting.recent_deliveries.append(posting.recent_deliveries[-1])
    return posting.recent_deliveries.pop


def _remove_booking(hotel: SimulatedHotel) -> Callable[[], object]:
    number, posting = hotel.pms.postings.by_number.popitem()
    return lambda: hotel.pms.postings.by_number.update({number: posting})


def _lose_call(hotel: SimulatedHotel) -> Callable[[], object]:
    hotel.phones.counts["call"] += 1
    return lambda: hotel.phones.counts.subtract(["call"])


@pytest.mark.parametrize(
    "introduce_error",
    [
        _change_message_light,
        _add_guest,
        _swap_names,
        _let_a_guest_stay,
        _let_nobody_make_calls,
        _repeat_result,
        _remove_result,
        _book_posting_twice,
        _remove_booking,
        _lose_call,
    ],
)
def test_the_check_detects_each_error(
    hotel: SimulatedHotel, introduce_error: Callable[[SimulatedHotel], Callable[[], object]]
) -> None:
    undo = introduce_error(hotel)
    with pytest.raises(AssertionError):
        check_hotel(hotel)
    undo()
    check_hotel(hotel)
