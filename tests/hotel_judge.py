"""The judge of simulated days: compares what pmslink knows, told and charged with the hotel, by person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pmslink.simulator.hotel.room_equipment import WakeUp, build_wake_up, parse_wake_up
from tests.posting_judge import check_postings
from tests.simulated_hotel import HOTEL_ZONE, SimulatedHotel
from tests.stay_log import MOVE_TIME

RING_TIME = timedelta(minutes=2)
"""The time before a wake-up in which the link must have been alive for the PMS to have told of a change."""
CALL_TIME = timedelta(minutes=10)
"""The time after a wake-up in which all its attempts have ended."""

Person = Mapping[str, Any]
"""A guest with all that belongs to the guest: room, name, class of service, message light and wake-ups."""


def check_hotel(hotel: SimulatedHotel) -> str:
    """Return a summary in one line. Raise AssertionError if pmslink and the PMS do not agree."""
    rooms, events, rows = hotel.rooms(), hotel.events(), hotel.outbox_rows()
    check_guests(hotel, rooms)
    check_rooms(hotel, rooms)
    guests = check_journeys(hotel, events)
    wake_ups = check_wake_ups(hotel, rooms, events, rows)
    check_rings(hotel, events)
    return f"{guests}; {wake_ups}; {check_postings(hotel, events, rows)}"


def check_guests(hotel: SimulatedHotel, rooms: Mapping[str, Any]) -> None:
    """Check that each guest has the same room, name and settings in pmslink, and nobody else is there."""
    known = known_people(rooms)
    assert sum(len(room["guests"]) for room in rooms.values()) == len(known), "a guest is in two rooms"
    compare("guests", pms_people(hotel), known)


def check_moment(hotel: SimulatedHotel) -> None:
    """Check each guest at a moment between the acts of the front desk, if pmslink can know all of them."""
    if not hotel.is_settled:
        return
    unsent = {row.room for row in hotel.open_rows() if row.record != "PS"}
    busy = {room for room in hotel.pms.hotel.rooms if hotel.pms.acts.is_busy(room) or room in unsent}
    expected, known = pms_people(hotel), known_people(hotel.rooms())
    involved = {
        number for people in (expected, known) for number, one in people.items() if one["room"] in busy
    }
    compare(f"guests at {hotel.now()}", without(expected, involved), without(known, involved))


def without(people: Mapping[str, Person], numbers: set[str]) -> dict[str, Person]:
    return {number: person for number, person in people.items() if number not in numbers}


def compare(what: str, expected: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    differences = [
        f"{key}: {expected.get(key)} but {known.get(key)}"
        for key in sorted({*expected, *known})
        if expected.get(key) != known.get(key)
    ]
    assert not differences, f"PMS and pmslink do not agree on {what}: " + "; ".join(differences)


def pms_people(hotel: SimulatedHotel) -> dict[str, Person]:
    """Return the guests by reservation number, as the PMS knows them."""
    return {
        guest.number: {
            "room": guest.room,
            "name": (guest.name, guest.first_name or None),
            **pms_settings(hotel, guest.room),
        }
        for guest in hotel.pms.hotel.guests.values()
    }


def known_people(rooms: Mapping[str, Any]) -> dict[str, Person]:
    """Return the guests by reservation number, as pmslink knows them."""
    return {
        guest["number"]: {
            "room": name,
            "name": (guest["name"], guest["first_name"]),
            **known_settings(room),
        }
        for name, room in rooms.items()
        for guest in room["guests"]
    }


def pms_settings(hotel: SimulatedHotel, room: str) -> dict[str, Any]:
    equipment = hotel.pms.equipment(room)
    return {
        "class_of_service": equipment.class_of_service,
        "message_light": equipment.message_light,
        "wake_ups": sorted(one for one in equipment.wake_ups if not was_called_elsewhere(hotel, room, one)),
    }


def was_called_elsewhere(hotel: SimulatedHotel, room: str, wake_up: WakeUp) -> bool:
    """Return whether pmslink called a guest in a former room, because the link was down.

    Its result names that room, so the PMS does not remove the wake-up from the room where the guest is.
    """
    log, local = hotel.stay_log, parse_wake_up(wake_up)
    if local is None:
        return False
    at = local.replace(tzinfo=HOTEL_ZONE)
    begin, end = (log.outage_start(at) or at) - MOVE_TIME, at + CALL_TIME
    return not log.is_alive_between(at, end) and any(
        wake_up in log.wake_ups_between(other, begin, end) for other in log.wake_ups if other != room
    )


def known_settings(room: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "class_of_service": room["class_of_service"],
        "message_light": room["message_light"],
        "wake_ups": sorted(build_wake_up(datetime.fromisoformat(one["at"])) for one in room["wake_ups"]),
    }


def check_rooms(hotel: SimulatedHotel, rooms: Mapping[str, Any]) -> None:
    """Check class of service, lights and wake-ups of each room, also of the vacant ones."""
    expected, known = {}, {}
    for name in hotel.pms.hotel.rooms:
        room, do_not_disturb = rooms[name], hotel.pms.equipment(name).do_not_disturb
        expected[name] = {**pms_settings(hotel, name), "do_not_disturb": do_not_disturb}
        known[name] = {**known_settings(room), "do_not_disturb": room["do_not_disturb"]}
    compare("rooms", expected, known)


def check_journeys(hotel: SimulatedHotel, events: list[dict[str, Any]]) -> str:
    """Check that the events tell how each guest comes, moves and goes, in the order in which it happened.

    What happens while the link is alive is told within some seconds.
    """
    rooms: dict[str, str] = {}
    told: dict[str, list[tuple[datetime, str | None]]] = {}
    counts: Counter[str] = Counter()
    for event in events:
        if event["type"] not in ("guest.checked_in", "guest.moved", "guest.checked_out"):
            continue
        number, room, at = event["guest"]["number"], event["room"], datetime.fromisoformat(event["at"])
        what = f"{event['type']} of {number} in {room} at {at}"
        counts[event["type"]] += 1
        expected = {"guest.checked_in": None, "guest.moved": event.get("from_room")}.get(event["type"], room)
        assert rooms.get(number) == expected, f"{what}: the guest is in {rooms.get(number)}, not {expected}"
        if event["type"] == "guest.checked_out":
            assert hotel.stay_log.has_left(number, at), f"{what}: the guest has not left"
            del rooms[number]
        else:
            rooms[number] = room
        told.setdefault(number, []).append((at, rooms.get(number)))
    assert rooms == {guest.number: guest.room for guest in hotel.pms.hotel.guests.values()}
    for number, stay in hotel.stay_log.stays.items():
        check_journey(hotel, number, stay, told.get(number, []))
    assert not told.keys() - hotel.stay_log.stays.keys()
    return f"{counts['guest.checked_in']} check-ins, {counts['guest.moved']} moves"


def check_journey(
    hotel: SimulatedHotel,
    number: str,
    stay: list[tuple[datetime, str | None]],
    told: list[tuple[datetime, str | None]],
) -> None:
    """Compare the rooms of a guest with the events: each tells of the same room or of a later one."""
    untold = iter(stay)
    for at, room in told:
        since = next((since for since, entered in untold if entered == room), None)
        assert since is not None, f"{number}: {told} was told, and {stay} happened"
        assert since <= at, f"{number}: {room} was told at {at}, before {since}"
    for since, room in stay:
        until = since + MOVE_TIME
        if hotel.stay_log.is_alive_between(since, until):
            is_told = any(since <= at <= until and entered == room for at, entered in told)
            assert is_told, f"{number}: {room} at {since} was not told, but {told}"


def check_wake_ups(hotel: SimulatedHotel, rooms: Any, events: list[dict[str, Any]], rows: Any) -> str:
    """Check that each wake-up has ended once, was cancelled or is waiting, and has one result at the PMS."""
    counts_by_type: dict[str, Counter[int]] = {}
    for event in events:
        if "wake_up" in event:
            counts_by_type.setdefault(event["type"], Counter())[event["wake_up"]["id"]] += 1
    requested, ended = counts_by_type["wake_up.set"], counts_by_type["wake_up.done"]
    waiting = {wake_up["id"] for room in rooms.values() for wake_up in room["wake_ups"]}
    assert set(requested) == set(ended) | set(counts_by_type["wake_up.cancelled"]) | waiting
    assert max(ended.values()) == 1, "a wake-up has ended twice"
    assert max(hotel.pms.result_counts.values()) == 1, "a result was received twice"
    assert not [event for event in events if event["type"] == "wake_up.not_understood"]
    results = [row for row in rows if row.record == "WA" and row.state != "discarded"]  # for another room
    assert len(results) == len(ended)
    result_count = sum(hotel.pms.result_counts.values())
    states = Counter(row.state for row in results)
    assert set(states) <= {"done", "unknown"}
    assert states["done"] <= result_count <= states["done"] + states["unknown"], "a result was not received"
    return (
        f"{len(requested)} wake-ups set, {len(ended)} ended, "
        f"{result_count} results received, {states['unknown']} unknown"
    )


def check_rings(hotel: SimulatedHotel, events: list[dict[str, Any]]) -> None:
    """Check that phones ring only in the room of a guest who has a wake-up at that time.

    In the hotel the wake-ups follow the guests. pmslink can know their rooms if the link is alive.
    """
    for event in events:
        if event["type"] != "wake_up.due" or event["attempt"] > 1:
            continue
        at, room = datetime.fromisoformat(event["at"]), event["room"]
        if hotel.stay_log.is_alive_between(at - RING_TIME, at):
            wake_up = build_wake_up(datetime.fromisoformat(event["wake_up"]["at"]))
            expected = hotel.stay_log.wake_ups_between(room, at - MOVE_TIME, at)
            assert wake_up in expected, f"room {room} rings at {at} for {wake_up}, and has {expected}"
