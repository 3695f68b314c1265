"""Webhooks that come, go and change with the settings of links; a store that fails, or forgets."""

from __future__ import annotations

from datetime import timedelta
from unittest.mock import Mock

import pytest
from twisted.internet.defer import Deferred

from pmslink.config.loader import ConfigError
from pmslink.store.core.store_errors import StoreFailing
from pmslink.store.tables.history_queries import events_after
from pmslink.store.tables.webhook_cursors import kept_cursors
from tests.pbx.webhook.webhook_harness import HOOK, SECRET, Hooked
from tests.time_limit import within
from tests.web.stream_client import watch

URL = HOOK["webhook_url"]
OTHER = "https://other.example/"
NEW = {"name": "grand", "host": "192.0.2.1", "port": 5010, "enabled": False}


async def made(hooked: Hooked, **settings: object) -> None:
    assert (await hooked.post("/api/v1/links", {**NEW, **settings})).status == 201


async def patch(hooked: Hooked, **settings: object) -> None:
    assert (await hooked.post("/api/v1/links/grand", settings, method="PATCH")).status == 200


async def cursors(hooked: Hooked) -> dict[str, int]:
    hooked.run(1)
    kept: dict[str, int] = await hooked.store.read(kept_cursors)
    return kept


@within(10)
async def test_a_link_that_is_made_tells_its_webhook_from_its_making_on(hooked: Hooked) -> None:
    await made(hooked, **HOOK)
    assert [event["transition"]["from"] for event in hooked.courier.taken] == [None]
    assert (await hooked.reception())["url"] == URL


@within(10)
async def test_a_webhook_that_is_added_hears_only_from_then_on(hooked: Hooked) -> None:
    await made(hooked)
    hooked.check_in(101)
    await patch(hooked, **HOOK)
    hooked.check_in(102)
    assert hooked.taken == ["102"]


@within(10)
async def test_one_that_has_taken_nothing_yet_goes_on_from_its_beginning_after_a_restart(
    hooked: Hooked,
) -> None:
    await made(hooked)
    hooked.check_in(101)
    hooked.courier.broken[URL] = "it refused the connection"
    await patch(hooked, **HOOK)
    hooked.check_in(102)
    await hooked.stop()
    after = Hooked(hooked)
    assert after.taken[:1] == ["102"]
    await after.stop()


@within(10)
async def test_a_webhook_that_is_removed_hears_no_more_and_one_added_later_nothing_of_the_time_between(
    hooked: Hooked,
) -> None:
    hooked.courier.broken[URL] = "it answered 500"
    await made(hooked, **HOOK)
    hooked.check_in(101)
    await patch(hooked, webhook_url=None, webhook_secret=None)
    assert await hooked.reception() is None
    assert await cursors(hooked) == {}
    hooked.courier.broken.clear()
    hooked.run(100)
    hooked.check_in(102)
    assert hooked.taken == []
    await patch(hooked, **HOOK)
    hooked.check_in(103)
    assert hooked.taken == ["103"]
    assert "grand" in await cursors(hooked)


@within(10)
async def test_a_new_address_goes_on_where_the_old_one_was_left(hooked: Hooked) -> None:
    await made(hooked, **HOOK)
    hooked.check_in(101)
    hooked.courier.broken[URL] = "it answered 404"
    hooked.check_in(102)
    hooked.forget()
    await patch(hooked, webhook_url=OTHER)
    assert hooked.taken == ["102"]
    assert {receiver.url for receiver, _ in hooked.courier.tried} == {OTHER}
    assert (await hooked.reception())["last_error"] is None
    hooked.run(100)
    assert hooked.taken == ["102"]


@within(10)
async def test_a_new_secret_is_used_from_the_next_attempt_on(hooked: Hooked) -> None:
    await made(hooked, **HOOK)
    hooked.courier.slow = True
    hooked.check_in(101)
    await patch(hooked, webhook_secret="another one, as long")
    assert [receiver.secret for receiver, _ in hooked.courier.tried[-2:]] == [SECRET, "another one, as long"]
    assert hooked.tried[-2:] == ["101", "101"]
    hooked.courier.on_the_way[1].callback(None)
    assert hooked.taken[-1:] == ["101"]


@within(10)
async def test_other_settings_leave_what_is_on_its_way_alone(hooked: Hooked) -> None:
    await made(hooked, **HOOK)
    hooked.courier.slow = True
    hooked.check_in(101)
    await patch(hooked, send_limit=5)
    assert not hooked.courier.on_the_way[0].called
    assert hooked.tried[-1:] == ["101"]
    assert len(hooked.courier.on_the_way) == 1


@within(10)
async def test_a_link_that_is_removed_takes_its_webhook_along(hooked: Hooked) -> None:
    await made(hooked, **HOOK)
    hooked.courier.slow = True
    hooked.check_in(101, 102)
    (on_its_way,) = hooked.courier.on_the_way
    assert (await hooked.call("DELETE", "/api/v1/links/grand")).status == 200
    assert on_its_way.called
    assert await cursors(hooked) == {}
    hooked.run(100)
    assert hooked.tried[-1:] == ["101"]


@within(10)
async def test_a_link_that_is_made_anew_tells_nothing_of_the_one_before(hooked: Hooked) -> None:
    hooked.courier.broken[URL] = "it answered 500"
    await made(hooked, **HOOK)
    hooked.check_in(101)
    assert (await hooked.call("DELETE", "/api/v1/links/grand")).status == 200
    hooked.courier.broken.clear()
    await made(hooked, **HOOK)
    hooked.check_in(102)
    assert [event["type"] for event in hooked.courier.taken] == ["link.changed", "guest.checked_in"]
    assert hooked.taken == [None, "102"]


@within(10)
async def test_a_link_that_cannot_be_removed_goes_on_with_what_waits(hooked: Hooked) -> None:
    hooked.courier.broken[URL] = "it answered 500"
    await made(hooked, **HOOK)
    hooked.check_in(101)
    hooked.break_store()
    assert (await hooked.call("DELETE", "/api/v1/links/grand")).status == 503
    hooked.courier.broken.clear()
    hooked.mend_store()
    hooked.run(2)
    assert "101" in hooked.taken


@within(10)
async def test_a_link_that_could_not_be_started_goes_on_with_what_waited_when_it_can(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    await made(hooked, **HOOK)
    hooked.courier.broken[URL] = "it answered 500"
    hooked.check_in(101)
    await hooked.stop()
    with monkeypatch.context() as patched:
        patched.setattr(
            "pmslink.link.link_registry.read_defined", Mock(side_effect=ConfigError("port", 0, "wrong"))
        )
        without = Hooked(hooked)
        without.run(100)
    assert (len(without.links), without.tried) == (0, [])
    await without.stop()
    after = Hooked(without)
    assert "101" in after.taken
    await after.stop()


# The store.


@within(10)
async def test_what_is_safe_is_told_while_the_store_cannot_be_written(hooked: Hooked) -> None:
    hooked.hook()
    hooked.courier.slow = True
    hooked.check_in(101, 102)
    hooked.break_store()
    hooked.check_in(103)
    hooked.courier.slow = False
    hooked.courier.on_the_way[0].callback(None)
    assert hooked.taken == ["101", "102"]
    hooked.mend_store()
    assert hooked.taken == ["101", "102", "103"]
    seq = hooked.courier.taken[-1]["seq"]
    assert await cursors(hooked) == {"grand": seq}


@within(10)
async def test_a_store_that_cannot_be_read_is_waited_for(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooked.hook()
    watching = await watch(hooked)

    def fail(connection: object, *arguments: object) -> None:
        raise StoreFailing("the disk is gone")

    with monkeypatch.context() as patched:
        patched.setattr("pmslink.pbx.webhook.delivery_queue.events_after", fail)
        hooked.check_in(101)
    shown = await hooked.reception()
    assert (shown["state"], shown["backlog"]) == ("retrying", 1)
    assert shown["last_error"] == "events cannot be read: the disk is gone"
    hooked.run(1.101)
    assert hooked.taken == ["101"]
    shown = await hooked.reception()
    assert (shown["state"], shown["last_error"]) == ("idle", None)
    await watching.end()


@within(10)
async def test_a_store_that_cannot_be_read_for_a_while_and_has_nothing_to_tell_is_no_lasting_error(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooked.hook()

    def fail(connection: object, *arguments: object) -> None:
        raise StoreFailing("the disk is gone")

    with monkeypatch.context() as patched:
        patched.setattr("pmslink.pbx.webhook.delivery_queue.events_after", fail)
        hooked.webhooks._hooks["grand"].deliver()
        assert (await hooked.reception())["state"] == "retrying"
    hooked.run(5)
    shown = await hooked.reception()
    assert (shown["state"], shown["last_error"], shown["next_at"]) == ("idle", None, None)
    assert hooked.log[-1] == "grand: the webhook: nothing waits for it any more"


# Retention.


async def purge(hooked: Hooked) -> None:
    """A month later, what is a month old goes."""
    for _ in range(200):  # its own clock goes at most four hours ahead in each
        done = Deferred.fromCoroutine(hooked.store.purge())
        hooked.run()
        await done


@within(30)
async def test_what_was_kept_too_long_before_it_was_taken_is_told_as_lost(hooked: Hooked) -> None:
    hooked.hook()
    hooked.courier.broken[URL] = "it answered 500"
    hooked.check_in(101, 102, 103)
    hooked.run(timedelta(days=20).total_seconds() / 1000)
    hooked.clock.rightNow += timedelta(days=20).total_seconds()
    hooked.check_in(104)
    hooked.clock.rightNow += timedelta(days=11).total_seconds()
    await purge(hooked)
    shown = await hooked.reception()
    assert (shown["lost"], shown["backlog"]) == (3, 1)
    lost = "grand: 3 events have been kept long enough and are gone, before the webhook took them"
    assert hooked.log.count(lost) == 1
    hooked.courier.broken.clear()
    hooked.run(100)
    assert hooked.taken == ["104"]
    shown = await hooked.reception()
    assert (shown["state"], shown["lost"], shown["backlog"]) == ("idle", 3, 0)


@within(30)
async def test_a_purge_of_what_was_told_is_no_loss(hooked: Hooked) -> None:
    hooked.hook()
    hooked.check_in(101, 102)
    hooked.clock.rightNow += timedelta(days=31).total_seconds()
    hooked.courier.broken[URL] = "it answered 500"
    hooked.check_in(103)
    await purge(hooked)
    found = await hooked.store.read(events_after, "grand", 0, 100)
    assert not [one for one in found if getattr(one, "room", None) in ("101", "102")]
    shown = await hooked.reception()
    assert (shown["lost"], shown["backlog"]) == (0, 1)


@within(30)
async def test_a_loss_is_told_to_who_watches_the_link(hooked: Hooked) -> None:
    hooked.hook()
    hooked.courier.broken[URL] = "it answered 500"
    hooked.check_in(101, 102)
    watching = await watch(hooked)
    hooked.clock.rightNow += timedelta(days=31).total_seconds()
    await purge(hooked)
    hooked.run(1)
    await watching.has(2)
    shown = [event.data["link"]["webhook"] for event in watching.of("link")]
    assert [(one["state"], one["lost"]) for one in shown] == [("retrying", 0), ("retrying", 2), ("idle", 2)]
    await watching.end()


@within(30)
async def test_what_is_being_told_when_it_goes_is_not_lost(hooked: Hooked) -> None:
    hooked.hook()
    hooked.courier.slow = True
    hooked.check_in(101)
    hooked.check_in(102)
    hooked.clock.rightNow += timedelta(days=31).total_seconds()
    await purge(hooked)
    hooked.courier.slow = False
    hooked.courier.on_the_way[0].callback(None)
    assert hooked.taken == ["101"]
    shown = await hooked.reception()
    assert (shown["state"], shown["backlog"], shown["lost"]) == ("idle", 0, 1)
