"""Days in a living hotel, with outages, restarts and a resync; and whether all was as promised at the end."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

from attrs import evolve

from pmslink.simulator.pms.fault_switches import Faults
from tests.memory_network import advance_clock
from tests.simulated_hotel import SimulatedHotel

HOUR_S = 3600.0
CALLS_PER_ROOM_AND_MINUTE = 1 / 300
"""What phones do, and what happens at the desk: per room and minute."""


def simulate_days(days: int, rooms: int, seed: int, **faults: Any) -> SimulatedHotel:
    """So many days with four troubles each, a resync in the middle, and a quiet hour at the end.

    `faults` are more of the PMS's, as the simulator names them.
    """
    chance = Random(seed)
    hotel = SimulatedHotel(
        rooms,
        seed,
        pace=rooms * CALLS_PER_ROOM_AND_MINUTE,
        calls=rooms * CALLS_PER_ROOM_AND_MINUTE,
        unanswered="hold",
    )
    # late answers, so that troubles come while a posting is on its way
    hotel.pms.set_faults(Faults(pa_delay=2.0, **faults))
    hotel.life.start()
    hotel.phones.startService()
    for day in range(days):
        for _ in range(4):
            advance_clock(hotel.clock, chance.uniform(1, 5) * HOUR_S)
            chance.choice(DISTURBANCES)(hotel, chance)
        if day == days // 2:
            hotel.link.request_resync()
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
    """What there was, in words. Raises AssertionError for whatever is not as it was promised."""
    ours, theirs = hotel.rooms(), pms_rooms(hotel)
    unlike = {
        name: (told, comparable_room(ours[name]))
        for name, told in theirs.items()
        if comparable_room(ours[name]) != told
    }
    assert not unlike, "PMS and pmslink do not agree: " + "; ".join(
        f"{name}: {pms} but {own}" for name, (pms, own) in unlike.items()
    )
    events, rows = hotel.events(), hotel.outbox_rows()
    wake_ups = check_wake_ups(hotel, ours, events, rows)
    return f"{wake_ups}; {check_postings(hotel, rows)}"


def comparable_room(room: dict[str, Any]) -> dict[str, Any]:
    return {
        "guests": {guest["number"]: (guest["name"], guest["first_name"]) for guest in room["guests"]},
        "class_of_service": room["class_of_service"],
        "do_not_disturb": room["do_not_disturb"],
        "message_light": room["message_light"],
        "wake_ups": sorted(one["at"] for one in room["wake_ups"]),
    }


def pms_rooms(hotel: SimulatedHotel) -> dict[str, Any]:
    return {
        name: {
            "guests": {guest.number: (guest.name, guest.first_name or None) for guest in guests},
            "class_of_service": hotel.pms.equipment(name).class_of_service,
            "do_not_disturb": hotel.pms.equipment(name).do_not_disturb,
            "message_light": hotel.pms.equipment(name).message_light,
            "wake_ups": sorted(
                f"20{d[:2]}-{d[2:4]}-{d[4:]}T{t[:2]}:{t[2:4]}:{t[4:]}"
                for d, t in hotel.pms.equipment(name).wake_ups
            ),
        }
        for name, guests in hotel.pms.hotel.guests_by_room().items()
    }


def check_wake_ups(hotel: SimulatedHotel, rooms: Any, events: list[dict[str, Any]], rows: Any) -> str:
    """Each that was set has ended once, was cancelled, or waits; the PMS heard one result of each."""
    of_type: dict[str, Counter[int]] = {}
    for event in events:
        if "wake_up" in event:
            of_type.setdefault(event["type"], Counter())[event["wake_up"]["id"]] += 1
    ordered, ended = of_type["wake_up.set"], of_type["wake_up.done"]
    waiting = {one["id"] for room in rooms.values() for one in room["wake_ups"]}
    assert set(ordered) == set(ended) | set(of_type["wake_up.cancelled"]) | waiting
    assert max(ended.values()) == 1
    assert max(hotel.pms.result_counts.values()) == 1
    results = [row for row in rows if row.record == "WA" and row.state != "discarded"]  # for another room
    assert len(results) == len(ended)
    told = sum(hotel.pms.result_counts.values())
    states = Counter(row.state for row in results)
    assert set(states) <= {"done", "unknown"}
    assert states["done"] <= told <= states["done"] + states["unknown"]
    return (
        f"{len(ordered)} wake-ups set, {len(ended)} ended, {told} results told, {states['unknown']} in doubt"
    )


def check_postings(hotel: SimulatedHotel, rows: Any) -> str:
    """Each that was accepted is one row, booked once; or in doubt, and booked once at most."""
    postings = [row for row in rows if row.record == "PS"]
    states = Counter(row.state for row in postings)
    assert len({row.number for row in postings}) == len(postings)
    accepted = hotel.phones.counts["call"] + hotel.phones.counts["minibar"]
    assert len(postings) == accepted
    for row in postings:
        came = hotel.pms.postings.by_number.get(str(row.number))
        booked = 0 if came is None else came.answers.count("OK")
        if row.state == "done":
            assert booked == 1, row
        else:
            assert row.state == "unknown", row
            assert booked <= 1, row
    return f"{accepted} postings accepted, {states['done']} booked, {states['unknown']} in doubt"
