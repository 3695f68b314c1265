"""Migrations: each turns a store of one schema version into one of the next.

A migration is written in SQL and never changes. It creates the tables of its own version, which may differ
from those of `schema.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from zlib import crc32

from sqlalchemy import Connection, column, insert, select, table, text, update

Migration = Callable[[Connection], None]
Row = tuple[object, ...]

_VERSION_2_STATEMENTS = (
    "CREATE TABLE syncs (id BIGINT NOT NULL, link VARCHAR NOT NULL, at BIGINT NOT NULL,"
    " in_sync BOOLEAN NOT NULL, checksum BIGINT NOT NULL, PRIMARY KEY (id))",
    "CREATE INDEX syncs_of_link ON syncs (link, id)",
    "CREATE TABLE runs (id BIGINT NOT NULL, began BIGINT NOT NULL, seen BIGINT NOT NULL,"
    " checksum BIGINT NOT NULL, PRIMARY KEY (id))",
)

_VERSION_3_STATEMENTS = (
    "CREATE TABLE rooms (link VARCHAR NOT NULL, room VARCHAR NOT NULL, body TEXT NOT NULL,"
    " changed BIGINT NOT NULL, named BOOLEAN NOT NULL, checksum BIGINT NOT NULL, PRIMARY KEY (link, room))",
    "CREATE INDEX rooms_by_age ON rooms (named, changed)",
    "CREATE TABLE houses (link VARCHAR NOT NULL, body TEXT NOT NULL, next_at BIGINT,"
    " checksum BIGINT NOT NULL, PRIMARY KEY (link))",
    "CREATE TABLE events (seq BIGINT NOT NULL, link VARCHAR NOT NULL, at BIGINT NOT NULL,"
    " type VARCHAR NOT NULL, room VARCHAR, text TEXT NOT NULL, checksum BIGINT NOT NULL, PRIMARY KEY (seq))",
    "CREATE INDEX events_of_link ON events (link, seq)",
    "CREATE INDEX postings_by_room ON postings (link, room) WHERE number IS NULL",
    "CREATE TABLE cursors (link VARCHAR NOT NULL, seq BIGINT NOT NULL, checksum BIGINT NOT NULL,"
    " PRIMARY KEY (link))",
)

_VERSION_4_STATEMENTS = (
    "CREATE TABLE stays (id BIGINT NOT NULL, link VARCHAR NOT NULL, room VARCHAR NOT NULL,"
    " guest VARCHAR NOT NULL, reservation VARCHAR, since BIGINT NOT NULL, until BIGINT,"
    " checksum BIGINT NOT NULL, PRIMARY KEY (id))",
    "CREATE INDEX stays_of_room ON stays (link, room, id)",
    "CREATE INDEX stays_of_guest ON stays (link, guest, id)",
    "CREATE INDEX stays_by_end ON stays (until) WHERE until IS NOT NULL",
    "CREATE TABLE record_problems (seq BIGINT NOT NULL, link VARCHAR NOT NULL, at BIGINT NOT NULL,"
    " problem TEXT NOT NULL, checksum BIGINT NOT NULL, PRIMARY KEY (seq))",
    "CREATE INDEX record_problems_of_link ON record_problems (link, seq)",
)
_VERSION_4_LINKS = (
    "CREATE TABLE links (name VARCHAR NOT NULL, definition TEXT, intent VARCHAR NOT NULL,"
    " expiry_seen BIGINT, down_since BIGINT, last_in_sync BIGINT, resync_wanted BOOLEAN NOT NULL,"
    " resync_asked BIGINT, resync_started BIGINT, resync_ended BIGINT, resync_records INTEGER NOT NULL,"
    " intent_before VARCHAR, checksum BIGINT NOT NULL, PRIMARY KEY (name))"
)
_VERSION_4_POSTINGS = (
    "CREATE TABLE postings (id BIGINT NOT NULL, link VARCHAR NOT NULL, record VARCHAR NOT NULL,"
    " type VARCHAR NOT NULL, room VARCHAR NOT NULL, body TEXT NOT NULL, text TEXT NOT NULL,"
    ' subject VARCHAR, until BIGINT, "key" VARCHAR, asked VARCHAR, number INTEGER, created BIGINT NOT NULL,'
    " changed BIGINT NOT NULL, state VARCHAR NOT NULL, queued INTEGER NOT NULL, attempts INTEGER NOT NULL,"
    " lost INTEGER NOT NULL, sent BIGINT, sent_seq BIGINT, answered BIGINT, answer VARCHAR,"
    " text_answer TEXT, not_before BIGINT, held_since BIGINT, reservation VARCHAR, guests TEXT,"
    " room_sent VARCHAR, reason VARCHAR, checksum BIGINT NOT NULL, PRIMARY KEY (id))"
)
_VERSION_4_POSTINGS_INDEXES = (
    "CREATE INDEX postings_of_link ON postings (link, state, id)",
    "CREATE INDEX postings_by_number ON postings (link, number)",
    "CREATE INDEX postings_by_change ON postings (changed)",
    "CREATE INDEX postings_in_queue ON postings (link, record, id) WHERE queued = 1",
    "CREATE INDEX postings_by_room ON postings (link, room) WHERE number IS NULL",
    'CREATE UNIQUE INDEX postings_by_key ON postings (link, "key") WHERE key IS NOT NULL',
)
_VERSION_6_LINKS = (
    "CREATE TABLE links (name VARCHAR NOT NULL, definition TEXT, intent VARCHAR NOT NULL,"
    " expiry_seen BIGINT, down_since BIGINT, last_in_sync BIGINT, resync_wanted BOOLEAN NOT NULL,"
    " resync_asked BIGINT, resync_started BIGINT, resync_ended BIGINT, resync_records INTEGER NOT NULL,"
    " intent_before VARCHAR, made_by VARCHAR, made_at BIGINT, checksum BIGINT NOT NULL, PRIMARY KEY (name))"
)
_VERSION_6_STATEMENTS = (
    "CREATE TABLE audit (id INTEGER NOT NULL, at BIGINT NOT NULL, who VARCHAR NOT NULL,"
    ' role VARCHAR NOT NULL, "action" VARCHAR NOT NULL, link VARCHAR, object VARCHAR, "before" TEXT,'
    ' "after" TEXT, result VARCHAR NOT NULL, checksum BIGINT NOT NULL, PRIMARY KEY (id))',
    'CREATE INDEX audit_by_action ON audit ("action", id)',
    "CREATE INDEX audit_by_who ON audit (who, id)",
    "CREATE INDEX audit_of_link ON audit (link, id)",
    "CREATE TABLE notices (id INTEGER NOT NULL, link VARCHAR, kind VARCHAR NOT NULL,"
    " subject VARCHAR NOT NULL, opened BIGINT NOT NULL, changed BIGINT NOT NULL, over BIGINT,"
    " params TEXT NOT NULL, acknowledged_by VARCHAR, acknowledged_at BIGINT, checksum BIGINT NOT NULL,"
    " PRIMARY KEY (id))",
    "CREATE INDEX notices_by_change ON notices (changed)",
    "CREATE INDEX notices_by_end ON notices (over)",
    "CREATE INDEX notices_of_link ON notices (link, id)",
)
_STAY_COLUMNS = ("id", "link", "room", "guest", "reservation", "since", "until")
_FACTS = table("facts", column("name"), column("value"))
_BATCH_ROWS = 5000
"""Number of rows that a migration reads and writes at a time."""


def _add_syncs_and_runs(connection: Connection) -> None:
    # Both stay empty, because earlier runs of the service are not known.
    for statement in _VERSION_2_STATEMENTS:
        connection.exec_driver_sql(statement)


def _add_hotel_tables(connection: Connection) -> None:
    # The rooms are not known until the next resync, so mark the shutdown as unclean.
    for statement in _VERSION_3_STATEMENTS:
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql("UPDATE facts SET value = '1' WHERE name = 'running'")


def _add_stays_and_reasons(connection: Connection) -> None:
    # The checksum is the last column of a row and covers the others, so rows with new columns are rewritten.
    _rebuild(connection, "links", _VERSION_4_LINKS, _link_of_version_4, "intent_before")
    added = ("reservation", "guests", "room_sent", "reason")
    _rebuild(connection, "postings", _VERSION_4_POSTINGS, _posting_of_version_4, *added)
    for statement in (*_VERSION_4_POSTINGS_INDEXES, *_VERSION_4_STATEMENTS):
        connection.exec_driver_sql(statement)
    _begin_stays(connection)


def _add_audit_and_notices(connection: Connection) -> None:
    # Who created a link is not known, so both new columns stay null.
    _rebuild(connection, "links", _VERSION_6_LINKS, _link_of_version_6, "made_by", "made_at")
    for statement in _VERSION_6_STATEMENTS:
        connection.exec_driver_sql(statement)


def _rebuild(
    connection: Connection, name: str, create_statement: str, convert: Callable[[Row], Row], *added: str
) -> None:
    """Replace a table by one with more columns; `convert` gets and returns rows without their checksums."""
    connection.exec_driver_sql(f"ALTER TABLE {name} RENAME TO old_{name}")
    connection.exec_driver_sql(create_statement)
    rows = connection.execute(select(text("*")).select_from(table(f"old_{name}")))
    *columns, _ = rows.keys()
    for batch in rows.partitions(_BATCH_ROWS):
        _insert(connection, name, (*columns, *added), [convert(tuple(row)) for row in batch])
    connection.exec_driver_sql(f"DROP TABLE old_{name}")


def _link_of_version_4(row: Row) -> Row:
    *before, resync_wanted, asked, started, ended, records, stored_checksum = row
    values = (*before, bool(resync_wanted), asked, started, ended, records)
    _verify("links", values, stored_checksum)
    return (*values, None)


def _link_of_version_6(row: Row) -> Row:
    *before, resync_wanted, asked, started, ended, records, intent_before, stored_checksum = row
    values = (*before, bool(resync_wanted), asked, started, ended, records, intent_before)
    _verify("links", values, stored_checksum)
    return (*values, None, None)


def _posting_of_version_4(row: Row) -> Row:
    *values, stored_checksum = row
    _verify("postings", tuple(values), stored_checksum)
    state, answer = values[14], values[21]
    reason = "unanswered" if state == "unknown" else None
    if state == "refused":  # by the PMS, or because the character set lacks a character
        reason = "charset" if answer is None else "pms"
    return (*values, None, None, None, reason)


def _verify(name: str, values: Row, stored_checksum: object) -> None:
    """Raise ValueError for a damaged row, which a new checksum would hide."""
    if _checksum(values) != stored_checksum:
        raise ValueError(f"a row of {name} does not match its checksum")


def _begin_stays(connection: Connection) -> None:
    """Begin the stays of the present guests, who are in their rooms at least since these changed last."""
    stays = [*_stays_of_version_4(connection)]
    if stays:
        _insert(connection, "stays", _STAY_COLUMNS, stays)
        last_id = str(stays[-1][0])
        connection.execute(update(_FACTS).where(_FACTS.c.name == "sequence").values(value=last_id))


def _stays_of_version_4(connection: Connection) -> Iterator[Row]:
    sequence = connection.execute(select(_FACTS.c.value).where(_FACTS.c.name == "sequence")).scalar()
    stay_id = int(sequence or 0)
    rooms = connection.exec_driver_sql("SELECT link, room, body, changed FROM rooms ORDER BY changed, room")
    for link, room, body, changed in rooms:
        for guest in json.loads(body)["guests"]:
            stay_id += 1
            number = guest["number"]
            yield (stay_id, link, room, number or f"stay {stay_id}", number or None, changed, None)


def _insert(connection: Connection, name: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
    names = (*columns, "checksum")
    values = [dict(zip(names, (*row, _checksum(row)), strict=True)) for row in rows]
    connection.execute(insert(table(name, *map(column, names))), values)


def _checksum(row: Row) -> int:
    return crc32(repr(row).encode())


MIGRATIONS: Mapping[int, Migration] = {
    2: _add_syncs_and_runs,
    3: _add_hotel_tables,
    4: _add_stays_and_reasons,
    6: _add_audit_and_notices,
}
"""Migrations by the version that they lead to."""
