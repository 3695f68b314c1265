"""Webhooks whose receivers do as the test says: order, at least once, pauses, and what is shown."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.logger import LogEvent

from pmslink.store.tables.log_entries import Entry
from pmslink.store.tables.webhook_cursors import count_after
from tests.pbx.webhook.webhook_harness import HOOK, NAME, SECRET, Hooked
from tests.time_limit import within
from tests.web.served_api import config
from tests.web.stream_client import watch

URL = HOOK["webhook_url"]


@within(10)
async def test_events_are_brought_one_after_the_other_in_order(hooked: Hooked) -> None:
    hooked.hook()
    hooked.courier.slow = True
    hooked.check_in(101, 102)
    hooked.check_in(103)
    assert hooked.tried == ["101"]
    hooked.courier.on_the_way[0].callback(None)
    assert hooked.tried == ["101", "102"]
    hooked.courier.on_the_way[1].callback(None)
    hooked.courier.on_the_way[2].callback(None)
    assert hooked.taken == ["101", "102", "103"]
    numbers = [event["seq"] for event in hooked.courier.taken]
    assert numbers == sorted(numbers)


@within(10)
async def test_an_event_is_posted_as_the_interface_tells_it(hooked: Hooked) -> None:
    hooked.hook()
    hooked.check_in(101)
    events = (await hooked.get("/api/v1/links/grand/events")).json()["events"]
    assert hooked.courier.taken == events[-1:]


@within(10)
async def test_changes_of_the_link_itself_are_told_among_them(hooked: Hooked) -> None:
    link = hooked.hook()
    hooked.check_in(101)
    link.enable()
    hooked.run()
    hooked.check_in(102)
    assert [event["type"] for event in hooked.courier.taken] == [
        "guest.checked_in",
        "link.changed",
        "link.changed",
        "guest.checked_in",
    ]


@within(10)
async def test_what_is_not_taken_is_tried_again_after_pauses_that_double_up_to_a_minute(
    hooked: Hooked,
) -> None:
    hooked.hook()
    hooked.courier.broken[URL] = "it answered 500"
    hooked.check_in(101)
    hooked.run(400)
    pauses = [after - before for before, after in pairwise(hooked.courier.tried_at)]
    for pause, wanted in zip(pauses, (1, 2, 4, 8, 16, 32, 60, 60, 60), strict=False):
        assert pause == pytest.approx(wanted, rel=0.1)
    assert len(pauses) >= 9
    assert len({pause / 60 for pause in pauses[6:]}) > 1, "they are not all the same"
    assert {*hooked.tried} == {"101"}


@within(10)
async def test_pauses_begin_anew_once_an_event_was_taken(hooked: Hooked) -> None:
    hooked.hook()
    hooked.courier.broken[URL] = "it answered 500"
    hooked.check_in(101)
    hooked.run(40)
    hooked.courier.broken.clear()
    hooked.run(40)
    assert hooked.taken == ["101"]
    hooked.courier.broken[URL] = "it answered 500"
    hooked.check_in(102)
    hooked.run(1.101)
    assert hooked.tried[-2:] == ["102", "102"]


@within(10)
async def test_nothing_overtakes_what_is_not_taken(hooked: Hooked) -> None:
    hooked.hook()
    hooked.courier.broken[URL] = "it answered 500"
    hooked.check_in(101)
    hooked.check_in(102, 103)
    assert hooked.tried == ["101"]
    hooked.run(5)
    hooked.courier.broken.clear()
    hooked.run(5)
    assert hooked.taken == ["101", "102", "103"]


@within(10)
async def test_a_receiver_that_is_dead_holds_no_other_up(hooked: Hooked) -> None:
    for name in ("a", "b", "c"):
        hooked.hook(name, webhook_url=f"http://{name}.example/")
    hooked.courier.broken["http://b.example/"] = "it refused the connection"
    for room in (101, 102):
        for name in ("a", "b", "c"):
            hooked.check_in(room, link=name)
    assert hooked.taken == ["101", "101", "102", "102"]
    assert (await hooked.reception("b"))["backlog"] == 2
    assert [(await hooked.reception(name))["state"] for name in ("a", "c")] == ["idle", "idle"]


@within(10)
async def test_a_receiver_that_does_not_answer_holds_no_other_up(hooked: Hooked) -> None:
    for name in ("a", "b"):
        hooked.hook(name, webhook_url=f"http://{name}.example/")
    hooked.courier.slow = True
    hooked.check_in(101, link="a")
    hooked.courier.slow = False
    hooked.check_in(201, 202, link="b")
    assert hooked.taken == ["201", "202"]


@within(10)
async def test_more_events_than_are_read_at_once_all_come(hooked: Hooked) -> None:
    hooked.hook()
    hooked.courier.broken[URL] = "it answered 503"
    rooms = range(1000, 1250)
    hooked.check_in(*rooms)
    hooked.courier.broken.clear()
    hooked.run(2)
    assert hooked.taken == [str(room) for room in rooms]
    assert (await hooked.reception())["backlog"] == 0


@within(10)
async def test_what_happens_while_the_last_event_is_on_its_way_comes_as_well(hooked: Hooked) -> None:
    hooked.hook()
    hooked.courier.slow = True
    hooked.check_in(101)
    hooked.check_in(102)
    assert (await hooked.reception())["backlog"] == 2
    hooked.courier.slow = False
    hooked.courier.on_the_way[0].callback(None)
    assert hooked.taken == ["101", "102"]
    assert (await hooked.reception())["backlog"] == 0


@within(10)
async def test_nothing_is_brought_before_it_is_told_to_all(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is committed can be read a moment before that."""
    hooked.hook()
    tell = hooked.store.journal._tell
    brought_before: list[str] = []

    def tell_late(entries: Sequence[Entry]) -> None:
        hooked.webhooks._hooks["grand"].deliver()
        brought_before.extend(hooked.tried)
        tell(entries)

    with monkeypatch.context() as patched:
        patched.setattr(hooked.store.journal, "_tell", tell_late)
        hooked.check_in(101)
    assert (brought_before, hooked.taken) == ([], ["101"])


# What is shown.


@within(10)
async def test_a_link_without_a_webhook_shows_none(hooked: Hooked) -> None:
    hooked.add(enabled=False)
    assert await hooked.reception() is None


@within(10)
async def test_a_webhook_that_has_nothing_to_do_is_idle(hooked: Hooked) -> None:
    hooked.hook()
    hooked.run(7)
    hooked.check_in(101)
    hooked.run(60)
    assert await hooked.reception() == {
        "url": URL,
        "state": "idle",
        "backlog": 0,
        "oldest": None,
        "last_delivered": "2026-11-20T07:00:07.000Z",
        "last_error": None,
        "next_at": None,
        "lost": 0,
    }


@within(10)
async def test_it_is_not_called_idle_before_the_store_was_asked_what_waits(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: Deferred[int] = Deferred()
    read = hooked.store.read

    def ask(query: Any, *arguments: Any) -> Any:
        return asked if query is count_after else read(query, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(hooked.store, "read", ask)
        hooked.hook()
        assert (await hooked.reception())["state"] == "delivering"
        asked.callback(1)
    assert (await hooked.reception())["state"] == "idle"


@within(10)
async def test_an_event_on_its_way_is_shown(hooked: Hooked) -> None:
    hooked.hook()
    hooked.courier.slow = True
    hooked.run(7)
    hooked.check_in(101, 102)
    hooked.run(5)
    shown = await hooked.reception()
    assert (shown["state"], shown["backlog"]) == ("delivering", 2)
    assert shown["oldest"] == "2026-11-20T07:00:07.000Z"


@within(10)
async def test_a_failure_is_shown_until_an_event_is_taken(hooked: Hooked) -> None:
    hooked.hook()
    hooked.run(7)
    hooked.courier.broken[URL] = "it answered 500"
    hooked.check_in(101, 102)
    shown = await hooked.reception()
    assert (shown["state"], shown["last_error"], shown["backlog"]) == ("retrying", "it answered 500", 2)
    assert shown["oldest"] == "2026-11-20T07:00:07.000Z"
    assert "2026-11-20T07:00:07.900Z" <= shown["next_at"] <= "2026-11-20T07:00:08.100Z"
    hooked.courier.broken.clear()
    hooked.courier.slow = True
    hooked.run(1.101)
    shown = await hooked.reception()
    assert (shown["state"], shown["last_error"], shown["next_at"]) == ("retrying", "it answered 500", None)
    hooked.courier.on_the_way[0].callback(None)
    shown = await hooked.reception()
    assert (shown["state"], shown["last_error"], shown["backlog"]) == ("delivering", None, 1)


@within(10)
async def test_who_watches_the_link_hears_of_failure_and_recovery_and_of_nothing_else(hooked: Hooked) -> None:
    hooked.hook()
    hooked.check_in(101)
    watching = await watch(hooked)
    await watching.has(1)
    hooked.check_in(102, 103)
    await watching.rest()
    assert len(watching.told) == 1
    hooked.courier.broken[URL] = "it answered 500"
    hooked.check_in(104, 105)
    hooked.run(100)
    await watching.has(2)
    hooked.courier.broken.clear()
    hooked.run(100)
    await watching.has(3)
    shown = [event.data["link"]["webhook"] for event in watching.of("link")]
    assert [one["state"] for one in shown[1:]] == ["retrying", "delivering"]
    assert [one["last_error"] for one in shown[1:]] == ["it answered 500", None]
    await watching.end()


@within(10)
async def test_the_log_tells_of_failure_and_recovery_once_and_of_no_guest(hooked: Hooked) -> None:
    hooked.hook()
    hooked.courier.broken[URL] = "it answered 500"
    hooked.check_in(101)
    hooked.run(100)
    hooked.courier.broken.clear()
    hooked.run(100)
    assert hooked.log == [
        "grand: the webhook: it answered 500",
        "grand: the webhook: it takes events again",
    ]
    text = repr(hooked.logged)
    assert NAME not in text
    assert SECRET not in text
    assert SECRET not in repr(hooked.courier.tried)


@within(10)
async def test_a_fault_of_our_own_is_logged_and_tried_again(
    hooked: Hooked, nothing_left_behind: list[LogEvent], monkeypatch: pytest.MonkeyPatch
) -> None:
    hooked.hook()

    def break_down(receiver: object, body: bytes) -> None:
        raise ArithmeticError(body.decode())

    with monkeypatch.context() as patched:
        patched.setattr(hooked.courier, "post", break_down)
        hooked.check_in(101)
    shown = await hooked.reception()
    assert shown["last_error"] == "pmslink is at fault, see its log (ArithmeticError)"
    (logged,) = nothing_left_behind
    assert logged["log_failure"].check(ArithmeticError)
    nothing_left_behind.clear()
    hooked.run(1.101)
    assert hooked.taken == ["101"]


# Restarts.


@within(10)
async def test_what_was_brought_is_not_brought_again_after_a_restart(hooked: Hooked) -> None:
    hooked.hook()
    hooked.check_in(101)
    await hooked.stop()
    after = Hooked(hooked, [config(enabled=False, **HOOK)])
    assert [room for room in after.taken if room] == []
    after.check_in(102)
    assert after.taken[-1] == "102"
    await after.stop()


@within(10)
async def test_what_waited_is_brought_after_a_restart(hooked: Hooked) -> None:
    hooked.hook()
    hooked.courier.broken[URL] = "it answered 500"
    hooked.check_in(101, 102)
    await hooked.stop()
    after = Hooked(hooked, [config(enabled=False, **HOOK)])
    assert [room for room in after.taken if room] == ["101", "102"]
    await after.stop()


@within(10)
async def test_what_was_brought_and_not_noted_before_a_crash_is_brought_again(hooked: Hooked) -> None:
    hooked.hook()
    hooked.check_in(101)
    hooked.run(1)
    hooked.check_in(102)
    assert hooked.taken == ["101", "102"]
    await hooked.crash()
    after = Hooked(hooked, [config(enabled=False, **HOOK)])
    assert [room for room in after.taken if room] == ["102"]
    await after.stop()


@within(10)
async def test_what_is_on_its_way_at_a_stop_is_given_up_and_brought_by_the_next_service(
    hooked: Hooked,
) -> None:
    link = hooked.hook()
    hooked.courier.slow = True
    hooked.check_in(101)
    (on_its_way,) = hooked.courier.on_the_way
    await hooked.stop()
    assert on_its_way.called
    assert (hooked.taken, hooked.log, link.webhook) == ([], [], None)
    after = Hooked(hooked, [config(enabled=False, **HOOK)])
    assert [room for room in after.taken if room] == ["101"]
    await after.stop()


@within(10)
async def test_the_next_service_counts_what_waits(hooked: Hooked) -> None:
    hooked.hook()
    hooked.courier.slow = True
    hooked.check_in(101, 102)
    await hooked.stop()
    after = Hooked(hooked)
    after.courier.broken[URL] = "it answered 500"
    after.add(enabled=False, **HOOK)
    shown = await after.reception()
    assert (shown["backlog"], shown["lost"]) == (3, 0)  # with the change of the link at this start
    await after.stop()


@within(10)
async def test_a_pause_ends_with_the_service(hooked: Hooked) -> None:
    hooked.hook()
    hooked.courier.broken[URL] = "it answered 500"
    hooked.check_in(101)
    await hooked.stop()
    hooked.run(100)
    assert hooked.tried == ["101"]
