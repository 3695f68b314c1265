"""The tables and indexes of version 5, as the upgrade of an older store creates them; they never change."""

from __future__ import annotations

from collections.abc import Mapping

TABLES: Mapping[str, str] = {
    "announcements": (
        "seq INTEGER NOT NULL, at BIGINT NOT NULL, text TEXT NOT NULL, checksum BIGINT NOT NULL, "
        "PRIMARY KEY (seq)"
    ),
    "cursors": "link VARCHAR NOT NULL, seq BIGINT NOT NULL, checksum BIGINT NOT NULL, PRIMARY KEY (link)",
    "events": (
        "seq INTEGER NOT NULL, link VARCHAR NOT NULL, at BIGINT NOT NULL, type VARCHAR NOT NULL, "
        "room VARCHAR, text TEXT NOT NULL, checksum BIGINT NOT NULL, PRIMARY KEY (seq)"
    ),
    "facts": "name VARCHAR NOT NULL, value TEXT NOT NULL, PRIMARY KEY (name)",
    "houses": (
        "link VARCHAR NOT NULL, body TEXT NOT NULL, next_at BIGINT, checksum BIGINT NOT NULL, "
        "PRIMARY KEY (link)"
    ),
    "links": (
        "name VARCHAR NOT NULL, definition TEXT, intent VARCHAR NOT NULL, expiry_seen BIGINT, "
        "down_since BIGINT, last_in_sync BIGINT, resync_wanted BOOLEAN NOT NULL, resync_asked "
        "BIGINT, resync_started BIGINT, resync_ended BIGINT, resync_records INTEGER NOT NULL, "
        "intent_before VARCHAR, checksum BIGINT NOT NULL, PRIMARY KEY (name)"
    ),
    "numbers": "link VARCHAR NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (link)",
    "postings": (
        "id INTEGER NOT NULL, link VARCHAR NOT NULL, record VARCHAR NOT NULL, type VARCHAR NOT "
        "NULL, room VARCHAR NOT NULL, body TEXT NOT NULL, text TEXT NOT NULL, subject VARCHAR, "
        'until BIGINT, "key" VARCHAR, asked VARCHAR, number INTEGER, created BIGINT NOT NULL, '
        "changed BIGINT NOT NULL, state VARCHAR NOT NULL, queued INTEGER NOT NULL, attempts INTEGER "
        "NOT NULL, lost INTEGER NOT NULL, sent BIGINT, sent_seq BIGINT, answered BIGINT, answer "
        "VARCHAR, text_answer TEXT, not_before BIGINT, held_since BIGINT, reservation VARCHAR, "
        "guests TEXT, room_sent VARCHAR, reason VARCHAR, checksum BIGINT NOT NULL, PRIMARY KEY (id)"
    ),
    "record_problems": (
        "seq INTEGER NOT NULL, link VARCHAR NOT NULL, at BIGINT NOT NULL, problem TEXT NOT NULL, "
        "checksum BIGINT NOT NULL, PRIMARY KEY (seq)"
    ),
    "records": (
        "seq INTEGER NOT NULL, link VARCHAR NOT NULL, at BIGINT NOT NULL, direction VARCHAR NOT "
        "NULL, type VARCHAR NOT NULL, text TEXT NOT NULL, checksum BIGINT NOT NULL, PRIMARY KEY "
        "(seq)"
    ),
    "rooms": (
        "link VARCHAR NOT NULL, room VARCHAR NOT NULL, body TEXT NOT NULL, changed BIGINT NOT NULL, "
        "named BOOLEAN NOT NULL, checksum BIGINT NOT NULL, PRIMARY KEY (link, room)"
    ),
    "runs": (
        "id INTEGER NOT NULL, began BIGINT NOT NULL, seen BIGINT NOT NULL, checksum BIGINT NOT "
        "NULL, PRIMARY KEY (id)"
    ),
    "stays": (
        "id INTEGER NOT NULL, link VARCHAR NOT NULL, room VARCHAR NOT NULL, guest VARCHAR NOT NULL, "
        "reservation VARCHAR, since BIGINT NOT NULL, until BIGINT, checksum BIGINT NOT NULL, "
        "PRIMARY KEY (id)"
    ),
    "syncs": (
        "id INTEGER NOT NULL, link VARCHAR NOT NULL, at BIGINT NOT NULL, in_sync BOOLEAN NOT NULL, "
        "checksum BIGINT NOT NULL, PRIMARY KEY (id)"
    ),
    "transitions": (
        "id INTEGER NOT NULL, seq BIGINT NOT NULL, link VARCHAR NOT NULL, at BIGINT NOT NULL, old "
        "VARCHAR, new VARCHAR NOT NULL, reason TEXT NOT NULL, cause TEXT NOT NULL, checksum BIGINT "
        "NOT NULL, PRIMARY KEY (id)"
    ),
}
"""The columns of each table."""

INDEXES: Mapping[str, tuple[str, ...]] = {
    "events": (
        "CREATE INDEX rebuilt.events_of_link ON events (link, seq)",
        "CREATE INDEX rebuilt.wake_up_outcomes ON events (at, seq, link) WHERE type IN "
        "('wake_up.done', 'wake_up.not_understood')",
    ),
    "postings": (
        "CREATE INDEX rebuilt.postings_by_change ON postings (changed)",
        'CREATE UNIQUE INDEX rebuilt.postings_by_key ON postings (link, "key") WHERE key IS NOT NULL',
        "CREATE INDEX rebuilt.postings_by_number ON postings (link, number, id) WHERE number IS NOT NULL",
        "CREATE INDEX rebuilt.postings_by_room ON postings (link, room, id) WHERE number IS NULL",
        "CREATE INDEX rebuilt.postings_by_state ON postings (link, state, id)",
        "CREATE INDEX rebuilt.postings_in_queue ON postings (link, record, not_before, id) WHERE queued = 1",
        "CREATE INDEX rebuilt.postings_of_link ON postings (link, id)",
        "CREATE INDEX rebuilt.postings_unresolved ON postings (id, link, record, state, queued, "
        "created) WHERE state IN ('pending', 'sent', 'unknown', 'refused')",
    ),
    "record_problems": ("CREATE INDEX rebuilt.record_problems_of_link ON record_problems (link, at, seq)",),
    "records": (
        "CREATE INDEX rebuilt.records_by_type ON records (link, direction, type, seq)",
        "CREATE INDEX rebuilt.records_of_link ON records (link, direction, seq)",
    ),
    "rooms": ("CREATE INDEX rebuilt.rooms_by_age ON rooms (named, changed, link, room)",),
    "stays": (
        "CREATE INDEX rebuilt.stays_by_end ON stays (until) WHERE until IS NOT NULL",
        "CREATE INDEX rebuilt.stays_of_guest ON stays (link, guest, id) WHERE guest != ''",
        "CREATE INDEX rebuilt.stays_of_room ON stays (link, room, id)",
    ),
    "syncs": ("CREATE INDEX rebuilt.syncs_of_link ON syncs (link, id)",),
    "transitions": (
        "CREATE INDEX rebuilt.transitions_by_seq ON transitions (link, seq)",
        "CREATE INDEX rebuilt.transitions_in_order ON transitions (seq)",
        "CREATE INDEX rebuilt.transitions_of_link ON transitions (link, id)",
    ),
}
"""The statements that create the indexes of each table, in the schema `rebuilt`."""
