"""Tests of a simulated day in a hotel, and of the errors that its check detects."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import permutations

import pytest
from attrs import evolve

from pmslink.fias.record import Record
from tests.hotel_judge import check_hotel, check_moment
from tests.posting_judge import check_postings, check_refusal, find_callers
from tests.simulated_days import simulate_days
from tests.simulated_hotel import SimulatedHotel


@pytest.fixture(scope="module")
def hotel() -> SimulatedHotel:
    return simulate_days(days=1, rooms=60, seed=4, every_hour=check_moment)


def test_pmslink_and_pms_agree_after_a_day_with_outages(hotel: SimulatedHotel) -> None:
    assert "postings accepted" in check_hotel(hotel)


@pytest.mark.parametrize("fault", ["move_as_go_gi", "move_as_gi_go"])
def test_pmslink_and_pms_agree_if_moves_are_sent_as_pairs(fault: str) -> None:
    hotel = simulate_days(days=1, rooms=40, seed=5, every_hour=check_moment, **{fault: True})
    assert "postings accepted" in check_hotel(hotel)


def _change_message_light(hotel: SimulatedHotel) -> Callable[[], object]:
    room = hotel.pms.hotel.rooms[0]
    before = hotel.pms.equipment(room)
    hotel.pms.hotel.set_equipment(room, evolve(before, message_light=not before.message_light))
    return lambda: hotel.pms.hotel.set_equipment(room, before)


def _add_guest(hotel: SimulatedHotel) -> Callable[[], object]:
    guest = hotel.pms.hotel.check_in(hotel.pms.hotel.rooms[0], "Nobody")
    return lambda: (hotel.pms.hotel.guests.pop(guest.number), hotel.stay_log.stays.pop(guest.number))


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


def _swap_settings(attribute: str) -> Callable[[SimulatedHotel], Callable[[], object]]:
    """Give the settings of one guest to another one who has something else."""

    def swap(hotel: SimulatedHotel) -> Callable[[], object]:
        rooms = {guest.room: hotel.pms.equipment(guest.room) for guest in hotel.pms.hotel.guests.values()}
        first, other = next(
            (first, other)
            for first, other in permutations(rooms, 2)
            if getattr(rooms[first], attribute) and not getattr(rooms[other], attribute)
        )
        hotel.pms.hotel.set_equipment(first, rooms[other])
        hotel.pms.hotel.set_equipment(other, rooms[first])

        def undo() -> None:
            hotel.pms.hotel.set_equipment(first, rooms[first])
            hotel.pms.hotel.set_equipment(other, rooms[other])

        return undo

    swap.__name__ = f"swap_{attribute}"
    return swap


def _move_guest_to_and_fro(hotel: SimulatedHotel) -> Callable[[], object]:
    """Let a guest have been in another room for a minute, while the link was alive."""
    begin = max(since for since, alive in hotel.stay_log.link if alive) + timedelta(minutes=1)
    number, stay = next(
        (number, stay)
        for number, stay in hotel.stay_log.stays.items()
        if stay[-1][1] is not None and stay[-1][0] < begin
    )
    room = stay[-1][1]
    hotel.stay_log.stays[number] = [*stay, (begin, "elsewhere"), (begin + timedelta(minutes=1), room)]
    return lambda: hotel.stay_log.stays.update({number: stay})


def _let_a_move_happen_later(hotel: SimulatedHotel) -> Callable[[], object]:
    number, stay = next(
        (number, stay) for number, stay in hotel.stay_log.stays.items() if len(stay) == 2 and stay[1][1]
    )
    since, room = stay[1]
    hotel.stay_log.stays[number] = [stay[0], (since + timedelta(minutes=1), room)]
    return lambda: hotel.stay_log.stays.update({number: stay})


def _move_wake_ups(hotel: SimulatedHotel) -> Callable[[], object]:
    """Give the wake-ups of each room to the next one."""
    wake_ups = dict(hotel.stay_log.wake_ups)
    names = list(wake_ups)
    hotel.stay_log.wake_ups.update(zip([*names[1:], names[0]], wake_ups.values(), strict=True))
    return lambda: hotel.stay_log.wake_ups.update(wake_ups)


def _charge_another_guest(hotel: SimulatedHotel) -> Callable[[], object]:
    """Book a posting to a room of other guests, and not to that of its own."""
    postings = hotel.pms.postings.by_number
    number, posting = next(
        (number, posting)
        for number, posting in postings.items()
        if "OK" in posting.answers and "|RN101|" not in posting.text
    )
    room = Record(posting.text).get("RN")
    changed = evolve(posting, text=posting.text.replace(f"|RN{room}|", "|RN101|"))
    postings[number] = changed
    return lambda: postings.update({number: posting})


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
    ("introduce_error", "problem"),
    [
        (_change_message_light, "do not agree on"),
        (_add_guest, "do not agree on guests"),
        (_swap_names, "do not agree on guests"),
        (_swap_settings("class_of_service"), "do not agree on guests"),
        (_swap_settings("message_light"), "do not agree on guests"),
        (_swap_settings("wake_ups"), "do not agree on guests"),
        (_move_guest_to_and_fro, "elsewhere at .* was not told"),
        (_let_a_move_happen_later, "was told at .*, before"),
        (_let_a_guest_stay, "the guest has not left"),
        (_move_wake_ups, "room .* rings at"),
        (_charge_another_guest, "is booked to .* in 101"),
        (_repeat_result, "a result was received twice"),
        (_remove_result, "a result was not received"),
        (_book_posting_twice, "OutboxRow.*state='done'"),
        (_remove_booking, "OutboxRow.*state='done'"),
        (_lose_call, "postings were accepted"),
    ],
)
def test_the_check_detects_each_error(
    hotel: SimulatedHotel,
    introduce_error: Callable[[SimulatedHotel], Callable[[], object]],
    problem: str,
) -> None:
    undo = introduce_error(hotel)
    with pytest.raises(AssertionError, match=problem):
        check_hotel(hotel)
    undo()
    check_hotel(hotel)


def test_the_check_of_postings_needs_a_guest_who_pays_for_each_call(hotel: SimulatedHotel) -> None:
    events, rows = hotel.events(), hotel.outbox_rows()
    undo = _let_nobody_make_calls(hotel)
    with pytest.raises(AssertionError, match="is booked to"):
        check_postings(hotel, events, rows)
    undo()
    check_postings(hotel, events, rows)


def test_a_posting_is_refused_only_after_the_check_out_of_all_who_may_have_caused_it(
    hotel: SimulatedHotel,
) -> None:
    number = next(iter(hotel.pms.hotel.guests))
    postings = [row for row in hotel.outbox_rows() if row.record == "PS"]
    row = next(row for row in postings if number in find_callers(hotel, row))
    with pytest.raises(AssertionError, match=f"is refused, and .*{number}"):
        check_refusal(hotel, row, hotel.now())


def test_the_hourly_check_detects_a_room_that_pmslink_does_not_know(hotel: SimulatedHotel) -> None:
    check_moment(hotel)
    guest = next(iter(hotel.pms.hotel.guests.values()))
    service = hotel.pms.equipment(guest.room).class_of_service
    hotel.pms.hotel.change_equipment(guest.room, class_of_service=9)
    with pytest.raises(AssertionError, match=f"guests at .* {guest.number}: "):
        check_moment(hotel)
    hotel.pms.hotel.change_equipment(guest.room, class_of_service=service)
    check_moment(hotel)
