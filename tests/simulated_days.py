"""Simulated days in a hotel with outages, restarts and a resync, and the check of the result."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

from attrs import evolve

from pmslink.link import controls
from pmslink.simulator.pms.fault_switches import Faults
from tests.memory_network import advance_clock
from tests.simulated_hotel import SimulatedHotel

HOUR_S = 3600.0
CALLS_PER_ROOM_AND_MINUTE = 1 / 300
"""The rate of phone calls, and of the activities at the front desk."""


def simulate_days(days: int, rooms: int, seed: int, **faults: Any) -> SimulatedHotel:
    """Simulate days with four disturbances each, a resync halfway, and an idle hour at the end.

    `faults` are additional faults of the PMS, by the simulator's names.
    """
    rng = Random(seed)
    hotel = SimulatedHotel(
        rooms,
        seed,
        pace=rooms * CALLS_PER_ROOM_AND_MINUTE,
        calls=rooms * CALLS_PER_ROOM_AND_MINUTE,
        unanswered="hold",
    )
    # late answers, so that disturbances occur while a posting is unanswered
    hotel.pms.set_faults(Faults(pa_delay=2.0, **faults))
    hotel.life.start()
    hotel.phones.startService()
    for day in range(days):
        for _ in range(4):
            advance_clock(hotel.clock, rng.uniform(1, 5) * HOUR_S)
            rng.choice(DISTURBANCES)(hotel, rng)
        if day == days // 2:
            controls.request_resync(hotel.link)
        advance_clock(hotel.clock, (day + 1) * 24 * HOUR_S - hotel.clock.seconds())
    hotel.life.stop()
    hotel.phones.stopService()
    advance_clock(hotel.clock, HOUR_S)
    return hotel


def _interrupt_network(hotel: SimulatedHotel, rng: Random) -> None:
    hotel.network.mode = "refuse"
    hotel.pms.drop_link()
    advance_clock(hotel.clock, rng.choice((5, 60, 600, 7200)))
    hotel.network.mode = "accept"


def _end_pms_link(hotel: SimulatedHotel, rng: Random) -> None:
    hotel.pms.end_link()
    advance_clock(hotel.clock, 60)


def _restart_service(hotel: SimulatedHotel, rng: Random) -> None:
    hotel.stop(crash=False)
    advance_clock(hotel.clock, rng.choice((1, 60, 300)))
    hotel.start()


def _crash_service(hotel: SimulatedHotel, rng: Random) -> None:
    hotel.stop(crash=True)
    advance_clock(hotel.clock, rng.choice((1, 60, 300)))
    hotel.start()


def _lose_answers(hotel: SimulatedHotel, rng: Random) -> None:
    hotel.pms.set_faults(evolve(hotel.pms.faults, pa_skip=2))


DISTURBANCES = (_interrupt_network, _end_pms_link, _restart_service, _crash_service, _lose_answers)


def check_hotel(hotel: SimulatedHotel) -> str:
    """Return a summary in one line. Raise AssertionError if pmslink and the PMS do not agree."""
    rooms = hotel.rooms()
    differences = [
        f"{name}: {pms_room} but {comparable_room(rooms[name])}"
        for name, pms_room in pms_rooms(hotel).items()
        if comparable_room(rooms[name]) != pms_room
    ]
    assert not differences, "PMS and pmslink do not agree: " + "; ".join(differences)
    events, rows = hotel.events(), hotel.outbox_rows()
    wake_ups = check_wake_ups(hotel, rooms, events, rows)
    return f"{wake_ups}; {check_postings(hotel, rows)}"


def comparable_room(room: dict[str, Any]) -> dict[str, Any]:
    return {
        "guests": {guest["number"]: (guest["name"], guest["first_name"]) for guest in room["guests"]},
        "class_of_service": room["class_of_service"],
        "do_not_disturb": room["do_not_disturb"],
        "message_light": room["message_light"],
        "wake_ups": sorted(wake_up["at"] for wake_up in room["wake_ups"]),
    }


def pms_rooms(hotel: SimulatedHotel) -> dict[str, Any]:
    return {
        name: {
            "guests": {guest.number: (guest.name, guest.first_name or None) for guest in guests},
            "class_of_service": hotel.pms.equipment(name).class_of_service,
            "do_not_disturb": hotel.pms.equipment(name).do_not_disturb,
            "message_light": hotel.pms.equipment(name).message_light,
            "wake_ups": sorted(
                f"20{date[:2]}-{date[2:4]}-{date[4:]}T{time[:2]}:{time[2:4]}:{time[4:]}"
                for date, time in hotel.pms.equipment(name).wake_ups
            ),
        }
        for name, guests in hotel.pms.hotel.guests_by_room().items()
    }


def check_wake_ups(hotel: SimulatedHotel, rooms: Any, events: list[dict[str, Any]], rows: Any) -> str:
    """Check that each wake-up has ended once, was cancelled or is waiting, and has one result at the PMS."""
    counts_by_type: dict[str, Counter[int]] = {}
    for event in events:
        if "wake_up" in event:
            counts_by_type.setdefault(event["type"], Counter())[event["wake_up"]["id"]] += 1
    requested, ended = counts_by_type["wake_up.set"], counts_by_type["wake_up.done"]
    waiting = {wake_up["id"] for room in rooms.values() for wake_up in room["wake_ups"]}
    assert set(requested) == set(ended) | set(counts_by_type["wake_up.cancelled"]) | waiting
    assert max(ended.values()) == 1
    assert max(hotel.pms.result_counts.values()) == 1
    results = [row for row in rows if row.record == "WA" and row.state != "discarded"]  # for another room
    assert len(results) == len(ended)
    result_count = sum(hotel.pms.result_counts.values())
    states = Counter(row.state for row in results)
    assert set(states) <= {"done", "unknown"}
    assert states["done"] <= result_count <= states["done"] + states["unknown"]
    return (
        f"{len(requested)} wake-ups set, {len(ended)} ended, "
        f"{result_count} results received, {states['unknown']} unknown"
    )


def check_postings(hotel: SimulatedHotel, rows: Any) -> str:
    """Check that each accepted posting has one row and is booked once, or at most once if unknown."""
    postings = [row for row in rows if row.record == "PS"]
    states = Counter(row.state for row in postings)
    assert len({row.number for row in postings}) == len(postings)
    accepted = hotel.phones.counts["call"] + hotel.phones.counts["minibar"]
    assert len(postings) == accepted
    for row in postings:
        delivered = hotel.pms.postings.by_number.get(str(row.number))
        booked = 0 if delivered is None else delivered.answers.count("OK")
        if row.state == "done":
            assert booked == 1, row
        else:
            assert row.state == "unknown", row
            assert booked <= 1, row
    return f"{accepted} postings accepted, {states['done']} booked, {states['unknown']} unknown"
