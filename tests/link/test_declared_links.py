"""A reload makes the links those of the configuration file, as a restart with it would (case E10)."""

from __future__ import annotations

import json
import sqlite3
from typing import NoReturn

import pytest
from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.logger import LogEvent
from twisted.python.failure import Failure

from pmslink.config.link_definition import LinkConfig, parse_api_link, parse_link
from pmslink.errors import NotApplicableError
from pmslink.link.declared_links import LinkChanges, redeclare_links
from pmslink.link.link import Link
from pmslink.link.link_registry import LinkRegistry
from pmslink.store.core.store_errors import StoreUnavailableError
from pmslink.store.tables.link_rows import read_links
from tests.link.test_address_conflicts import ADDRESS, Registry
from tests.memory_network import advance_clock
from tests.memory_store import make_store
from tests.store.store_harness import AUDIT_ENTRY


def declare(name: str, **settings: object) -> LinkConfig:
    return parse_link(name, {**ADDRESS, **settings})


def reload(registry: Registry, *configs: LinkConfig) -> LinkChanges:
    changes = redeclare_links(registry.links, configs)
    advance_clock(registry.clock, 0)
    return changes


def link_of(registry: Registry, name: str) -> Link:
    link = registry.links.get(name)
    assert link is not None
    return link


@pytest.fixture
def registry() -> Registry:
    return Registry()


def test_e10_links_are_added_changed_and_removed(registry: Registry) -> None:
    registry.restart(declare("stays", port=1), declare("changes", port=2), declare("goes", port=3))
    stays = link_of(registry, "stays")
    connection = stays.dialer._connection
    assert connection is not None
    changes = reload(registry, declare("stays", port=1), declare("changes", port=4), declare("comes", port=5))
    assert changes == LinkChanges(added=["comes"], changed=["changes"], removed=["goes"])
    assert [link.name for link in registry.links] == ["stays", "changes", "comes"]
    assert link_of(registry, "stays") is stays
    assert stays.dialer._connection is connection, "a link that has not changed keeps its connection"
    assert link_of(registry, "changes").config.port == 4
    assert registry.state("comes") == ("WAIT_LS", "enabled", "started")


def test_e10_the_same_file_changes_nothing(registry: Registry) -> None:
    registry.restart(declare("grand"))
    created = registry.create("created", port=2)
    connection = link_of(registry, "grand").dialer._connection
    assert reload(registry, declare("grand")) == LinkChanges()
    assert link_of(registry, "grand").dialer._connection is connection
    assert link_of(registry, "created") is created


def test_e10_a_removed_link_keeps_its_data_for_when_it_is_declared_again(registry: Registry) -> None:
    registry.restart(declare("grand"))
    link = link_of(registry, "grand")
    link.change_intent("disabled", link.machine.disable, link.core.cause)
    advance_clock(registry.clock, 1)
    assert reload(registry).removed == ("grand",)
    assert registry.links.get("grand") is None
    assert reload(registry, declare("grand")).added == ("grand",)
    assert registry.state("grand") == ("DISABLED", "disabled", "started"), "the intent was stored"
    assert link_of(registry, "grand").resync.progress == link.resync.progress


def test_e10_a_removed_link_stays_removed_after_a_restart(registry: Registry) -> None:
    registry.restart(declare("grand"))
    reload(registry)
    registry.restart()
    assert [link.name for link in registry.links] == []


def test_e10_a_renamed_link_dials_when_the_old_connection_is_closed(registry: Registry) -> None:
    registry.restart(declare("before"))
    before = link_of(registry, "before")
    changes = redeclare_links(registry.links, [declare("after")])
    assert changes == LinkChanges(added=["after"], removed=["before"])
    assert not link_of(registry, "after").dialer.is_busy, "the PMS may accept only one connection"
    assert before.dialer.is_busy
    advance_clock(registry.clock, 0)
    assert not before.dialer.is_busy
    assert registry.state("after") == ("WAIT_LS", "enabled", "started")


def test_e10_a_link_that_two_reloads_remove_and_add_dials_when_its_old_connection_is_closed(
    registry: Registry,
) -> None:
    registry.restart(declare("grand"))
    before = link_of(registry, "grand")
    redeclare_links(registry.links, [])
    redeclare_links(registry.links, [declare("grand")])
    assert before.dialer.is_busy
    assert not link_of(registry, "grand").dialer.is_busy, "the PMS may accept only one connection"
    advance_clock(registry.clock, 0)
    assert not before.dialer.is_busy
    assert registry.state("grand") == ("WAIT_LS", "enabled", "started")


def test_e10_a_removed_link_remembers_the_resync_that_its_end_requires(registry: Registry) -> None:
    registry.restart(declare("grand"))
    link = link_of(registry, "grand")
    link.resync.progress = evolve(link.resync.progress, wanted=False)
    link._save()
    link.dialer.pause_reading("backlog")  # what the PMS sent before the end stays unread
    reload(registry)
    reload(registry, declare("grand"))
    assert link_of(registry, "grand").resync.progress.wanted


def test_e10_a_shutdown_waits_for_all_links_that_a_reload_removes(registry: Registry) -> None:
    registry.restart(*(declare(f"hotel{number}", port=number) for number in range(1, 61)))
    advance_clock(registry.clock, 1)
    links = [*registry.links]
    redeclare_links(registry.links, [])
    stopped = registry.links.stopService()
    assert not stopped.called
    advance_clock(registry.clock, 0)
    assert stopped.called
    assert not any(link.dialer.is_busy for link in links)


def test_e10_a_link_that_the_file_takes_over_stays_when_its_creation_fails(registry: Registry) -> None:
    registry.database.commit_error = sqlite3.OperationalError("database or disk is full")
    definition = json.dumps({**ADDRESS, "enabled": True})
    creation = registry.links.create(
        parse_api_link("grand", json.loads(definition)), definition, None, AUDIT_ENTRY
    )
    failed: list[Failure] = []
    Deferred.fromCoroutine(creation).addErrback(failed.append)
    assert not failed
    assert redeclare_links(registry.links, [declare("grand")]).changed == ("grand",)
    advance_clock(registry.clock, 0)
    assert [failure.type for failure in failed] == [StoreUnavailableError]
    assert link_of(registry, "grand").declared
    registry.database.commit_error = None
    advance_clock(registry.clock, 60)
    assert registry.state("grand")[:2] == ("WAIT_LS", "enabled")
    with registry.database.reader() as connection:
        assert [stored.name for stored in read_links(connection)] == ["grand"]


def test_e10_the_file_takes_over_a_link_that_was_created_over_the_api(registry: Registry) -> None:
    created = registry.create("grand", answer_timeout=7)
    connection = created.dialer._connection
    assert reload(registry, declare("grand", answer_timeout=8)).changed == ("grand",)
    assert link_of(registry, "grand") is created
    assert created.declared
    assert created.settings().answer_timeout == 8
    assert created.dialer._connection is connection, "only a changed address needs a new connection"
    registry.restart()
    assert [link.name for link in registry.links] == [], "as after a restart with the file"


def test_e10_the_file_gets_an_address_that_a_link_of_the_api_has(registry: Registry) -> None:
    created = registry.create("created")
    assert created.core.marker == "WAIT_LS"
    reload(registry, declare("grand"))
    assert registry.state("created") == ("CLOSED", "enabled", "in_use")
    advance_clock(registry.clock, 60)
    assert registry.state("created") == ("CLOSED", "enabled", "in_use")
    assert not created.dialer.is_busy
    assert registry.state("grand")[0] == "WAIT_LS"
    reload(registry)
    assert registry.state("created")[:2] == ("WAIT_LS", "enabled"), "the address is free again"


def test_e10_a_blocked_link_dials_when_the_file_declares_it_instead(registry: Registry) -> None:
    registry.create("created")
    reload(registry, declare("grand"))
    assert registry.state("created") == ("CLOSED", "enabled", "in_use")
    reload(registry, declare("created"))
    assert registry.state("created")[:2] == ("WAIT_LS", "enabled")


def test_e10_two_links_of_the_file_may_swap_their_addresses(registry: Registry) -> None:
    registry.restart(declare("one", port=1), declare("two", port=2))
    assert reload(registry, declare("one", port=2), declare("two", port=1)).changed == ("one", "two")
    advance_clock(registry.clock, 1)
    for name, port in (("one", 2), ("two", 1)):
        assert link_of(registry, name).config.port == port
        assert registry.state(name)[:2] == ("WAIT_LS", "enabled")
    assert reload(registry, declare("one", port=2), declare("two", port=1)) == LinkChanges()


def test_e10_nothing_changes_while_a_link_with_a_name_of_the_file_is_being_removed(
    registry: Registry,
) -> None:
    registry.restart(declare("goes", port=1))
    removal = Deferred.fromCoroutine(
        registry.links.remove(registry.create("grand", port=2), True, AUDIT_ENTRY)
    )
    with pytest.raises(NotApplicableError, match="grand is being removed over the API; reload again"):
        redeclare_links(registry.links, [declare("grand", port=2)])
    assert [link.name for link in registry.links] == ["goes"]
    advance_clock(registry.clock, 0)
    assert removal.called
    assert reload(registry, declare("grand", port=2)) == LinkChanges(added=["grand"], removed=["goes"])


def test_e10_a_crash_requires_one_resync_of_a_link_and_not_another_when_it_is_declared_again(
    registry: Registry,
) -> None:
    registry.restart(declare("grand"))
    registry.stop()
    store = make_store(registry.clock, registry.wall, registry.database)
    store.startup_snapshot = evolve(store.startup_snapshot, unclean_shutdown=True)
    registry.store = store
    registry.links = LinkRegistry(registry.clock, store, registry.wall, registry.network.dial)
    link = registry.links.add(declare("grand"))
    registry.links.startService()
    assert link.resync.progress.wanted
    link.resync.progress = evolve(link.resync.progress, wanted=False)
    link._save()
    reload(registry)
    reload(registry, declare("grand"))
    assert not link_of(registry, "grand").resync.progress.wanted


def test_e10_a_removed_link_that_fails_to_stop_does_not_end_the_reload(
    registry: Registry, leak_check: list[LogEvent]
) -> None:
    registry.restart(declare("broken", port=1))
    broken = link_of(registry, "broken")
    stop = broken.stop

    def fail() -> NoReturn:
        raise RuntimeError("a fault of one link")

    broken.stop = fail  # type: ignore[method-assign]
    assert reload(registry, declare("comes", port=2)) == LinkChanges(added=["comes"], removed=["broken"])
    assert registry.state("comes")[0] == "WAIT_LS"
    assert [event["link"] for event in leak_check] == ["broken"]
    leak_check.clear()
    stop()
    registry.stop()
