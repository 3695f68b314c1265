"""The judge of simulated days: compares what pmslink knows, told and charged with the hotel, by person."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from pmslink.fias.record import Record
from pmslink.store.tables.outbox_rows import OutboxRow
from tests.simulated_hotel import SimulatedHotel

START_TOLERANCE = timedelta(seconds=2)
"""The start of a call is given in whole seconds, and moves are told up to two seconds late."""
MOVE_TIME = timedelta(seconds=4)
"""The longest time from a move in the hotel to its last record, and the window in which it may be told."""


def check_hotel(hotel: SimulatedHotel) -> str:
    """Return a summary in one line. Raise AssertionError if pmslink and the PMS do not agree."""
    rooms, events, rows = hotel.rooms(), hotel.events(), hotel.outbox_rows()
    check_guests(hotel, rooms)
    check_rooms(hotel, rooms)
    guests = check_journeys(hotel, events)
    wake_ups = check_wake_ups(hotel, rooms, events, rows)
    return f"{guests}; {wake_ups}; {check_postings(hotel, events, rows)}"


def check_guests(hotel: SimulatedHotel, rooms: dict[str, Any]) -> None:
    """Check that each guest is in pmslink under the same number, room and name, and nobody else is."""
    known = {
        guest["number"]: (name, guest["name"], guest["first_name"])
        for name, room in rooms.items()
        for guest in room["guests"]
    }
    assert sum(len(room["guests"]) for room in rooms.values()) == len(known), "a guest is in two rooms"
    guests = {
        guest.number: (guest.room, guest.name, guest.first_name or None)
        for guest in hotel.pms.hotel.guests.values()
    }
    differences = [
        f"{number}: {guests.get(number)} but {known.get(number)}"
        for number in sorted({*guests, *known})
        if guests.get(number) != known.get(number)
    ]
    assert not differences, "PMS and pmslink do not agree on guests: " + "; ".join(differences)


def check_rooms(hotel: SimulatedHotel, rooms: dict[str, Any]) -> None:
    """Check class of service, lights and wake-ups of each room."""
    differences = [
        f"{name}: {pms_room} but {comparable_room(rooms[name])}"
        for name, pms_room in pms_rooms(hotel).items()
        if comparable_room(rooms[name]) != pms_room
    ]
    assert not differences, "PMS and pmslink do not agree on rooms: " + "; ".join(differences)


def comparable_room(room: dict[str, Any]) -> dict[str, Any]:
    return {
        "class_of_service": room["class_of_service"],
        "do_not_disturb": room["do_not_disturb"],
        "message_light": room["message_light"],
        "wake_ups": sorted(wake_up["at"] for wake_up in room["wake_ups"]),
    }


def pms_rooms(hotel: SimulatedHotel) -> dict[str, Any]:
    return {
        name: {
            "class_of_service": hotel.pms.equipment(name).class_of_service,
            "do_not_disturb": hotel.pms.equipment(name).do_not_disturb,
            "message_light": hotel.pms.equipment(name).message_light,
            "wake_ups": sorted(
                f"20{date[:2]}-{date[2:4]}-{date[4:]}T{time[:2]}:{time[2:4]}:{time[4:]}"
                for date, time in hotel.pms.equipment(name).wake_ups
            ),
        }
        for name in hotel.pms.hotel.rooms
    }


def check_journeys(hotel: SimulatedHotel, events: list[dict[str, Any]]) -> str:
    """Check that the events tell how each guest comes, moves, and goes only when the guest has left."""
    rooms: dict[str, str] = {}
    gone: set[str] = set()
    counts: Counter[str] = Counter()
    for event in events:
        if not event["type"].startswith("guest."):
            continue
        number, room, at = event["guest"]["number"], event["room"], datetime.fromisoformat(event["at"])
        what = f"{event['type']} of {number} in {room} at {at}"
        counts[event["type"]] += 1
        if event["type"] == "guest.checked_in":
            assert number not in rooms, f"{what}: the guest is in {rooms[number]} already"
            assert number not in gone, f"{what}: the guest was checked out before"
            rooms[number] = room
            continue
        expected = event["from_room"] if event["type"] == "guest.moved" else room
        assert rooms.get(number) == expected, f"{what}: the guest is in {rooms.get(number)}, not {expected}"
        rooms[number] = room
        if event["type"] == "guest.checked_out":
            assert hotel.stay_log.has_left(number, at), f"{what}: the guest has not left"
            del rooms[number]
            gone.add(number)
    assert rooms == {guest.number: guest.room for guest in hotel.pms.hotel.guests.values()}
    return f"{counts['guest.checked_in']} check-ins, {counts['guest.moved']} moves"


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
    assert not [event for event in events if event["type"] == "wake_up.not_understood"]
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


def check_postings(hotel: SimulatedHotel, events: list[dict[str, Any]], rows: Any) -> str:
    """Check that each accepted posting has one row, and is booked at most once and to the right guest."""
    postings = [row for row in rows if row.record == "PS"]
    states = Counter(row.state for row in postings)
    refused_at = {
        event["posting"]["number"]: datetime.fromisoformat(event["at"])
        for event in events
        if event["type"] == "posting.refused"
    }
    assert len({row.number for row in postings}) == len(postings)
    accepted = hotel.phones.counts["call"] + hotel.phones.counts["minibar"]
    assert len(postings) == accepted
    for row in postings:
        delivered = hotel.pms.postings.by_number.get(str(row.number))
        booked = 0 if delivered is None else delivered.answers.count("OK")
        if row.state == "done":
            assert booked == 1, row
        elif row.state == "refused":
            assert booked == 0, row
            assert row.reason == "guest_left", row
            check_refusal(hotel, row, refused_at[row.number])
        else:
            assert (row.state, row.reason) == ("unknown", "unanswered"), row
            assert booked <= 1, row
        if booked:
            check_booking(hotel, row)
    return (
        f"{accepted} postings accepted, {states['done']} booked, {states['refused']} refused, "
        f"{states['unknown']} unknown"
    )


def check_booking(hotel: SimulatedHotel, row: OutboxRow) -> None:
    """Check that a posting was booked to the room of a guest who was in the room when it started.

    If all of them have left the hotel, it may be booked to their room while that is vacant.
    """
    posting = hotel.pms.postings.by_number[str(row.number)]
    room = Record(posting.text).get("RN") or ""
    at = next(delivery.at for delivery in posting.recent_deliveries if delivery.answer == "OK")
    callers = find_callers(hotel, row)
    if callers & hotel.stay_log.guests_between(room, at - MOVE_TIME, at):
        return
    staying = {number for number in callers if not hotel.stay_log.has_left(number, at)}
    occupants = hotel.stay_log.guests_between(room, at, at)
    problem = f"posting {row.number} of {callers} in {row.room} is booked to {occupants} in {room}"
    assert not staying, problem
    assert not occupants, problem
    assert room == row.room, problem


def check_refusal(hotel: SimulatedHotel, row: OutboxRow, at: datetime) -> None:
    """Check that a posting is refused only if all who may have caused it have left the hotel."""
    staying = {number for number in find_callers(hotel, row) if not hotel.stay_log.has_left(number, at)}
    assert not staying, f"posting {row.number} is refused, and {staying} are in the hotel"


def find_callers(hotel: SimulatedHotel, row: OutboxRow) -> set[str]:
    """Return the guests who were in the room when a posting started, also as pmslink knew then.

    While the link is down, pmslink knows who was in the room before.
    """
    started = datetime.fromisoformat(json.loads(row.body)["started"])
    callers = hotel.stay_log.guests_between(row.room, started - START_TOLERANCE, started + START_TOLERANCE)
    if outage := hotel.stay_log.outage_start(started):
        callers |= hotel.stay_log.guests_between(row.room, outage, outage)
    return callers
