"""What is said of houses, as operations: each is folded into them in the commit that keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import frozen
from sqlalchemy import select

from pmslink.fias.record import Record
from pmslink.hotel import phone_updates, record_reducer, stays, wake_ups
from pmslink.hotel.events import Awoken
from pmslink.hotel.hotel_state import House, Now
from pmslink.hotel.rooms import WakeUp
from pmslink.store.core.database import insert_many
from pmslink.store.core.schema import RECORDS, ROOMS
from pmslink.store.operations.cancel_pending import left
from pmslink.store.tables.hotel_events import happened
from pmslink.store.tables.log_entries import Recorded, Transaction
from pmslink.store.tables.outbox_rows import Row, add
from pmslink.timestamps import to_ms


def keep_records(transaction: Transaction, records: Sequence[Recorded]) -> Sequence[None]:
    """An operation: keep these records; those from the PMS mean something to its house."""
    for entry in records:
        entry.seq = transaction.number()
        transaction.told.append(entry)
        if entry.direction == "in" and entry.type in record_reducer.MEANINGS:
            house, now = _house_now(transaction, entry.link, entry.at, entry.session)
            record_reducer.hear(house, Record(entry.text), now)
            _tell_news(transaction, entry.link, entry.at, house)
    rows = [(one.seq, one.link, to_ms(one.at), one.direction, one.type, one.text) for one in records]
    insert_many(transaction.connection, RECORDS, rows)
    return [None] * len(records)


def let_time_pass(transaction: Transaction, links: Sequence[str]) -> Sequence[None]:
    """An operation: see what of these houses is due."""
    at = transaction.houses.wall()
    for link in links:
        house, now = _house_now(transaction, link, at)
        record_reducer.let_time_pass(house, now)
        _tell_news(transaction, link, at, house)
    return [None] * len(links)


def abandon_resyncs(transaction: Transaction, links: Sequence[str]) -> Sequence[None]:
    """An operation: a resync of these links that was running will not end."""
    at = transaction.houses.wall()
    for link in links:
        if transaction.houses.resyncs(transaction.connection, link):
            house = transaction.houses.of(transaction.connection, link)
            stays.abandon_resync(house)
            _tell_news(transaction, link, at, house)
    return [None] * len(links)


@frozen
class Reported:
    """What the PBX says of one attempt to wake, without a number of the last."""

    link: str
    room: str
    id: int
    attempt: int | None
    result: phone_updates.Results


def take_results(transaction: Transaction, asked: Sequence[Reported]) -> Sequence[WakeUp | Exception]:
    """An operation: gives each wake-up as it is now. UnknownWakeUp and NotDue may come of it."""
    return [_take_result(transaction, one) for one in asked]


def _take_result(transaction: Transaction, asked: Reported) -> WakeUp | Exception:
    at = transaction.houses.wall()
    house, now = _house_now(transaction, asked.link, at)
    try:
        wake_up = wake_ups.answered(house, asked.room, asked.id, asked.attempt, asked.result, now)
    except (wake_ups.UnknownWakeUp, wake_ups.NotDue) as problem:
        return problem
    _tell_news(transaction, asked.link, at, house)
    return wake_up


def apply_change(transaction: Transaction, link: str, change: phone_updates.Change, at: datetime) -> None:
    """What a phone tells the PMS, the house is to know. Raises TooManyWakeUps."""
    house, now = _house_now(transaction, link, at)
    try:
        phone_updates.apply(house, change, now)
    finally:  # who was leaving has left, whatever comes of it
        _tell_news(transaction, link, at, house)


def forget_guests(transaction: Transaction, before: int, today: str) -> int:
    """Names of guests of whom nothing was said since `before`, and who are not known to stay on, go."""
    asked = select(ROOMS.c.link, ROOMS.c.room).where(ROOMS.c.named, ROOMS.c.changed < before)
    gone = 0
    for link, name in transaction.connection.execute(asked).all():
        house = transaction.houses.of(transaction.connection, link)
        if house.rooms[name].changed < before:  # also by what this very commit says
            gone += house.forget_guests(name, today)
    return gone


def _house_now(transaction: Transaction, link: str, at: datetime, session: int = 0) -> tuple[House, Now]:
    house = transaction.houses.of(transaction.connection, link)
    return house, Now(to_ms(at), transaction.houses.rules_of(link), transaction.number, session)


def _tell_news(transaction: Transaction, link: str, at: datetime, house: House) -> None:
    for one in house.take_news():
        if isinstance(one, Awoken):
            add(transaction, [_result_row(transaction, link, at, one)])
        else:
            happened(transaction, link, at, one)
    for room, new_room in house.take_left():
        left(transaction, link, room, new_room)


def _result_row(transaction: Transaction, link: str, at: datetime, awoken: Awoken) -> Row:
    told = phone_updates.told_result(awoken)
    seq = transaction.number()
    body, text = phone_updates.body_text(told), told.record.text
    return Row(
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
