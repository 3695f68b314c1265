"""Postings of guests who are in their rooms by hand: they wait until the PMS has confirmed the stay.

A posting that waits is in the queue no longer, so that others pass it. Whenever the PMS or a person has
decided on what was done by hand, the postings that need not wait any longer are queued again.
"""

from __future__ import annotations

import json

from attrs import frozen
from sqlalchemy import bindparam

from pmslink.hotel.hotel_state import HotelState
from pmslink.hotel.manual_changes import ManualChange
from pmslink.hotel.rooms import is_manual_number
from pmslink.store.core.schema import POSTINGS
from pmslink.store.core.transaction import Transaction
from pmslink.store.tables.outbox_rows import IS_OPEN, OF_LINK, OutboxRow, fetch_rows, row_query, update_row
from pmslink.store.tables.stays import ConfirmedStay, rooms_of_guests

AWAITS_GUEST = 2
"""The value of `queued` of a posting that waits until the PMS has confirmed a stay."""
LOCAL_GUEST_REASON = "the guest was checked in by hand, and the PMS does not know the stay"

_SELECT_AWAITING = row_query(OF_LINK, IS_OPEN, POSTINGS.c.queued == AWAITS_GUEST)
_SELECT_OF_LOCAL_GUEST = row_query(
    OF_LINK, IS_OPEN, POSTINGS.c.queued != 0, POSTINGS.c.guests.contains(bindparam("guest"))
)


@frozen
class AwaitConfirmation:
    """The posting waits until the PMS has confirmed the stay of its guest."""


@frozen
class PmsRoom:
    """The guest was moved or checked out by hand; the PMS still has the guest in this room."""

    room: str


@frozen
class UnknownStay:
    """The PMS does not know the stay, and nobody else may be charged."""


LocalRoute = AwaitConfirmation | PmsRoom | UnknownStay


def route_of_local_guest(transaction: Transaction, row: OutboxRow) -> LocalRoute | None:
    """Decide where a posting of a guest goes who is by hand where the PMS does not have the guest.

    None if no guest of the posting is.
    """
    guests: list[str] = json.loads(row.guests or "[]")
    state = transaction.hotels.hotel(transaction.connection, row.link)
    if not state.manual.by_id and not any(map(is_manual_number, guests)):
        return None
    rooms = rooms_of_guests(transaction.connection, row.link, guests)
    for guest in guests:
        change = _find_change(state.manual.open, guest, rooms.get(guest), row.room)
        if change is None and is_manual_number(guest):
            return UnknownStay()
        if change is not None:
            return _route(state, change)
    return None


def _find_change(
    changes: list[ManualChange], guest: str, present_room: str | None, room: str
) -> ManualChange | None:
    """Find the open change of a guest, who is named by a key as in the table of stays.

    A guest without a reservation number is found by the room: the present one, or for a guest who was checked
    out by hand that of the posting.
    """
    for change in changes:
        if change.number:
            is_of_guest = change.number == guest
        elif change.guest_room is None:
            is_of_guest = present_room is None and change.room == room and guest.startswith("stay ")
        else:
            is_of_guest = change.guest_room == present_room and guest.startswith("stay ")
        if is_of_guest:
            return change
    return None


def _route(state: HotelState, change: ManualChange) -> LocalRoute:
    """Route to the room where the PMS has the guest, unless it may charge somebody else whom it has there."""
    if change.outcome == "waiting" or change.what == "check_in":
        return AwaitConfirmation()
    if change.pms_room is None:
        return UnknownStay()
    return AwaitConfirmation() if state.has_guest_of_pms(change.pms_room) else PmsRoom(change.pms_room)


def queue_awaiting(transaction: Transaction, link: str) -> None:
    """Queue the postings again that need not wait any longer: something was decided."""
    for row in fetch_rows(transaction.connection, _SELECT_AWAITING, link=link):
        if not isinstance(route_of_local_guest(transaction, row), AwaitConfirmation):
            update_row(transaction, row, queued=1)


def assign_reservation(transaction: Transaction, link: str, stay: ConfirmedStay) -> None:
    """Give the postings of a guest who was checked in by hand the reservation that the PMS has named."""
    key = json.dumps(stay.former_guest)
    for row in fetch_rows(transaction.connection, _SELECT_OF_LOCAL_GUEST, link=link, guest=key):
        guests = [stay.guest if one == stay.former_guest else one for one in json.loads(row.guests or "[]")]
        update_row(
            transaction, row, guests=json.dumps(guests), reservation=row.reservation or stay.reservation
        )
