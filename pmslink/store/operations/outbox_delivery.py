"""What becomes of a row once the link takes it: sent, answered, proved, or left in doubt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from operator import attrgetter
from typing import Any

from attrs import evolve, frozen
from sqlalchemy import Connection, bindparam, func, or_, select

from pmslink.fias.record import Record
from pmslink.hotel.hotel_state import TOGETHER
from pmslink.hotel.phone_updates import Change, change_of
from pmslink.hotel.stays import shares
from pmslink.hotel.wake_ups import TooManyWakeUps
from pmslink.store.core.schema import POSTINGS, RECORDS
from pmslink.store.operations.hotel_updates import apply_change
from pmslink.store.tables.log_entries import Transaction
from pmslink.store.tables.outbox_rows import (
    IS_OPEN,
    OF_LINK,
    ROWS_AT_ONCE,
    Row,
    by_id,
    first,
    move,
    question,
    rows,
)
from pmslink.timestamps import from_ms

SET_ASIDE = 30_000
"""Milliseconds that a posting which the PMS answers with RY waits before it is sent again."""
PATIENCE = 24 * 3600 * 1000
"""Milliseconds after which a PMS that says RY or NA has refused."""

_WAKE_UPS = ("WR", "WC")
_DUE = or_(POSTINGS.c.not_before.is_(None), POSTINGS.c.not_before <= bindparam("now"))
_PENDING = question(OF_LINK, POSTINGS.c.state == "pending", _DUE).limit(1)
_AGAIN = question(OF_LINK, POSTINGS.c.state == "unknown", POSTINGS.c.queued == 1).limit(1)
_SET_ASIDE_UNTIL = select(func.min(POSTINGS.c.not_before)).where(OF_LINK, POSTINGS.c.state == "pending")
_NEWER = question(
    OF_LINK,
    POSTINGS.c.room == bindparam("room"),
    POSTINGS.c.subject == bindparam("subject"),
    POSTINGS.c.id > bindparam("id"),
    POSTINGS.c.state != "discarded",
).limit(1)
_LATER = question(
    OF_LINK,
    POSTINGS.c.number.is_(None),
    POSTINGS.c.room == bindparam("room"),
    POSTINGS.c.id > bindparam("id"),
    POSTINGS.c.queued == 1,
)
_SPOKEN = select(RECORDS.c.text).where(
    RECORDS.c.link == bindparam("link"),
    RECORDS.c.seq > bindparam("seq"),
    RECORDS.c.direction == "in",
    RECORDS.c.type.in_(("WR", "WC", "GO", "GC")),
)
_NUMBERED = question(
    OF_LINK, POSTINGS.c.number == bindparam("number"), POSTINGS.c.attempts > 0, newest_first=True
).limit(1)
_HOLDER = _NUMBERED.where(IS_OPEN)
_SENT = question(OF_LINK, POSTINGS.c.state == "sent")
_SENT_OF = _SENT.where(POSTINGS.c.id.in_(bindparam("ids", expanding=True)))


# Sending.


@frozen
class Take:
    """The next row of a link is wanted.

    `resend`: postings in doubt that are queued may be sent again. `mine`, after a take that failed: the
    rows that are on their way; what else is counted as sent, that take has left behind.
    """

    link: str
    now: int
    resend: bool = True
    mine: tuple[int, ...] | None = None


@frozen
class Later:
    """There is one, but not before this moment."""

    at: int


def take(transaction: Transaction, asked: Sequence[Take]) -> Sequence[Row | Later | None]:
    """An operation: the next row that is to be sent now, already counted as sent."""
    return [_take(transaction, one) for one in asked]


def _take(transaction: Transaction, asked: Take) -> Row | Later | None:
    link, now = asked.link, asked.now
    if asked.mine is not None:
        for row in rows(transaction.connection, _SENT, link=link):
            if row.id not in asked.mine:
                _put_back(transaction, row)
    while next_row := _next_due(transaction.connection, link, now):
        if why := _superseded(transaction.connection, next_row):
            move(transaction, next_row, state="discarded", queued=0, text_answer=why)
        elif _rests(next_row, asked):
            move(transaction, next_row, state="unknown", queued=0)
        elif _is_being_left(transaction, next_row):
            return Later(now + TOGETHER)
        else:
            return _send(transaction, next_row, now)
    at = transaction.connection.execute(_SET_ASIDE_UNTIL, {"link": link}).scalar()
    return None if at is None else Later(at)


def _rests(row: Row, asked: Take) -> bool:
    """Whether what became of a row stays unknown: sending it again is not wished, or of no use any more."""
    if row.record == "PS":
        return row.state == "unknown" and not asked.resend
    return bool(row.attempts) and row.until is not None and row.until < asked.now


def _is_being_left(transaction: Transaction, row: Row) -> bool:
    """Whether it shows in a moment if the guest who has told this moves or leaves, which makes it void."""
    if row.record == "PS" or row.attempts:
        return False
    return row.room in transaction.houses.of(transaction.connection, row.link).leaving


def _next_due(connection: Connection, link: str, now: int) -> Row | None:
    """The oldest that is to be sent again, or for the first time."""
    found = (first(connection, _AGAIN, link=link), first(connection, _PENDING, link=link, now=now))
    return min(filter(None, found), key=attrgetter("id"), default=None)


def _send(transaction: Transaction, row: Row, now: int) -> Row:
    if not row.attempts:
        _say_again(transaction, row, now)
    number = transaction.number()
    attempts = row.attempts + 1
    return move(
        transaction,
        row,
        state="sent",
        queued=0,
        attempts=attempts,
        sent=now,
        sent_seq=number,
        not_before=None,
    )


def _say_again(transaction: Transaction, row: Row, now: int) -> None:
    """What a phone told is so again, if the PMS has said something else while it waited: it hears this last.

    Unless the phone has told something else since, or the time of a wake-up has passed.
    """
    change = change_of(row.type, row.room, row.body)
    if change is None or (row.until is not None and row.until <= now):
        return
    asked = {"link": row.link, "room": row.room, "id": row.id}
    later = rows(transaction.connection, _LATER, **asked)
    changes: Iterable[Change] = [change]
    if row.record in _WAKE_UPS:
        changes = _still_meant(transaction, row.link, change, later)
    elif any(one.subject == row.subject for one in later):
        changes = ()
    for one in changes:
        with suppress(TooManyWakeUps):  # the PMS has filled the room meanwhile
            apply_change(transaction, row.link, one, from_ms(now))


def _still_meant(
    transaction: Transaction, link: str, change: Change, later: Iterable[Row]
) -> Iterator[Change]:
    """What a phone told of wake-ups, without the moments of which it has told something later."""
    told = [change_of(one.type, one.room, one.body) for one in later if one.record in _WAKE_UPS]
    moments = {one.value for one in told if one is not None}
    if None in moments or change.value in moments:
        return
    if change.value is not None or not moments:
        yield change
    elif room := transaction.houses.of(transaction.connection, link).rooms.get(change.room):
        for wake_up in room.wake_ups:
            if wake_up.at not in moments:
                yield evolve(change, value=wake_up.at)


def _superseded(connection: Connection, row: Row) -> str | None:
    """Why a row that was sent before need not be sent again."""
    if not row.attempts:
        return None
    if row.record == "RE":
        newer = first(connection, _NEWER, link=row.link, room=row.room, subject=row.subject, id=row.id)
        return "a newer value is sent instead" if newer else None
    if row.record in _WAKE_UPS:
        spoken = connection.execute(_SPOKEN, {"link": row.link, "seq": row.sent_seq or 0}).scalars()
        if any(_settles_wake_ups(Record(text), row.room) for text in spoken):
            return "the PMS has spoken of this room's wake-up since"
    return None


def _settles_wake_ups(record: Record, room: str) -> bool:
    """Whether the PMS says anew whom to wake there: it orders or cancels, or the room becomes vacant."""
    match record.id:
        case "WR" | "WC":
            return record.get("RN") == room
        case "GO":
            return record.get("RN") == room and record.get("GS") != "Y"
    return record.get("RO") == room and shares(record)[1] != "Y"


@frozen
class PutBack:
    """A row was counted as sent, but not a byte of it was written."""

    id: int


def put_back(transaction: Transaction, asked: Sequence[PutBack]) -> Sequence[None]:
    """An operation: what was taken is to be sent later."""
    for one in asked:
        row = by_id(transaction.connection, one.id)
        if row is not None and row.state == "sent":  # not answered meanwhile, for an earlier attempt
            _put_back(transaction, row)
    return [None] * len(asked)


def _put_back(transaction: Transaction, row: Row) -> None:
    state = "unknown" if row.lost else "pending"
    move(transaction, row, state=state, queued=1, attempts=row.attempts - 1)


# What comes back.


@frozen
class Answer:
    """The PMS's PA, for a number, or for the row that it can only mean."""

    link: str
    now: int
    status: str
    text: str | None
    number: int | None = None
    id: int | None = None


def settle(transaction: Transaction, answers: Sequence[Answer]) -> Sequence[Row | None]:
    """An operation: note what the PMS answered. None where no row is meant, or it says nothing new."""
    return [_settle(transaction, answer) for answer in answers]


def _settle(transaction: Transaction, answer: Answer) -> Row | None:
    connection = transaction.connection
    if answer.id is not None:
        row: Row | None = by_id(connection, answer.id)
    else:
        # The one that holds the number; else the last that had it.
        meant = {"link": answer.link, "number": answer.number}
        row = first(connection, _HOLDER, **meant) or first(connection, _NUMBERED, **meant)
    told: dict[str, Any] = {"answered": answer.now, "answer": answer.status, "text_answer": answer.text}
    match answer.status, row:
        case _, None:
            return None
        case "OK", Row(state="sent" | "unknown" | "discarded" | "pending"):
            return move(transaction, row, state="done", queued=0, **told)
        case "RY" | "NA", Row(state="sent" | "unknown") if not _patience_ends(row, answer.now):
            not_before = answer.now + SET_ASIDE if answer.status == "RY" else None
            held_since = row.held_since or answer.now
            told.update(not_before=not_before, held_since=held_since)
            return move(transaction, row, state="pending", queued=1, **told)
        case _, Row(state="sent" | "unknown"):
            return move(transaction, row, state="refused", queued=0, **told)
    return None


def _patience_ends(row: Row, now: int) -> bool:
    return row.held_since is not None and now - row.held_since >= PATIENCE


@frozen
class Proved:
    """What came later proves that the PMS has read these rows."""

    link: str
    now: int
    ids: tuple[int, ...]


def prove(transaction: Transaction, asked: Sequence[Proved]) -> Sequence[None]:
    """An operation: records that are not answered are done once there is proof."""
    for one in asked:
        for row in _sent_of(transaction.connection, one.link, one.ids):
            move(transaction, row, state="done", answered=one.now)
    return [None] * len(asked)


def _sent_of(connection: Connection, link: str, ids: Sequence[int]) -> list[Row]:
    return [
        row
        for at in range(0, len(ids), ROWS_AT_ONCE)
        for row in rows(connection, _SENT_OF, link=link, ids=ids[at : at + ROWS_AT_ONCE])
    ]


@frozen
class Leave:
    """What was sent will not be answered any more: these rows of a link, or all of it at a start.

    `resend`, up to `limit` attempts that are not answered; else a posting rests in unknown.
    """

    link: str
    resend: bool
    limit: int
    ids: tuple[int, ...] | None = None


def leave(transaction: Transaction, asked: Sequence[Leave]) -> Sequence[Sequence[Row]]:
    """An operation: nobody knows what became of these; some are to be sent again. Gives the rows."""
    left: list[Sequence[Row]] = []
    for one in asked:
        if one.ids is None:
            sent = rows(transaction.connection, _SENT, link=one.link)
        else:
            sent = _sent_of(transaction.connection, one.link, one.ids)
        left.append([_leave(transaction, row, one) for row in sent])
    return left


def _leave(transaction: Transaction, row: Row, how: Leave) -> Row:
    again = row.record != "WA"  # a second result of a wake-up would be taken for the first of another
    if row.record == "PS":
        again = how.resend and row.lost + 1 < how.limit
    return move(transaction, row, state="unknown", queued=int(again), lost=row.lost + 1)


@frozen
class Refuse:
    """A row that cannot be sent as the link is set up now."""

    id: int
    now: int
    why: str


def refuse(transaction: Transaction, asked: Sequence[Refuse]) -> Sequence[None]:
    """An operation: it was not sent, and this is why. What became of an earlier attempt stays unknown."""
    for one in asked:
        row = by_id(transaction.connection, one.id)
        if row is not None and row.state == "sent":
            state = "unknown" if row.lost else "refused"
            told = {"attempts": row.attempts - 1, "text_answer": one.why}
            move(transaction, row, state=state, answered=one.now, **told)
    return [None] * len(asked)
