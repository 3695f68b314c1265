"""No query depends on the size of the history: each uses an index, and sorts nothing (case E6).

The plans of SQLite are read for each statement that is executed: at the start, by each list of the API, by
webhooks, by the purge, and by the outbox. A plan does not depend on the content, because the store has no
statistics of its tables.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event
from twisted.internet.defer import Deferred

from pmslink.store.core import schema
from pmslink.store.core.database import SqliteDatabase
from pmslink.store.core.prepared_statements import PreparedStatement
from pmslink.store.operations import outbox_answers, outbox_delivery, outbox_enqueue
from pmslink.store.operations.hotel_updates import append_records
from pmslink.store.operations.link_removal import delete_history
from pmslink.store.operations.outbox_answers import MarkUnknown, mark_unknown
from pmslink.store.operations.outbox_delivery import ClaimNext, claim_next
from pmslink.store.store_service import read_startup_snapshot
from pmslink.store.tables import outbox_queue, outbox_rows, stays
from pmslink.store.tables.audit_log import AuditEntry, AuditQuery, append_audit_entries, newest_audit_entries
from pmslink.store.tables.history_queries import (
    events_after,
    last_user_controls,
    newest_records,
    newest_transitions,
)
from pmslink.store.tables.hotel_states import room_of, rooms_of
from pmslink.store.tables.link_rows import RemoveLink, remove_links
from pmslink.store.tables.notice_rows import NoticeState, find_notice, newest_notices
from pmslink.store.tables.outbox_rows import newest_room_updates, newest_rows, row_of_link
from pmslink.store.tables.outbox_search import RowSearch, find_rows
from pmslink.store.tables.recent_failures import read_recent_failures
from pmslink.store.tables.timeline_query import read_phases, read_timeline
from pmslink.store.tables.webhook_cursors import count_events_after
from pmslink.timestamps import to_ms
from tests.store.store_harness import (
    DAY,
    LINK_NAME,
    START_MS,
    START_TIME,
    FaultyDatabase,
    StoreHarness,
    make_record,
)
from tests.store.tables.test_link_rows import insert_notices

SMALL_TABLES = {
    *(schema.STORE_METADATA, schema.RUNS),
    *(schema.LINKS, schema.POSTING_NUMBERS, schema.HOTELS, schema.CURSORS),
}
"""Tables with at most one row for each link, or for each start of the service."""
LARGE_TABLES = {table.name for table in schema.METADATA.sorted_tables if table not in SMALL_TABLES}

NOTICE_STATES: tuple[set[NoticeState], ...] = (
    {"open"},
    {"over"},
    {"open", "acknowledged"},
    {"open", "acknowledged", "over"},
)

Query = Callable[[Connection], Any]
QUERIES: dict[str, Query] = {
    "startup": partial(read_startup_snapshot, now=START_TIME, replay_limit=10),
    "failures": partial(read_recent_failures, links=[LINK_NAME], since_ms=0),
    "rooms": partial(rooms_of, link=LINK_NAME),
    "updates of a room": partial(newest_room_updates, link=LINK_NAME, room="101"),
    "room": partial(room_of, link=LINK_NAME, room="101"),
    "posting": partial(row_of_link, link=LINK_NAME, row_id=1),
    "webhook backlog": partial(count_events_after, link=LINK_NAME, after=1, until=9),
    "phases": partial(
        read_phases, link=LINK_NAME, since=START_TIME, until=START_TIME + DAY, current_run_id=None
    ),
    "timeline": partial(
        read_timeline, link=LINK_NAME, since=START_TIME, until=START_TIME + DAY, current_run_id=None
    ),
    **{
        f"records {direction} {record_type} {before}": partial(
            newest_records,
            link=LINK_NAME,
            direction=direction,
            record_type=record_type,
            before=before,
            limit=9,
        )
        for direction in (None, "in", "out")
        for record_type in (None, "ZZ")
        for before in (None, 5)
    },
    **{
        f"postings {state} {before}": partial(
            newest_rows, link=LINK_NAME, state=state, before=before, limit=9
        )
        for state in (None, "pending", "done")
        for before in (None, 5)
    },
    **{
        f"postings found by {search} {before}": partial(
            find_rows, link=LINK_NAME, search=search, before=before, limit=9
        )
        for search in (
            RowSearch(states=("unknown", "refused")),
            RowSearch(since_ms=1, until_ms=2),
            RowSearch(text="101"),
            RowSearch(states=("pending", "done"), text="101", since_ms=1, until_ms=2),
        )
        for before in (None, 5)
    },
    **{
        f"transitions {before}": partial(newest_transitions, link=LINK_NAME, before=before, limit=9)
        for before in (None, 5)
    },
    **{
        f"audit {filters}": partial(newest_audit_entries, query=AuditQuery(limit=9, **filters))
        for filters in (
            {},
            {"before": 5},
            {"link": LINK_NAME, "before": 5},
            {"who": "front-desk"},
            {"action": "link.enable"},
            {"link": LINK_NAME, "who": "front-desk", "action": "link.enable"},
        )
    },
    "a notice": partial(find_notice, notice_id=1),
    **{
        f"notices {' '.join(sorted(states))} {link} {before}": partial(
            newest_notices, link=link, states=states, before=before, limit=9
        )
        for states in NOTICE_STATES
        for link in (None, LINK_NAME)
        for before in (None, 5)
    },
    "last controls": partial(last_user_controls, links=[LINK_NAME]),
    "events": partial(events_after, link=LINK_NAME, after=0, limit=9),
}


class StatementLog:
    """The statements that are executed, with a value for each of their parameters."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.statements: dict[str, Any] = {}
        event.listen(Engine, "before_cursor_execute", self._add)
        execute = PreparedStatement.execute

        def log_prepared(prepared: PreparedStatement, connection: Connection, **values: object) -> Any:
            self.statements[prepared.text] = dict.fromkeys(re.findall(r":(\w+)", prepared.text))
            return execute(prepared, connection, **values)

        monkeypatch.setattr(PreparedStatement, "execute", log_prepared)

    def _add(self, _connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith(("SELECT", "UPDATE", "DELETE")):
            first = parameters[0] if parameters and isinstance(parameters, list) else parameters
            self.statements[statement] = [None] * len(first)

    def stop(self) -> None:
        event.remove(Engine, "before_cursor_execute", self._add)


@pytest.fixture
def statement_log(monkeypatch: pytest.MonkeyPatch) -> Iterator[StatementLog]:
    log = StatementLog(monkeypatch)
    yield log
    log.stop()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StoreHarness]:
    """A store with some rows, so that the queries that depend on the results of others run as well."""
    harness = StoreHarness(FaultyDatabase(SqliteDatabase(tmp_path)))
    harness.receive_records(
        "GI|RN101|G#7|GNAdams|GSN|DA260101|TI000000|",
        "GI|RN102|G#8|GNBaker|GSN|",
        "WR|RN101|DA260102|TI0700|",
    )
    harness.enqueue(key="a", asked="a")
    harness.submit(append_audit_entries, AuditEntry(START_MS, "front-desk", "control", "link.enable"))
    harness.submit(insert_notices, LINK_NAME)
    yield harness
    harness.crash()


def slow_steps(path: Path, log: StatementLog) -> list[str]:
    """Return what a plan has that takes longer with more rows."""
    slow = []
    with sqlite3.connect(path) as connection:
        for statement, parameters in log.statements.items():
            plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            is_bounded = "LIMIT" in statement and "WHERE" not in statement  # the oldest or the newest rows
            slow += [
                f"{step}: {statement}"
                for *_, step in plan
                if "TEMP B-TREE" in step
                or (
                    step.startswith("SCAN")
                    and step.split()[1] in LARGE_TABLES
                    and "postings_unresolved" not in step
                    and not is_bounded
                )
            ]
    connection.close()
    return slow


def path_of(store: StoreHarness) -> Path:
    assert isinstance(store.database.inner, SqliteDatabase)
    return store.database.inner.path


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_of_a_reader_uses_an_index(
    store: StoreHarness, statement_log: StatementLog, query: str
) -> None:
    store.read(QUERIES[query])
    assert statement_log.statements
    assert slow_steps(path_of(store), statement_log) == []


def test_the_purge_uses_indexes(store: StoreHarness, statement_log: StatementLog) -> None:
    for _ in range(3):
        store.receive_records("GI|RN103|G#9|GNYoung|GSN|", "GO|RN103|G#9|GSN|")
        store.now += 500 * DAY
        store.result(Deferred.fromCoroutine(store.store.purge()))
    deleted = {name for name in LARGE_TABLES if any(name in one for one in statement_log.statements)}
    assert deleted == LARGE_TABLES
    assert slow_steps(path_of(store), statement_log) == []


def test_the_removal_of_a_link_uses_indexes(store: StoreHarness, statement_log: StatementLog) -> None:
    for operation in (delete_history, remove_links):
        store.submit(operation, RemoveLink(LINK_NAME, discard=True))
    assert any("postings" in statement for statement in statement_log.statements)
    assert slow_steps(path_of(store), statement_log) == []


def test_the_first_record_after_a_restart_uses_indexes(
    store: StoreHarness, statement_log: StatementLog
) -> None:
    store.crash()
    store.start()
    store.submit(append_records, make_record("GI|RN101|G#7|GNAdams|GSN|DA260101|TI000000|"))
    assert any("records" in statement for statement in statement_log.statements)
    assert slow_steps(path_of(store), statement_log) == []


def test_the_outbox_uses_indexes(store: StoreHarness, statement_log: StatementLog) -> None:
    store.enqueue(room="101", key="b", asked="b")
    store.enqueue(room="101", record="RE", subject="CS", type="class_of_service", digits=None)
    store.enqueue(room="101", record="WR", until=to_ms(START_TIME) + 60_000, digits=None)
    sent = []
    for _ in range(6):
        sent.append(store.submit(claim_next, ClaimNext(LINK_NAME, to_ms(store.now), resend=True)))
        store.submit(mark_unknown, MarkUnknown(LINK_NAME, True, 3))
    store.receive_records("GO|RN101|G#7|GSN|")
    assert len(list(filter(None, sent))) > 3
    assert any("postings" in statement for statement in statement_log.statements)
    assert slow_steps(path_of(store), statement_log) == []


@pytest.mark.parametrize(
    ("prepared", "index"),
    [
        (
            outbox_queue._SELECT_NEVER_SET_ASIDE,
            "postings_in_queue (link=? AND record=? AND not_before=? AND id>?)",
        ),
        (
            outbox_queue._SELECT_SET_ASIDE,
            "postings_in_queue (link=? AND record=? AND not_before>? AND not_before<?)",
        ),
        (
            outbox_queue._SELECT_RETRY_TIME,
            "postings_in_queue (link=? AND record=? AND not_before>?)",
        ),
        (outbox_enqueue._SELECT_BY_KEY, "postings_by_key (link=? AND key=?)"),
        (outbox_delivery._SELECT_NEWER_VALUE, "postings_by_room (link=? AND room=? AND id>?)"),
        (outbox_delivery._SELECT_LATER_QUEUED, "postings_by_room (link=? AND room=? AND id>?)"),
        (outbox_rows.SELECT_SENT, "postings_by_state (link=? AND state=?)"),
        (outbox_answers._SELECT_LAST_BY_NUMBER, "postings_by_number (link=? AND number=?)"),
        (outbox_enqueue._SELECT_NUMBERS_IN_USE, "postings_by_number (link=? AND number>? AND number<?)"),
        (stays._SELECT_VACANCY, "stays_of_room (link=? AND room=?)"),
        (stays._SELECT_VACANT_SINCE, "stays_of_room (link=? AND room=?)"),
        (stays._SELECT_PRESENT_GUEST, "stays_of_guest (link=? AND guest=?)"),
        (stays._SELECT_IN_ROOM_BETWEEN, "stays_of_room (link=? AND room=?)"),
    ],
)
def test_a_hot_statement_reads_only_the_rows_that_it_needs(
    store: StoreHarness, prepared: PreparedStatement, index: str
) -> None:
    with sqlite3.connect(path_of(store)) as connection:
        values = dict.fromkeys(re.findall(r":(\w+)", prepared.text))
        plan = connection.execute(f"EXPLAIN QUERY PLAN {prepared.text}", values)
        table = index.partition("_")[0]
        assert [step for *_, step in plan] == [f"SEARCH {table} USING INDEX {index}"]
    connection.close()
