"""What is said of houses, as operations: each is folded into them in the commit that keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import frozen
from sqlalchemy import select

from pmslink.fias.record import Record
from pmslink.hotel import phone_update_reducer, phone_updates, record_reducer, resyncs, wake_up_attempts
from pmslink.hotel.events import WakeUpFinished
from pmslink.hotel.hotel_state import Context, HotelState
from pmslink.hotel.rooms import WakeUp
from pmslink.store.core.database import insert_many
from pmslink.store.core.schema import RECORDS, ROOMS
from pmslink.store.core.transaction import Transaction
from pmslink.store.operations.cancel_pending import cancel_pending_for_room
from pmslink.store.tables.hotel_events import append_event
from pmslink.store.tables.log_entries import RecordLogged
from pmslink.store.tables.outbox_rows import OutboxRow, insert_rows
from pmslink.timestamps import to_ms


def append_records(transaction: Transaction, records: Sequence[RecordLogged]) -> Sequence[None]:
    """An operation: keep these records; those from the PMS mean something to its house."""
    for entry in records:
        entry.seq = transaction.next_seq()
        transaction.to_publish.append(entry)
        if entry.direction == "in" and entry.type in record_reducer.HANDLERS:
            house, now = _hotel_and_context(transaction, entry.link, entry.at, entry.session)
            record_reducer.apply_record(house, Record(entry.text), now)
            _append_events(transaction, entry.link, entry.at, house)
    rows = [(one.seq, one.link, to_ms(one.at), one.direction, one.type, one.text) for one in records]
    insert_many(transaction.connection, RECORDS, rows)
    return [None] * len(records)


def run_due(transaction: Transaction, links: Sequence[str]) -> Sequence[None]:
    """An operation: see what of these houses is due."""
    at = transaction.hotels.wall_clock()
    for link in links:
        house, now = _hotel_and_context(transaction, link, at)
        record_reducer.advance(house, now)
        _append_events(transaction, link, at, house)
    return [None] * len(links)


def abort_resyncs(transaction: Transaction, links: Sequence[str]) -> Sequence[None]:
    """An operation: a resync of these links that was running will not end."""
    at = transaction.hotels.wall_clock()
    for link in links:
        if transaction.hotels.is_resyncing(transaction.connection, link):
            house = transaction.hotels.hotel(transaction.connection, link)
            resyncs.abort_resync(house)
            _append_events(transaction, link, at, house)
    return [None] * len(links)


@frozen
class WakeUpReport:
    """What the PBX says of one attempt to wake, without a number of the last."""

    link: str
    room: str
    id: int
    attempt: int | None
    result: phone_updates.ReportedResult


def store_wake_up_results(
    transaction: Transaction, reports: Sequence[WakeUpReport]
) -> Sequence[WakeUp | Exception]:
    """Operation: store the results and return each wake-up.

    A result may be UnknownWakeUpError or WakeUpNotDueError.
    """
    return [_store_wake_up_result(transaction, one) for one in reports]


def _store_wake_up_result(transaction: Transaction, report: WakeUpReport) -> WakeUp | Exception:
    at = transaction.hotels.wall_clock()
    house, now = _hotel_and_context(transaction, report.link, at)
    try:
        wake_up = wake_up_attempts.record_attempt_result(
            house, report.room, report.id, report.attempt, report.result, now
        )
    except (wake_up_attempts.UnknownWakeUpError, wake_up_attempts.WakeUpNotDueError) as problem:
        return problem
    _append_events(transaction, report.link, at, house)
    return wake_up


def apply_phone_update(
    transaction: Transaction, link: str, phone_update: phone_updates.PhoneUpdate, at: datetime
) -> None:
    """What a phone tells the PMS, the house is to know. Raises TooManyWakeUpsError."""
    house, now = _hotel_and_context(transaction, link, at)
    try:
        phone_update_reducer.apply_phone_update(house, phone_update, now)
    finally:  # who was leaving has left, whatever comes of it
        _append_events(transaction, link, at, house)


def delete_guest_names(transaction: Transaction, before: int, today: str) -> int:
    """Names of guests of whom nothing was said since `before`, and who are not known to stay on, go."""
    asked = select(ROOMS.c.link, ROOMS.c.room).where(ROOMS.c.named, ROOMS.c.changed < before)
    gone = 0
    for link, name in transaction.connection.execute(asked).all():
        house = transaction.hotels.hotel(transaction.connection, link)
        if house.rooms[name].changed < before:  # also by what this very commit says
            gone += house.erase_guest_data(name, today)
    return gone


def _hotel_and_context(
    transaction: Transaction, link: str, at: datetime, session: int = 0
) -> tuple[HotelState, Context]:
    house = transaction.hotels.hotel(transaction.connection, link)
    return house, Context(to_ms(at), transaction.hotels.policy_of(link), transaction.next_seq, session)


def _append_events(transaction: Transaction, link: str, at: datetime, hotel: HotelState) -> None:
    for one in hotel.pop_events():
        if isinstance(one, WakeUpFinished):
            insert_rows(transaction, [_wake_up_result_row(transaction, link, at, one)])
        else:
            append_event(transaction, link, at, one)
    for room, new_room in hotel.pop_departures():
        cancel_pending_for_room(transaction, link, room, new_room)


def _wake_up_result_row(
    transaction: Transaction, link: str, at: datetime, finished: WakeUpFinished
) -> OutboxRow:
    told = phone_updates.wake_up_result_update(finished)
    seq = transaction.next_seq()
    body, text = phone_updates.serialize_update_body(told), told.record.text
    return OutboxRow(
        id=seq,
        link=link,
        record=told.record.id,
        type=told.type,
        room=told.room,
        body=body,
        text=text,
        subject=None,
        until=None,
        key=None,
        asked=None,
        number=None,
        created=to_ms(at),
        changed=seq,
    )
