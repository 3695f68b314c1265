"""Apply records, phone updates, wake-up results and due times to hotels, in the storing transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from attrs import frozen
from sqlalchemy import select, true, tuple_

from pmslink.errors import NotApplicableError
from pmslink.fias.record import Record
from pmslink.hotel import (
    phone_update_records,
    phone_update_reducer,
    record_reducer,
    resyncs,
    wake_up_attempts,
)
from pmslink.hotel.events import WakeUpFinished
from pmslink.hotel.hotel_state import Context, HotelState
from pmslink.hotel.manual_changes import ManualChange
from pmslink.hotel.manual_decisions import UnknownManualChangeError
from pmslink.hotel.rooms import WakeUp
from pmslink.store.core.prepared_statements import insert_many
from pmslink.store.core.schema import RECORD_PROBLEMS, RECORDS, ROOMS
from pmslink.store.core.transaction import Transaction
from pmslink.store.operations.cancel_pending import cancel_ended_wake_up, cancel_pending_for_room
from pmslink.store.operations.held_charges import assign_reservation, queue_awaiting
from pmslink.store.tables.audit_log import AuditEntry, insert_audit_entries
from pmslink.store.tables.hotel_events import append_event
from pmslink.store.tables.log_entries import RecordLogged
from pmslink.store.tables.outbox_rows import OutboxRow, insert_rows
from pmslink.store.tables.stays import apply_stay_changes
from pmslink.timestamps import to_ms


def append_records(transaction: Transaction, records: Sequence[RecordLogged]) -> Sequence[None]:
    """Operation: store records, and apply those from the PMS to the hotel of their link.

    A record over the budget of its link gets no row, but is applied and published like the others.
    """
    for entry in records:
        entry.seq = transaction.next_seq()
        transaction.to_publish.append(entry)
        if entry.direction == "in" and entry.type in record_reducer.HANDLERS:
            state, context = _hotel_and_context(transaction, entry.link, entry.at, entry.session)
            record_reducer.apply_record(state, Record(entry.text), context)
            if state.bound_problem is not None:
                entry.problem, entry.is_beyond_bounds = state.bound_problem, True
            _append_events(transaction, entry.link, entry.at, state)
    rows = [
        (record.seq, record.link, to_ms(record.at), record.direction, record.type, record.text)
        for record in records
        if record.is_text_stored
    ]
    if rows:
        insert_many(transaction.connection, RECORDS, rows)
    problems = [
        (record.seq, record.link, to_ms(record.at), record.problem)
        for record in records
        if record.problem and record.is_text_stored
    ]
    if problems:
        insert_many(transaction.connection, RECORD_PROBLEMS, problems)
    return [None] * len(records)


def run_due(transaction: Transaction, links: Sequence[str]) -> Sequence[None]:
    """Operation: apply the current wall clock time to the hotels of these links."""
    at = transaction.hotels.wall_clock()
    for link in links:
        state, context = _hotel_and_context(transaction, link, at)
        record_reducer.advance(state, context)
        _append_events(transaction, link, at, state)
    return [None] * len(links)


def abort_resyncs(transaction: Transaction, links: Sequence[str]) -> Sequence[None]:
    """Operation: abort the resyncs in progress in the hotels of these links."""
    at = transaction.hotels.wall_clock()
    for link in links:
        if transaction.hotels.is_resyncing(transaction.connection, link):
            state = transaction.hotels.hotel(transaction.connection, link)
            resyncs.abort_resync(state)
            _append_events(transaction, link, at, state)
    return [None] * len(links)


@frozen
class ManualWork:
    """Work by hand in the hotel of a link. `work` returns the changes that are open because of it.

    It may raise NotApplicableError or UnknownManualChangeError. `audit` says who has done it.
    """

    link: str
    work: Callable[[HotelState, Context], Sequence[ManualChange]]
    audit: AuditEntry | None = None


def do_manual_work(
    transaction: Transaction, requests: Sequence[ManualWork]
) -> Sequence[Sequence[ManualChange] | Exception]:
    """Operation: do work by hand, and return the changes of each request, or its error."""
    return [_do_manual_work(transaction, request) for request in requests]


def _do_manual_work(transaction: Transaction, request: ManualWork) -> Sequence[ManualChange] | Exception:
    at = transaction.hotels.wall_clock()
    state, context = _hotel_and_context(transaction, request.link, at)
    try:
        changes = request.work(state, context)
        insert_audit_entries(transaction, [] if request.audit is None else [request.audit])
        return changes
    except (NotApplicableError, UnknownManualChangeError) as error:
        return error
    finally:  # a pending check-out of the room is completed even if the work is refused
        _append_events(transaction, request.link, at, state)


@frozen
class WakeUpReport:
    """The result of one attempt of a wake-up, as the PBX reports it; without `attempt`, of the last one."""

    link: str
    room: str
    wake_up_id: int
    attempt: int | None
    result: phone_update_records.ReportedResult


def store_wake_up_results(
    transaction: Transaction, reports: Sequence[WakeUpReport]
) -> Sequence[WakeUp | Exception]:
    """Operation: store the results, and return each wake-up.

    A result may be UnknownWakeUpError or WakeUpNotDueError.
    """
    return [_store_wake_up_result(transaction, report) for report in reports]


def _store_wake_up_result(transaction: Transaction, report: WakeUpReport) -> WakeUp | Exception:
    at = transaction.hotels.wall_clock()
    state, context = _hotel_and_context(transaction, report.link, at)
    try:
        wake_up = wake_up_attempts.record_attempt_result(
            state, report.room, report.wake_up_id, report.attempt, report.result, context
        )
    except (wake_up_attempts.UnknownWakeUpError, wake_up_attempts.WakeUpNotDueError) as error:
        return error
    _append_events(transaction, report.link, at, state)
    return wake_up


def apply_phone_update(
    transaction: Transaction, link: str, phone_update: phone_update_records.PhoneUpdate, at: datetime
) -> None:
    """Apply a phone update to the hotel. Raises TooManyWakeUpsError."""
    state, context = _hotel_and_context(transaction, link, at)
    try:
        phone_update_reducer.apply_phone_update(state, phone_update, context)
    finally:  # a pending check-out of the room is completed even if the update fails
        _append_events(transaction, link, at, state)


def delete_guest_names(
    transaction: Transaction, before: int, today: str, after: tuple[Any, ...], limit: int
) -> tuple[int, tuple[Any, ...] | None]:
    """Delete the guests' names in rooms that have not changed since `before`, in at most `limit` rooms.

    `before` is in milliseconds since 1970 in UTC. A guest whose departure is after `today` (an ISO date)
    keeps the names of the whole room. Return the number of rooms, and the cursor to give as `after` next; it
    is () for the first rooms, and None when there are no more.
    """
    key = ROOMS.c.changed, ROOMS.c.link, ROOMS.c.room
    query = select(*key).where(ROOMS.c.named == true(), ROOMS.c.changed < before).order_by(*key).limit(limit)
    if after:
        query = query.where(tuple_(*key) > after)
    rooms = transaction.connection.execute(query).all()
    deleted = 0
    for _, link, name in rooms:
        state = transaction.hotels.hotel(transaction.connection, link)
        if state.rooms[name].changed < before:  # it may have changed in this transaction
            deleted += state.erase_guest_data(name, today)
    return deleted, tuple(rooms[-1]) if len(rooms) == limit else None


def _hotel_and_context(
    transaction: Transaction, link: str, at: datetime, session: int = 0
) -> tuple[HotelState, Context]:
    state = transaction.hotels.hotel(transaction.connection, link)
    hotels = transaction.hotels
    policy, is_settled = hotels.policy_of(link), hotels.is_clock_settled()
    return state, Context(to_ms(at), policy, transaction.next_seq, session, is_settled)


def _append_events(transaction: Transaction, link: str, at: datetime, state: HotelState) -> None:
    for event in state.pop_events():
        if isinstance(event, WakeUpFinished):
            insert_rows(transaction, [_wake_up_result_row(transaction, link, at, event)])
            cancel_ended_wake_up(transaction, link, event.room, event.wake_up.due)
        else:
            append_event(transaction, link, at, event)
    stay_changes = state.pop_stay_changes()
    for stay in apply_stay_changes(transaction, link, to_ms(at), stay_changes):
        assign_reservation(transaction, link, stay)
    if state.manual.is_changed or (stay_changes and state.manual.by_id):
        state.manual.is_changed = False
        queue_awaiting(transaction, link)
    for vacated in state.pop_departures():
        cancel_pending_for_room(transaction, link, vacated)


def _wake_up_result_row(
    transaction: Transaction, link: str, at: datetime, finished: WakeUpFinished
) -> OutboxRow:
    update = phone_update_records.wake_up_result_update(finished)
    return OutboxRow.new(
        transaction.next_seq(),
        link=link,
        record=update.record.id,
        row_type=update.type,
        room=update.room,
        body=phone_update_records.serialize_update_body(update),
        text=update.record.text,
        created=to_ms(at),
    )
