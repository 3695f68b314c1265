r"""Plays the dialogues between a link and a PMS that stand in `dialogues/`, each in a file of its own.

A dialogue is read from top to bottom, one step a line; a line that begins with # is a comment. Each is
played in memory with a test clock. Those that never wait longer than three seconds, and need no network
that TCP on one machine cannot give, are played over TCP as well.

    settings alive_on = "any"   a setting of the link, as in its configuration; later on, a change of it
    start                       the service starts
    restart                     it stops, and another starts on the same store
    crash                       … but the first ends as by SIGKILL
    resync wanted               before the start: something may have been missed
    store fails                 nothing can be written any more
    store recovers
    accept, refuse              the PMS takes connections, or refuses them
    black hole                  dials are not even answered
    stall                       connections succeed, but nothing passes any more; until "accept"

    pms LS|DA260101|TI120000|   the PMS sends this record
    pms description             … LD, some LR and LA, as a PBX would
    pms bytes \x06\x02LA|\x03   … these bytes, as they are
    pms noise 1000000           … so many bytes without a frame
    pms closes, pms drops       the PMS closes the connection, or resets it

    dock                        the link connects, and the PMS starts and confirms it
    expect connection           the link connects
    expect LA|*                 the link sends such a record; * stands for anything
    expect description          … LD, at least one LR, and LA
    expect LS|* within 15 s     … but it may take so long
    expect nothing              the link has sent nothing else so far, and does not connect
    expect nothing for 10 s     … and in the next ten seconds
    expect end                  the link closes the connection
    wait 30 s                   time passes

    pbx PS|RN101|PTC|TA1050|    the PBX hands this over for the PMS; postings without P#
    row 1 sent                  what it handed over first is in this state
    row 1 done OK               … and was answered so
    row 1 unknown after 3       … after so many attempts
    text The room does not*     the text of the answer to the last row step

    user disconnect             a user's control: enable, disable, expire, disconnect or resync
    user disconnect refused     … that does not apply
    user resends 1              a user's decision on the first row: resends or discards
    user discards 1 refused

    state ESTABLISHED in sync   the state of the link: its marker; "in sync" and "not in sync" may follow
    state CLOSED within 2 s     … which it may take so long to reach
    intent enabled              what is wanted of it
    cause no_answer             why it is in this state, as a code
    reason The PMS did not*     … in words
    advice *
    history CLOSED, WAIT_LS     all of its markers since the last such step, in order
    taken GI 2                  so many records of this kind have come in
    skipped noise               bytes of this kind were skipped: noise, torn or overlong

Whatever the link does that no step has expected fails the dialogue at its end. Steps about the hotel, its
events and phones, stand in `hotel_dialogue_steps`.
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
LONGEST_WAIT_OVER_TCP = 3.0
_BRIEF = 0.05
"""Seconds after which nothing more is awaited where nothing is expected, over TCP."""


def steps(file: Path) -> list[tuple[int, str]]:
    """The steps of a dialogue, each with its line's number."""
    lines = enumerate(file.read_text("utf-8").splitlines(), start=1)
    return [(number, line) for number, line in lines if line and not line.startswith("#")]


def fits_tcp(file: Path) -> bool:
    return not any(
        step in ("black hole", "stall", "store fails")
        or any(float(wait) > LONGEST_WAIT_OVER_TCP for wait in re.findall(r"([\d.]+) s$", step))
        for _, step in steps(file)
    )


class Dialogue(HotelSteps):
    """One dialogue in a harness."""

    def __init__(self, harness: DialogueHarness) -> None:
        self.harness = harness
        self._seen_transitions = 0  # transitions that a history step has seen
        self._text = ""  # the answer to the row of the last row step

    async def play(self, file: Path) -> None:
        try:
            for number, step in steps(file):
                try:
                    await self._do(step)
                except AssertionError as problem:
                    raise AssertionError(f"{file.name}, line {number}: {step}\n{problem}") from None
            if any(step.startswith(("event ", "no event")) for _, step in steps(file)):
                await self._expect_no_event()
            assert not self.harness.received, f"not expected: {list(self.harness.received)}"
            assert not self.harness.ended_connection_count, (
                "the link ended a connection, which no step expected"
            )
        finally:
            await self.harness.stop()

    async def _do(self, step: str) -> None:
        for pattern, action in self._grammar.items():
            if match := re.fullmatch(pattern, step):
                await action(self, *match.groups())
                return
        raise AssertionError("no such step")

    @property
    def _link(self) -> Link:
        assert self.harness.link is not None, "not started"
        return self.harness.link

    # The network and the service.

    async def _mode(self, mode: str) -> None:
        await self.harness.set_network_mode(cast(NetworkMode, mode))

    async def _settings(self, name: str, value: str) -> None:
        self.harness.change_setting(name, tomllib.loads(f"value = {value}")["value"])

    async def _start(self) -> None:
        self.harness.start()

    async def _restart(self, how: str) -> None:
        await self.harness.restart(crash=how == "crash")

    async def _resync_wanted(self) -> None:
        self.harness.resync_wanted = True

    async def _store(self, how: str) -> None:
        outage = sqlite3.OperationalError("database or disk is full")
        self.harness.database.commit_error = outage if how == "fails" else None

    # The PBX.

    async def _pbx(self, text: str) -> None:
        self.harness.enqueue_record(text)
        await self.harness.wait(0)

    async def _row(self, number: str, state: str, answer: str | None, attempts: str | None) -> None:
        wanted = (state, answer, int(attempts or 0))

        def now() -> tuple[str, str | None, int]:
            row = self.harness.stored_row(int(number))
            assert row is not None, "there is no such row"
            self._text = row.text_answer or ""
            return row.state, row.answer if answer else None, row.attempts if attempts else 0

        assert await self.harness.until(lambda: now() == wanted, None), (
            f"it is {self.harness.stored_row(int(number))}"
        )

    async def _text_is(self, pattern: str) -> None:
        assert fnmatchcase(self._text, pattern), f"it is {self._text!r}"

    async def _decide(self, word: str, number: str, refused: str | None) -> None:
        decision = resend if word == "resends" else discard
        answers: list[object] = []
        self.harness.operator_action(int(number), decision).addBoth(answers.append)
        assert await self.harness.until(lambda: bool(answers), None), "no answer"
        failed = isinstance(answers[0], Failure)
        assert failed == bool(refused), f"the answer was {answers[0]}"

    # The PMS.

    async def _pms_sends(self, text: str) -> None:
        await self._connected()
        self.harness.send(text)

    async def _pms_describes(self) -> None:
        for text in ("LD|V#mirror|IFPB|", "LR|RIGI|FLRNG#|", "LR|RIGO|FLRNG#|", "LA|"):
            await self._pms_sends(text)

    async def _pms_sends_bytes(self, text: str) -> None:
        await self._connected()
        self.harness.send_bytes(text.encode("latin-1").decode("unicode_escape").encode("latin-1"))

    async def _pms_sends_noise(self, size: str) -> None:
        await self._connected()
        self.harness.send_bytes(b"?" * int(size))

    async def _pms_closes(self) -> None:
        await self._connected()
        self.harness.close(graceful=True)

    async def _pms_drops(self) -> None:
        await self._connected()
        self.harness.close(graceful=False)

    async def _connected(self) -> None:
        assert await self.harness.until(lambda: self.harness.connection is not None, None), "no connection"

    async def _dock(self) -> None:
        await self._expect("connection", None)
        await self._pms_sends("LS|")
        await self._expect_description()
        await self._pms_sends("LA|")

    # Expectations.

    async def _expect(self, pattern: str, within: str | None) -> None:
        received = self.harness.received
        assert await self.harness.until(lambda: bool(received), _seconds(within)), "nothing was received"
        text = received.popleft()
        wanted = CONNECTION_EVENT if pattern == "connection" else pattern
        assert fnmatchcase(text, wanted.replace("[", "[[]")), f"received: {text}"

    async def _expect_description(self) -> None:
        await self._expect("LD|DA??????|TI??????|V#*|IFPB|", None)
        await self._expect("LR|RI??|FL*|", None)
        received = self.harness.received
        while await self.harness.until(lambda: bool(received), None) and received[0].startswith("LR|"):
            received.popleft()
        await self._expect("LA|DA??????|TI??????|", None)

    async def _expect_nothing(self, seconds: str | None) -> None:
        await self.harness.wait(float(seconds) if seconds else _BRIEF if self._in_real_time else 0)
        assert not self.harness.received, f"received: {list(self.harness.received)}"

    async def _expect_end(self) -> None:
        assert await self.harness.until(lambda: self.harness.ended_connection_count > 0, None), (
            "the connection goes on"
        )
        self.harness.ended_connection_count -= 1

    @property
    def _in_real_time(self) -> bool:
        return isinstance(self.harness, TcpHarness)

    async def _wait(self, seconds: str) -> None:
        await self.harness.wait(float(seconds))

    # The user.

    async def _user(self, control: str, refused: str | None) -> None:
        answer = ""
        try:
            getattr(controls, "request_resync" if control == "resync" else control)(self._link)
        except NotApplicableError as problem:
            answer = str(problem)
        assert bool(answer) == bool(refused), f"it was refused: {answer}" if answer else "it was not refused"

    # The state of the link.

    async def _state(self, marker: str, sync: str | None, within: str | None) -> None:
        link = self._link

        def is_reached() -> bool:
            synced = not sync or link.session.in_sync == (sync == " in sync")
            return link.core.marker == marker and synced

        synced = "in sync" if link.session.in_sync else "not in sync"
        assert await self.harness.until(is_reached, _seconds(within)), f"it is {link.core.marker}, {synced}"

    async def _intent(self, intent: str) -> None:
        assert self._link.core.intent == intent, f"it is {self._link.core.intent}"

    async def _cause(self, code: str) -> None:
        assert self._link.core.cause.code == code, f"it is {self._link.core.cause}"

    async def _reason(self, pattern: str) -> None:
        assert fnmatchcase(self._link.reason, pattern), f"it is {self._link.reason}"

    async def _advice(self, pattern: str) -> None:
        advice = self._link.status().advice
        assert fnmatchcase(advice, pattern), f"it is {advice}"

    async def _history(self, markers: str) -> None:
        def path() -> str:
            return ", ".join(
                transition.new for transition in self.harness.transitions[self._seen_transitions :]
            )

        assert await self.harness.until(lambda: path() == markers, None), f"it is {path()}"
        self._seen_transitions = len(self.harness.transitions)

    async def _taken(self, id: str, count: str) -> None:
        counts = self._link.trace.record_counts
        assert await self.harness.until(lambda: counts["in", id] == int(count), None), (
            f"{counts['in', id]} were"
        )

    async def _skipped(self, what: str) -> None:
        skipped = self._link.trace.skipped_bytes
        assert await self.harness.until(lambda: skipped[what] > 0, None), f"these were: {dict(skipped)}"

    _grammar: dict[str, Callable[..., Awaitable[None]]] = {  # noqa: RUF012  # read only
        **HOTEL_STEPS,
        r"(accept|refuse|black hole|stall)": _mode,
        r"settings (\w+) = (.+)": _settings,
        r"start": _start,
        r"(restart|crash)": _restart,
        r"resync wanted": _resync_wanted,
        r"store (fails|recovers)": _store,
        r"pbx (.+)": _pbx,
        r"row (\d+) (\w+)(?: ([A-Z]{2}))?(?: after (\d+))?": _row,
        r"text (.*)": _text_is,
        r"user (resends|discards) (\d+)( refused)?": _decide,
        r"dock": _dock,
        r"pms description": _pms_describes,
        r"pms bytes (.+)": _pms_sends_bytes,
        r"pms noise (\d+)": _pms_sends_noise,
        r"pms closes": _pms_closes,
        r"pms drops": _pms_drops,
        r"pms (..\|?.*)": _pms_sends,
        r"expect description": _expect_description,
        r"expect nothing(?: for ([\d.]+) s)?": _expect_nothing,
        r"expect end": _expect_end,
        r"expect (.+?)(?: within ([\d.]+) s)?": _expect,
        r"wait ([\d.]+) s": _wait,
        r"user (enable|disable|expire|disconnect|resync)( refused)?": _user,
        r"state ([A-Z_]+)( in sync| not in sync)?(?: within ([\d.]+) s)?": _state,
        r"intent (\w+)": _intent,
        r"cause (\w+)": _cause,
        r"reason (.+)": _reason,
        r"advice ?(.*)": _advice,
        r"history (.+)": _history,
        r"taken (\w+) (\d+)": _taken,
        r"skipped (\w+)": _skipped,
    }


def _seconds(text: str | None) -> float | None:
    return None if text is None else float(text)


def _named(files: Iterable[Path]) -> list[Any]:
    return [pytest.param(file, id=file.stem) for file in files]


@pytest.mark.parametrize("file", _named(FILES))
@time_limit(30)
async def test_in_memory(file: Path) -> None:
    random.seed(file.stem)  # the same jitter each time
    await Dialogue(InMemoryHarness()).play(file)


@pytest.mark.parametrize("file", _named(filter(fits_tcp, FILES)))
@time_limit(60)
async def test_over_tcp(file: Path) -> None:
    await Dialogue(TcpHarness()).play(file)


def test_each_dialogue_begins_with_what_it_proves() -> None:
    assert all(file.read_text("utf-8").startswith("# ") for file in FILES)
    assert len(FILES) >= 32
    assert sum(map(fits_tcp, FILES)) >= 16
