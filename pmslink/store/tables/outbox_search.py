"""Search of a link's outbox: by states, by time, and by a room, a posting number or the digits of a call.

No search reads more than a bounded number of rows: where few of them match, the answer says where to go on.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from heapq import merge
from itertools import islice
from operator import attrgetter

from attrs import frozen
from sqlalchemy import ColumnElement, Connection, String, func, or_, select

from pmslink.store.core.schema import POSTINGS
from pmslink.store.tables.outbox_rows import OutboxRow, RowState, select_newest_rows

MAX_SEARCHED_ROWS = 5000
"""Rows of each state in which one search for text looks, some 30 milliseconds."""
_CLOCK_TOLERANCE_MS = 24 * 3600 * 1000
"""How far the clock may have been set back for a search by time to find all rows of a large outbox."""
_POSTING_NUMBER_PREFIXES = ("p#", "#")
_DIGIT_SEPARATORS = str.maketrans("", "", "+-() ")


@frozen
class RowSearch:
    """Which rows of an outbox to find."""

    states: Sequence[RowState] = ()
    """Rows in one of these states; in any state if empty."""
    text: str = ""
    """What the name of the room begins with, the posting number, or digits of the dialled number."""
    sees_digits: bool = True
    """Whether dialled numbers are searched: they are guest data."""
    since_ms: int | None = None
    """Rows created at this time or later, in milliseconds since 1970."""
    until_ms: int | None = None
    """Rows created before this time."""


@frozen
class FoundRows:
    """Rows that were found, newest first, and the id below which to go on; None if there are no more."""

    rows: Sequence[OutboxRow]
    next_before: int | None


def find_rows(
    connection: Connection, link: str, search: RowSearch, before: int | None, limit: int
) -> FoundRows:
    """Return rows of a link that a search finds, newest first, with ids below `before` if it is given."""
    conditions = _time_conditions(search)
    first_id, before = _id_range(connection, link, search, before)
    states: Sequence[RowState | None] = search.states or (None,)
    searched_from = first_id
    if search.text:
        searched_from = max(first_id, *(_searched_from(connection, link, state, before) for state in states))
        conditions.append(_text_condition(search))
    queries = (
        select_newest_rows(connection, link, state, before, POSTINGS.c.id >= searched_from, *conditions)
        for state in states
    )
    newest = merge(*queries, key=attrgetter("id"), reverse=True)
    found = list(islice((row for row in newest if _matches_text(row, search)), limit + 1))
    if len(found) > limit:
        del found[limit:]
        return FoundRows(found, found[-1].id)
    return FoundRows(found, searched_from if searched_from > first_id else None)


def _time_conditions(search: RowSearch) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if search.since_ms is not None:
        conditions.append(POSTINGS.c.created >= search.since_ms)
    if search.until_ms is not None:
        conditions.append(POSTINGS.c.created < search.until_ms)
    return conditions


def _id_range(
    connection: Connection, link: str, search: RowSearch, before: int | None
) -> tuple[int, int | None]:
    """Return the first id of the rows of the time that is searched, and the id before which they end.

    The range has some rows more: ids are not quite in the order of time, because a clock can be set back.
    """
    first_id = 0
    if not _searched_from(connection, link, None, before):
        return first_id, before  # so few rows that reading them all is quick
    if search.since_ms is not None:
        first_id = _first_id_since(connection, link, search.since_ms - _CLOCK_TOLERANCE_MS)
    if search.until_ms is not None:
        end = _first_id_since(connection, link, search.until_ms + _CLOCK_TOLERANCE_MS)
        before = end if before is None else min(before, end)
    return first_id, before


def _first_id_since(connection: Connection, link: str, created_ms: int) -> int:
    """Return an id below which all rows of a link are older than a time.

    It halves the range of ids, because the store has no index by time: a few dozen rows are read.
    """
    columns = select(POSTINGS.c.id, POSTINGS.c.created).where(POSTINGS.c.link == link)
    newest = connection.execute(columns.order_by(POSTINGS.c.id.desc()).limit(1)).first()
    low, high = 0, 0 if newest is None else newest.id + 1
    while low < high:
        middle = (low + high) // 2
        rows = columns.where(POSTINGS.c.id >= middle).order_by(POSTINGS.c.id).limit(1)
        row = connection.execute(rows).first()
        if row is None or row.created >= created_ms:
            high = middle
        else:
            low = row.id + 1
    return low


def _searched_from(connection: Connection, link: str, state: RowState | None, before: int | None) -> int:
    """Return the first id of the rows in which one search looks; 0 if it looks in all."""
    query = select(POSTINGS.c.id).where(POSTINGS.c.link == link).order_by(POSTINGS.c.id.desc())
    if state is not None:
        query = query.where(POSTINGS.c.state == state)
    if before is not None:
        query = query.where(POSTINGS.c.id < before)
    newest_unsearched = connection.execute(query.limit(1).offset(MAX_SEARCHED_ROWS)).scalar()
    return 0 if newest_unsearched is None else newest_unsearched + 1


# Text. The database preselects rows whose body has the digits anywhere; Python looks into the body.


def _text_condition(search: RowSearch) -> ColumnElement[bool]:
    text = search.text.lower()
    number = _posting_number(text)
    conditions = [_begins_with_text(POSTINGS.c.room, text), _begins_with_text(POSTINGS.c.room_sent, text)]
    if number is not None:
        conditions.append(POSTINGS.c.number == number)
    if digits := _searched_digits(search):
        conditions.append(POSTINGS.c.body.contains(digits, autoescape=True))
    return or_(*conditions)


def _begins_with_text(column: ColumnElement[str], text: str) -> ColumnElement[bool]:
    return func.lower(column, type_=String).startswith(text, autoescape=True)


def _matches_text(row: OutboxRow, search: RowSearch) -> bool:
    text = search.text.lower()
    if any(name is not None and name.lower().startswith(text) for name in (row.room, row.room_sent)):
        return True
    if row.number is not None and row.number == _posting_number(text):
        return True
    digits = _searched_digits(search)
    return bool(digits) and digits in json.loads(row.body).get("dialled", "")


def _posting_number(text: str) -> int | None:
    for prefix in _POSTING_NUMBER_PREFIXES:
        text = text.removeprefix(prefix)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 8 else None


def _searched_digits(search: RowSearch) -> str:
    digits = search.text.translate(_DIGIT_SEPARATORS)
    return digits if search.sees_digits and digits.isascii() and digits.isdigit() else ""
