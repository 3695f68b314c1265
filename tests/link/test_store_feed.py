"""What the links learn from the store when it starts, and when it deletes expired rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory
from twisted.internet.task import Clock

from pmslink.config.link_definition import parse_link
from pmslink.link import store_feed
from pmslink.link.link_registry import LinkRegistry
from pmslink.store.tables.recent_failures import StoredFailures
from pmslink.timestamps import to_ms
from tests.link.link_harness import START, ScriptedPms
from tests.memory_network import Network, advance_clock
from tests.memory_store import make_store
from tests.store.store_harness import DAY, LINK_NAME, insert_outbox_rows, make_row


class FedLinks:
    """A registry of disabled links, and its store."""

    def __init__(self, *names: str) -> None:
        self.clock = Clock()
        self.store = make_store(self.clock, self.wall_clock)
        network = Network(self.clock, Factory.forProtocol(ScriptedPms))
        self.links = LinkRegistry(self.clock, self.store, self.wall_clock, network.dial)
        for number, name in enumerate(names):
            settings = {"host": "192.0.2.1", "port": 5010 + number, "enabled": False}
            self.links.add(parse_link(name, settings))

    def wall_clock(self) -> datetime:
        return START + timedelta(seconds=self.clock.seconds())

    def start(self) -> None:
        self.store.startService()
        self.links.startService()
        advance_clock(self.clock, 1)

    def stop(self) -> None:
        stopped = self.links.stopService()
        advance_clock(self.clock, 1)
        assert stopped.called
        stopping = self.store.stopService()
        advance_clock(self.clock, 1)
        assert stopping.called


def test_a_refused_row_that_expires_is_counted_no_more() -> None:
    fed = FedLinks(LINK_NAME)
    fed.start()
    old = to_ms(START - 500 * DAY)
    rows = [make_row(1, "refused", created=old), make_row(2, "unknown", created=old), make_row(3, "refused")]
    rows[2] = rows[2]._replace(created=to_ms(START))
    for row in rows:
        fed.store.journal.submit_nowait(insert_outbox_rows, row)
    advance_clock(fed.clock, 1)
    link = fed.links.get(LINK_NAME)
    assert link is not None
    assert (link.outbox.counts.refused, link.outbox.counts.unknown) == (2, 1)
    purged = Deferred.fromCoroutine(fed.store.purge())
    advance_clock(fed.clock, 1)
    assert purged.called
    assert (link.outbox.counts.refused, link.outbox.counts.unknown) == (1, 1)
    fed.stop()


def test_a_recount_undoes_no_change_of_the_same_commit() -> None:
    fed = FedLinks(LINK_NAME)
    fed.start()
    fed.store.journal.submit_nowait(insert_outbox_rows, make_row(1, "refused"))
    fed.links.recount_outboxes()
    fed.store.journal.submit_nowait(insert_outbox_rows, make_row(2, "refused"))
    advance_clock(fed.clock, 1)
    link = fed.links.get(LINK_NAME)
    assert link is not None
    assert link.outbox.counts.refused == 2
    fed.stop()


def test_the_failures_of_many_links_are_read_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_feed, "_LINKS_AT_ONCE", 2)
    reads: list[Sequence[str]] = []

    def read(connection: Connection, links: Sequence[str], since_ms: int) -> dict[str, Any]:
        reads.append(links)
        return {name: StoredFailures(problem_count=1) for name in links}

    monkeypatch.setattr(store_feed, "read_recent_failures", read)
    fed = FedLinks("a", "b", "c", "d", "e")
    fed.start()
    assert reads == [["a", "b"], ["c", "d"], ["e"]]
    fed.stop()
