"""The schema of a store: its tables, and its version.

Times are whole milliseconds since 1970 in UTC. `seq` is the sequence of the store: all tables share it, and
it has gaps.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TextClause,
    text,
)

SCHEMA_VERSION = 6
"""The version that this release reads and writes."""

METADATA = MetaData()

# A database uses a partial index only for a query with the same condition, and not with parameters in it.
IS_UNRESOLVED = text("state IN ('pending', 'sent', 'unknown', 'refused')")
"""The condition for outbox rows that are not done or discarded."""
IS_WAKE_UP_OUTCOME = text("type IN ('wake_up.done', 'wake_up.not_understood')")
"""The condition for hotel events that say how a wake-up ended."""


def _partial_index(condition: TextClause) -> dict[str, Any]:
    """Return the options of an index over the rows that meet a condition, for any database."""
    return {"sqlite_where": condition, "postgresql_where": condition}


def _key_column(name: str) -> Column[int]:
    """Return a primary key whose values are numbers of the store's sequence.

    In SQLite, only a key of the type INTEGER is the row's own id; any other needs an index of its own.
    """
    number = BigInteger().with_variant(Integer(), "sqlite")
    return Column(name, number, primary_key=True, autoincrement=False)


def _checksum_column() -> Column[int]:
    """Return the column for the checksum of all other columns; it is the last one of its table."""
    return Column("checksum", BigInteger, nullable=False)


STORE_METADATA = Table(
    "facts",
    METADATA,
    Column("name", String, primary_key=True),
    Column("value", Text, nullable=False),
)
"""Metadata of the store itself.

They are `version`, `sequence`, `running`, `purged_until`, `receipt`, `high_water`, `restored` (the next start
finds an older copy) and `was_restored` (once, so a link without a posting number may have assigned some).
"""

LINKS = Table(
    "links",
    METADATA,
    Column("name", String, primary_key=True),
    Column("definition", Text),  # JSON; null for a link of the configuration
    Column("intent", String, nullable=False),
    Column("expiry_seen", BigInteger),  # the last expires_at that was handled
    Column("down_since", BigInteger),
    Column("last_in_sync", BigInteger),
    Column("resync_wanted", Boolean, nullable=False),
    Column("resync_asked", BigInteger),
    Column("resync_started", BigInteger),
    Column("resync_ended", BigInteger),
    Column("resync_records", Integer, nullable=False),
    Column("intent_before", String),  # the intent before the link expired
    Column(
        "made_by", String
    ),  # the caller who created it; null if the configuration did, or an older release
    Column("made_at", BigInteger),
    _checksum_column(),
)

POSTING_NUMBERS = Table(
    "numbers",
    METADATA,
    Column("link", String, primary_key=True),
    Column("last", Integer, nullable=False),
)
"""The posting number (P#) that each link assigned last.

In a restored store it is negative, -1 - N for N: numbers above N may have been assigned since the copy, so
the next one is far above.
"""

RECORDS = Table(
    "records",
    METADATA,
    _key_column("seq"),
    Column("link", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("direction", String, nullable=False),
    Column("type", String, nullable=False),
    Column("text", Text, nullable=False),
    _checksum_column(),
    Index("records_of_link", "link", "direction", "seq"),
    Index("records_by_type", "link", "direction", "type", "seq"),
)
"""Records that were received and sent, except those of the link itself (LS, LA …)."""

TRANSITIONS = Table(
    "transitions",
    METADATA,
    _key_column("id"),
    Column("seq", BigInteger, nullable=False),
    Column("link", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("old", String),
    Column("new", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("cause", Text, nullable=False),
    _checksum_column(),
    Index("transitions_of_link", "link", "id"),
    Index("transitions_by_seq", "link", "seq"),
    Index("transitions_in_order", "seq"),
)

SYNC_CHANGES = Table(
    "syncs",
    METADATA,
    _key_column("id"),
    Column("link", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("in_sync", Boolean, nullable=False),
    _checksum_column(),
    Index("syncs_of_link", "link", "id"),
)
"""Each time when a link became in sync or out of sync.

Its `id` is of the same sequence as that of a transition, so the two can be merged in order. A transition from
null begins out of sync.
"""

RUNS = Table(
    "runs",
    METADATA,
    _key_column("id"),
    Column("began", BigInteger, nullable=False),
    Column("seen", BigInteger, nullable=False),
    _checksum_column(),
)
"""Each run of the service, and when it last confirmed that it runs. Rows with an id between those of two runs
belong to the first of them."""

LINK_SNAPSHOTS = Table(
    "announcements",
    METADATA,
    _key_column("seq"),
    Column("at", BigInteger, nullable=False),
    Column("text", Text, nullable=False),
    _checksum_column(),
)
"""The last published changes of links, for subscribers that resume after a restart."""

POSTINGS = Table(
    "postings",
    METADATA,
    _key_column("id"),
    Column("link", String, nullable=False),
    Column("record", String, nullable=False),  # PS, RE, WR, WC or WA
    Column("type", String, nullable=False),
    Column("room", String, nullable=False),
    Column("body", Text, nullable=False),  # of the request, JSON
    Column("text", Text, nullable=False),  # of the record, without P#
    Column("subject", String),  # of an RE: a newer row of the same subject replaces it
    Column("until", BigInteger),  # when a wake-up is due; after that it is not sent again
    Column("key", String),  # the Idempotency-Key …
    Column("asked", String),  # … and a digest of the request that came with it
    Column("number", Integer),  # P#
    Column("created", BigInteger, nullable=False),
    Column("changed", BigInteger, nullable=False),  # the seq of its last change
    Column("state", String, nullable=False),
    Column(
        "queued", Integer, nullable=False
    ),  # 1: to be sent, for the first time or again; 2: held_charges.py
    Column("attempts", Integer, nullable=False),
    Column("lost", Integer, nullable=False),  # attempts without an answer
    Column("sent", BigInteger),
    Column("sent_seq", BigInteger),
    Column("answered", BigInteger),
    Column("answer", String),
    Column("text_answer", Text),
    Column("not_before", BigInteger),
    Column("held_since", BigInteger),  # when the PMS first answered RY or NA
    Column("reservation", String),  # G# of the guest who was in the room when a posting started
    Column("guests", Text),  # the guests who were in the room then, JSON; null if that is not known
    Column("room_sent", String),  # the room that the record was sent for
    Column("reason", String),  # why the row is refused or unknown
    _checksum_column(),
    Index("postings_of_link", "link", "id"),
    Index("postings_by_state", "link", "state", "id"),
    Index("postings_by_number", "link", "number", "id", **_partial_index(text("number IS NOT NULL"))),
    Index("postings_by_change", "changed"),
    Index("postings_in_queue", "link", "record", "not_before", "id", **_partial_index(text("queued = 1"))),
    Index("postings_by_room", "link", "room", "id", **_partial_index(text("number IS NULL"))),
    Index("postings_by_key", "link", "key", unique=True, **_partial_index(text("key IS NOT NULL"))),
    Index(  # with all columns that are read at the start
        "postings_unresolved",
        *("id", "link", "record", "state", "queued", "created"),
        **_partial_index(IS_UNRESOLVED),
    ),
)

ROOMS = Table(
    "rooms",
    METADATA,
    Column("link", String, primary_key=True),
    Column("room", String, primary_key=True),
    Column("body", Text, nullable=False),
    Column("changed", BigInteger, nullable=False),
    Column("named", Boolean, nullable=False),  # it has personal data of a guest
    _checksum_column(),
    Index("rooms_by_age", "named", "changed", "link", "room"),
)
"""The state of each room, as JSON."""

HOTELS = Table(
    "houses",
    METADATA,
    Column("link", String, primary_key=True),
    Column("body", Text, nullable=False),
    Column("next_at", BigInteger),  # when something is due
    _checksum_column(),
)
"""The state of each hotel apart from its rooms, as JSON."""

STAYS = Table(
    "stays",
    METADATA,
    _key_column("id"),
    Column("link", String, nullable=False),
    Column("room", String, nullable=False),  # '' in a row that says that all rooms are vacant
    Column("guest", String, nullable=False),  # the key of the guest; '' in a row that says "vacant"
    Column("reservation", String),  # G#
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger),  # null while it lasts
    _checksum_column(),
    Index("stays_of_room", "link", "room", "id"),
    Index("stays_of_guest", "link", "guest", "id", **_partial_index(text("guest != ''"))),
    Index("stays_by_end", "until", **_partial_index(text("until IS NOT NULL"))),
)
"""Who was in which room, and when; and since when rooms without a guest are known to be vacant."""

RECORD_PROBLEMS = Table(
    "record_problems",
    METADATA,
    _key_column("seq"),  # of the record
    Column("link", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("problem", Text, nullable=False),
    _checksum_column(),
    Index("record_problems_of_link", "link", "at", "seq"),
)
"""Why records of the PMS were not understood."""

EVENTS = Table(
    "events",
    METADATA,
    _key_column("seq"),
    Column("link", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("type", String, nullable=False),
    Column("room", String),
    Column("text", Text, nullable=False),
    _checksum_column(),
    Index("events_of_link", "link", "seq"),
    Index("wake_up_outcomes", "at", "seq", "link", **_partial_index(IS_WAKE_UP_OUTCOME)),
)
"""The events of the hotels, for PBXs."""

CURSORS = Table(
    "cursors",
    METADATA,
    Column("link", String, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    _checksum_column(),
)
"""The last event that each link's webhook has delivered."""

AUDIT = Table(
    "audit",
    METADATA,
    _key_column("id"),
    Column("at", BigInteger, nullable=False),
    Column("who", String, nullable=False),
    Column("role", String, nullable=False),
    Column("action", String, nullable=False),
    Column("link", String),  # null for an action on the service
    Column("object", String),  # what of the link it was, such as "room 214"
    Column("before", Text),  # JSON
    Column("after", Text),  # JSON
    Column("result", String, nullable=False),  # "done", or the code of an error
    _checksum_column(),
    Index("audit_of_link", "link", "id"),
    Index("audit_by_action", "action", "id"),
    Index("audit_by_who", "who", "id"),
)
"""What callers of the API changed, or were refused. It stays when the link is removed."""

NOTICES = Table(
    "notices",
    METADATA,
    _key_column("id"),
    Column("link", String),  # null for a notice about the service
    Column("kind", String, nullable=False),
    Column("subject", String, nullable=False),  # identifies the fact among those of its link and kind
    Column("opened", BigInteger, nullable=False),
    Column("changed", BigInteger, nullable=False),  # the seq of its last change
    Column("over", BigInteger),  # null while the fact lasts
    Column("params", Text, nullable=False),  # JSON
    Column("acknowledged_by", String),
    Column("acknowledged_at", BigInteger),
    _checksum_column(),
    Index("notices_by_change", "changed"),
    Index("notices_by_end", "over"),
    Index("notices_of_link", "link", "id"),
)
"""Facts that a person should know, such as that a link is down."""

CHECKSUMMED_TABLES = (
    LINKS,
    RECORDS,
    TRANSITIONS,
    SYNC_CHANGES,
    RUNS,
    LINK_SNAPSHOTS,
    POSTINGS,
    ROOMS,
    HOTELS,
    STAYS,
    RECORD_PROBLEMS,
    EVENTS,
    CURSORS,
    AUDIT,
    NOTICES,
)
"""The tables whose rows have a checksum."""
