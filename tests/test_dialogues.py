r"""Run the dialogues between a link and a PMS, one for each file in `dialogues/`.

A dialogue has one step in each line; lines that begin with # are comments. Every dialogue runs in memory,
and also over TCP, unless it simulates a failure that loopback TCP cannot have. Both run on a test clock, so
a busy machine changes nothing.

    settings alive_on = "any"   set a setting of the link; after the start, change it
    start                       start the service
    restart                     stop the service, and start another one on the same store
    crash                       the same, but end the first service like SIGKILL
    resync wanted               before the start: the link wants a resync
    store fails                 all commits fail
    store recovers              commits succeed again
    accept, refuse              the PMS accepts or refuses connections
    black hole                  dials get no response
    stall                       connections succeed, but no data passes until "accept"

    pms LS|DA260101|TI120000|   the PMS sends this record
    pms description             the PMS sends LD, LRs and LA, like a PBX
    pms bytes \x06\x02LA|\x03   the PMS sends these bytes unchanged
    pms noise 1000000           the PMS sends this many bytes without a frame
    pms closes, pms drops       the PMS closes or resets the connection

    dock                        the link connects, and the PMS starts and confirms it: it is in sync
    expect connection           the link connects
    expect LA|*                 the link sends a record that matches; * matches any text
    expect description          the link sends LD, at least one LR, and LA
    expect LS|* within 15 s     the link sends a matching record within this time
    expect nothing              the link has sent nothing else and has not connected
    expect nothing for 10 s     the same, also during the next ten seconds
    expect end                  the link closes the connection
    wait 30 s                   advance the time

    pbx PS|RN101|PTC|TA1050|    the PBX enqueues this record for the PMS; postings without P#
    row 1 sent                  the first enqueued row has this state
    row 1 done OK               the row has this state and this answer
    row 1 unknown after 3       the row has this state and this number of attempts
    row 1 refused because pms   the row has this state and this reason
    text The room does not*     the answer's text in the row of the last row step

    user disconnect             a user's control: enable, disable, expire, disconnect or resync
    user disconnect rejected    a control that does not apply in this state
    user resends 1              a user's action on the first row: resends or discards
    user discards 1 rejected    an action that is not permitted in the state of the row

    state ESTABLISHED in sync   the marker of the link; "in sync" or "not in sync" may follow
    state CLOSED within 2 s     the link has this marker within this time
    intent enabled              the last control of a user
    cause no_answer             the code of the cause of the state
    reason The PMS did not*     the text of the cause
    advice *                    the text of the advice
    history CLOSED, WAIT_LS     all markers since the previous history step, in order
    held sync since 1 s         what holds the rows of the outbox, and for how long it has
    held sync until 9 s         the same, and how many seconds later it ends by itself; "until ?": not known
    held sync waiting 2         the same, and how many rows wait
    not held                    nothing holds the rows
    stray answers 1             how many answers (PA) belonged to no posting
    received GI 2               the link has received this number of records with this id
    skipped noise               the link has skipped bytes of this kind: noise, torn or overlong

A dialogue fails at its end if the link did anything that no step expected. `hotel_dialogue_steps` has the
steps about the hotel's events and phones.
"""

from __future__ import annotations

import random
import re
import sqlite3
import tomllib
from collections.abc import Awaitable, Callable, Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, cast

import pytest
from twisted.python.failure import Failure

from pmslink.errors import NotApplicableError
from pmslink.link import controls
from pmslink.link.link import Link
from pmslink.store.operations.operator_actions import discard, resend
from tests.hotel_dialogue_steps import HOTEL_STEPS, HotelSteps
from tests.memory_network import NetworkMode
from tests.scripted_pms import CONNECTION_EVENT, DialogueHarness, InMemoryHarness, TcpHarness
from tests.time_limit import time_limit

FILES = sorted((Path(__file__).parent / "dialogues").glob("*.txt"))


def steps(file: Path) -> list[tuple[int, str]]:
    """Return the steps of a dialogue, each with its line number."""
    lines = enumerate(file.read_text("utf-8").splitlines(), start=1)
    return [(number, line) for number, line in lines if line and not line.startswith("#")]


def fits_tcp(file: Path) -> bool:
    return not any(step in ("black hole", "stall", "store fails") for _, step in steps(file))


class Dialogue(HotelSteps):
    """Runs one dialogue in a harness."""

    def __init__(self, harness: DialogueHarness) -> None:
        self.harness = harness
        self._seen_transitions = 0  # transitions that a history step has seen
        self._text = ""  # the answer to the row of the last row step

    async def run(self, file: Path) -> None:
        try:
            for number, step in steps(file):
                try:
                    await self._run_step(step)
                except AssertionError as problem:
                    raise AssertionError(f"{file.name}, line {number}: {step}\n{problem}") from None
            if any(step.startswith(("event ", "no event")) for _, step in steps(file)):
                await self._expect_no_event()
            assert not self.harness.received, f"no step expected: {list(self.harness.received)}"
            assert not self.harness.ended_connection_count, (
                "the link closed a connection, which no step expected"
            )
        finally:
            await self.harness.stop()

    async def _run_step(self, step: str) -> None:
        for pattern, action in self._grammar.items():
            if match := re.fullmatch(pattern, step):
                await action(self, *match.groups())
                return
        raise AssertionError("unknown step")

    @property
    def _link(self) -> Link:
        assert self.harness.link is not None, "not started"
        return self.harness.link

    # Network and service

    async def _set_network_mode(self, mode: str) -> None:
        await self.harness.set_network_mode(cast(NetworkMode, mode))

    async def _set_setting(self, name: str, value: str) -> None:
        self.harness.change_setting(name, tomllib.loads(f"value = {value}")["value"])

    async def _start(self) -> None:
        self.harness.start()

    async def _restart(self, kind: str) -> None:
        await self.harness.restart(crash=kind == "crash")

    async def _want_resync(self) -> None:
        self.harness.resync_wanted = True

    async def _set_store_state(self, state: str) -> None:
        outage = sqlite3.OperationalError("database or disk is full")
        self.harness.database.commit_error = outage if state == "fails" else None

    # PBX

    async def _enqueue_record(self, text: str) -> None:
        await self.harness.settle()  # what the PMS sent before has arrived
        self.harness.enqueue_record(text)
        await self.harness.wait(0)

    async def _expect_row(
        self, number: str, state: str, answer: str | None, attempts: str | None, reason: str | None
    ) -> None:
        expected = (state, answer, int(attempts or 0), reason)

        def current() -> tuple[str, str | None, int, str | None]:
            row = self.harness.stored_row(int(number))
            assert row is not None, f"there is no row {number}"
            self._text = row.text_answer or ""
            return (
                row.state,
                row.answer if answer else None,
                row.attempts if attempts else 0,
                row.reason if reason else None,
            )

        assert await self.harness.until(lambda: current() == expected, None), (
            f"the row is {self.harness.stored_row(int(number))}"
        )

    async def _expect_text(self, pattern: str) -> None:
        assert fnmatchcase(self._text, pattern), f"the text is {self._text!r}"

    async def _apply_action(self, verb: str, number: str, rejected: str | None) -> None:
        operation = resend if verb == "resends" else discard
        results: list[object] = []
        self.harness.apply_operator_action(int(number), operation).addBoth(results.append)
        assert await self.harness.until(lambda: bool(results), None), "the action has no result"
        failed = isinstance(results[0], Failure)
        assert failed == bool(rejected), f"the result is {results[0]}"

    # PMS

    async def _send(self, text: str) -> None:
        await self._wait_for_connection()
        self.harness.send(text)

    async def _send_description(self) -> None:
        for text in ("LD|V#mirror|IFPB|", "LR|RIGI|FLRNG#|", "LR|RIGO|FLRNG#|", "LA|"):
            await self._send(text)

    async def _send_bytes(self, text: str) -> None:
        await self._wait_for_connection()
        self.harness.send_bytes(text.encode("latin-1").decode("unicode_escape").encode("latin-1"))

    async def _send_noise(self, size: str) -> None:
        await self._wait_for_connection()
        self.harness.send_bytes(b"?" * int(size))

    async def _close(self) -> None:
        await self._wait_for_connection()
        self.harness.close(graceful=True)

    async def _drop(self) -> None:
        await self._wait_for_connection()
        self.harness.close(graceful=False)

    async def _wait_for_connection(self) -> None:
        assert await self.harness.until(lambda: self.harness.connection is not None, None), "no connection"

    async def _dock(self) -> None:
        await self._expect("connection", None)
        await self._send("LS|")
        await self._expect_description()
        await self._send("LA|")
        # What is enqueued from now on was accepted in sync, also over TCP.
        assert await self.harness.until(lambda: self._link.session.in_sync, None), "not in sync"

    # Expectations

    async def _expect(self, pattern: str, within: str | None) -> None:
        received = self.harness.received
        assert await self.harness.until(lambda: bool(received), _seconds(within)), "nothing was received"
        text = received.popleft()
        expected = CONNECTION_EVENT if pattern == "connection" else pattern
        assert fnmatchcase(text, expected.replace("[", "[[]")), f"received: {text}"

    async def _expect_description(self) -> None:
        await self._expect("LD|DA??????|TI??????|V#*|IFPB|", None)
        await self._expect("LR|RI??|FL*|", None)
        received = self.harness.received
        while await self.harness.until(lambda: bool(received), None) and received[0].startswith("LR|"):
            received.popleft()
        await self._expect("LA|DA??????|TI??????|", None)

    async def _expect_nothing(self, seconds: str | None) -> None:
        await self.harness.wait(float(seconds or 0))
        assert not self.harness.received, f"received: {list(self.harness.received)}"

    async def _expect_end(self) -> None:
        assert await self.harness.until(lambda: self.harness.ended_connection_count > 0, None), (
            "the connection is still open"
        )
        self.harness.ended_connection_count -= 1

    async def _wait(self, seconds: str) -> None:
        await self.harness.wait(float(seconds))

    # User

    async def _apply_control(self, control: str, rejected: str | None) -> None:
        error = ""
        try:
            getattr(controls, "request_resync" if control == "resync" else control)(self._link)
        except NotApplicableError as problem:
            error = str(problem)
        assert bool(error) == bool(rejected), f"rejected: {error}" if error else "not rejected"

    # State of the link

    async def _expect_state(self, marker: str, sync: str | None, within: str | None) -> None:
        link = self._link

        def is_reached() -> bool:
            sync_matches = not sync or link.session.in_sync == (sync == " in sync")
            return link.core.marker == marker and sync_matches

        actual_sync = "in sync" if link.session.in_sync else "not in sync"
        assert await self.harness.until(is_reached, _seconds(within)), (
            f"the state is {link.core.marker}, {actual_sync}"
        )

    async def _expect_intent(self, intent: str) -> None:
        assert self._link.core.intent == intent, f"the intent is {self._link.core.intent}"

    async def _expect_cause(self, code: str) -> None:
        assert self._link.core.cause.code == code, f"the cause is {self._link.core.cause}"

    async def _expect_reason(self, pattern: str) -> None:
        assert fnmatchcase(self._link.reason, pattern), f"the reason is {self._link.reason}"

    async def _expect_advice(self, pattern: str) -> None:
        advice = self._link.status().advice
        assert fnmatchcase(advice, pattern), f"the advice is {advice}"

    async def _expect_history(self, markers: str) -> None:
        def new_markers() -> str:
            return ", ".join(
                transition.new for transition in self.harness.transitions[self._seen_transitions :]
            )

        assert await self.harness.until(lambda: new_markers() == markers, None), (
            f"the history is {new_markers()}"
        )
        self._seen_transitions = len(self.harness.transitions)

    async def _expect_hold(self, by: str, since: str | None, until: str | None, waiting: str | None) -> None:
        def differs() -> str:
            hold, now = self._link.status().held, self.harness.wall()
            if hold is None:
                return "not held"
            ends_in = "?" if hold.until is None else f"{round((hold.until - now).total_seconds())} s"
            since_s = str(round((now - hold.since).total_seconds()))
            actual = (hold.by, since_s, ends_in, str(hold.waiting))
            expected = (by, since or since_s, until or ends_in, waiting or str(hold.waiting))
            return "" if actual == expected else "held {} since {} s until {} waiting {}".format(*actual)

        assert await self.harness.until(lambda: not differs(), None), differs()

    async def _expect_no_hold(self) -> None:
        assert await self.harness.until(lambda: self._link.status().held is None, None), (
            f"held: {self._link.status().held}"
        )

    async def _expect_stray_answers(self, count: str) -> None:
        assert await self.harness.until(
            lambda: self._link.status().outbox.stray_answers == int(count), None
        ), f"{self._link.status().outbox.stray_answers} stray answers"

    async def _expect_received(self, record_id: str, count: str) -> None:
        counts = self._link.trace.record_counts
        assert await self.harness.until(lambda: counts["in", record_id] == int(count), None), (
            f"{counts['in', record_id]} were received"
        )

    async def _expect_skipped(self, kind: str) -> None:
        skipped = self._link.trace.skipped_bytes
        assert await self.harness.until(lambda: skipped[kind] > 0, None), f"skipped: {dict(skipped)}"

    _grammar: dict[str, Callable[..., Awaitable[None]]] = {  # noqa: RUF012  # read only
        **HOTEL_STEPS,
        r"(accept|refuse|black hole|stall)": _set_network_mode,
        r"settings (\w+) = (.+)": _set_setting,
        r"start": _start,
        r"(restart|crash)": _restart,
        r"resync wanted": _want_resync,
        r"store (fails|recovers)": _set_store_state,
        r"pbx (.+)": _enqueue_record,
        r"row (\d+) (\w+)(?: ([A-Z]{2}))?(?: after (\d+))?(?: because (\w+))?": _expect_row,
        r"text (.*)": _expect_text,
        r"user (resends|discards) (\d+)( rejected)?": _apply_action,
        r"dock": _dock,
        r"pms description": _send_description,
        r"pms bytes (.+)": _send_bytes,
        r"pms noise (\d+)": _send_noise,
        r"pms closes": _close,
        r"pms drops": _drop,
        r"pms (..\|?.*)": _send,
        r"expect description": _expect_description,
        r"expect nothing(?: for ([\d.]+) s)?": _expect_nothing,
        r"expect end": _expect_end,
        r"expect (.+?)(?: within ([\d.]+) s)?": _expect,
        r"wait ([\d.]+) s": _wait,
        r"user (enable|disable|expire|disconnect|resync)( rejected)?": _apply_control,
        r"state ([A-Z_]+)( in sync| not in sync)?(?: within ([\d.]+) s)?": _expect_state,
        r"intent (\w+)": _expect_intent,
        r"cause (\w+)": _expect_cause,
        r"reason (.+)": _expect_reason,
        r"advice ?(.*)": _expect_advice,
        r"history (.+)": _expect_history,
        r"held (\w+)(?: since (\d+) s)?(?: until (\d+ s|\?))?(?: waiting (\d+))?": _expect_hold,
        r"not held": _expect_no_hold,
        r"stray answers (\d+)": _expect_stray_answers,
        r"received (\w+) (\d+)": _expect_received,
        r"skipped (\w+)": _expect_skipped,
    }


def _seconds(text: str | None) -> float | None:
    return None if text is None else float(text)


def _params(files: Iterable[Path]) -> list[Any]:
    return [pytest.param(file, id=file.stem) for file in files]


@pytest.mark.parametrize("file", _params(FILES))
@time_limit(30)
async def test_in_memory(file: Path) -> None:
    random.seed(file.stem)  # the same jitter each time
    await Dialogue(InMemoryHarness()).run(file)


@pytest.mark.parametrize("file", _params(filter(fits_tcp, FILES)))
@time_limit(60)
async def test_over_tcp(file: Path) -> None:
    random.seed(file.stem)
    await Dialogue(TcpHarness()).run(file)


def test_each_dialogue_begins_with_a_comment() -> None:
    assert all(file.read_text("utf-8").startswith("# ") for file in FILES)
    assert len(FILES) >= 32
    assert sum(map(fits_tcp, FILES)) >= 150
