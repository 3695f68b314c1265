"""The judge of postings: compares who made a call or emptied a minibar with who was charged for it."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from pmslink.fias.record import Record
from pmslink.store.tables.outbox_rows import OutboxRow
from tests.simulated_hotel import SimulatedHotel
from tests.stay_log import MOVE_TIME

START_TOLERANCE = timedelta(seconds=2)
"""The start of a call is given in whole seconds, and moves are told up to two seconds late."""


def check_postings(hotel: SimulatedHotel, events: list[dict[str, Any]], rows: list[OutboxRow]) -> str:
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
    assert len(postings) == accepted, f"{accepted} postings were accepted, and {len(postings)} are stored"
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

    If all of them have left the hotel, as far as pmslink could know, it may be booked to their room while
    that is vacant.
    """
    posting = hotel.pms.postings.by_number[str(row.number)]
    room = Record(posting.text).get("RN") or ""
    at = next(delivery.at for delivery in posting.recent_deliveries if delivery.answer == "OK")
    callers, expected = find_callers(hotel, row), find_expected_callers(hotel, row)
    if (callers | (expected or set())) & hotel.stay_log.guests_between(room, at - MOVE_TIME, at):
        return
    known = callers if expected is None else expected
    staying = {number for number in known if not hotel.stay_log.has_left(number, at)}
    occupants = hotel.stay_log.guests_between(room, at, at)
    what = f"posting {row.number} of {callers}, expected {expected}, in {row.room} at {find_start(row)}"
    problem = f"{what} is booked to {occupants} in {room}"
    assert not staying, problem
    assert not occupants, problem
    assert room == row.room, problem


def check_refusal(hotel: SimulatedHotel, row: OutboxRow, at: datetime) -> None:
    """Check that a posting is refused only if all have left who were in the room, as pmslink knew.

    If the guests of the room changed about when the posting started, it may be of those before or after that.
    """
    log, begin, end = hotel.stay_log, find_start(row) - START_TOLERANCE, find_start(row) + START_TOLERANCE
    outage = log.outage_start(find_start(row))
    moments = [begin, *log.changes_between(row.room, begin, end), end] if outage is None else [outage]
    callers = [log.guests_between(row.room, moment, moment) for moment in moments]
    staying = [{number for number in group if not log.has_left(number, at)} for group in callers]
    what = f"posting {row.number} of {callers} in {row.room} at {find_start(row)} is refused"
    assert not all(staying), f"{what}, and {staying} are in the hotel"


def find_callers(hotel: SimulatedHotel, row: OutboxRow) -> set[str]:
    """Return the guests who were in the room when a posting started."""
    started = find_start(row)
    return hotel.stay_log.guests_between(row.room, started - START_TOLERANCE, started + START_TOLERANCE)


def find_expected_callers(hotel: SimulatedHotel, row: OutboxRow) -> set[str] | None:
    """Return who was in the room when the link ended, if it was down when a posting started; else None.

    That is all that pmslink could know.
    """
    outage = hotel.stay_log.outage_start(find_start(row))
    return None if outage is None else hotel.stay_log.guests_between(row.room, outage, outage)


def find_start(row: OutboxRow) -> datetime:
    """Return when the call or the consumption of a posting began."""
    return datetime.fromisoformat(json.loads(row.body)["started"])
