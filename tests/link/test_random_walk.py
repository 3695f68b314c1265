"""A long random walk: one link, a simulated PMS, and every event in any order.

After every step the rules of the states have to hold. At intervals, from whatever state the walk has
reached, the link has to recover with a PMS that behaves correctly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, cast, get_args

import pytest
from attrs import evolve
from twisted.internet.task import Clock, LoopingCall

from pmslink.config.link_definition import LinkConfig
from pmslink.config.link_settings import LinkSettings
from pmslink.errors import NotApplicableError
from pmslink.fias.framing import FRAME_LIMIT_BYTES, UNFRAMED_LIMIT_BYTES
from pmslink.link import backoff, controls, link_checks
from pmslink.link.countdown import Countdown
from pmslink.link.link import Link
from pmslink.link.machine import STATES, TABLE, Intent, Marker, TimerName
from pmslink.link.state_history import Transition
from pmslink.simulator.pms.connection_factory import PmsFactory
from pmslink.simulator.pms.fault_switches import NO_FAULTS, Faults
from pmslink.simulator.pms.property import NotLinkedError, Pms
from pmslink.store.core.journal_interface import NullJournal
from tests.memory_network import MemoryTransport, Network, NetworkMode, advance_clock, next_timer_due

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
MARKERS: tuple[Marker, ...] = get_args(Marker)

NO_OP_MOVES = {"ignore", "unchanged", "refuse", "handled"}
"""Actions that do nothing."""
EFFECTIVE_CELLS = {
    (event, marker)
    for event, row in TABLE.items()
    for marker, move in zip(STATES, row, strict=True)
    if move.name not in NO_OP_MOVES
}

ALLOWED_CHANGES: set[tuple[str, str]] = {
    (marker, move.to)
    for row in TABLE.values()
    for marker, move in zip(STATES, row, strict=True)
    if move.to is not None
}
"""The changes from marker to marker that some cell of the table allows."""

CHANGES = {(old, new) for old, new in ALLOWED_CHANGES if old != new}

INTENTS: dict[Marker, set[Intent]] = {
    "DISABLED": {"disabled"},
    "EXPIRED": {"expired"},
    "CLOSED": {"enabled", "disconnected"},
    "WAIT_LS": {"enabled"},
    "ESTABLISHED": {"enabled"},
    "EXPECTION": {"enabled"},
    "WAIT_LE": {"enabled", "disconnected"},
}

START, LISTEN, END = get_args(TimerName)
REDIAL, CHECK, SYNC, SETTLE, GAP, CLOSING = "redial", "check", "sync", "settle", "gap", "closing"
RESYNC, EXCHANGE, INPUT = "resync", "exchange", "input"
ALLOWED: dict[Marker, set[str]] = {
    "DISABLED": set(),
    "EXPIRED": set(),
    "CLOSED": {REDIAL},
    "WAIT_LS": {START, LISTEN, GAP, EXCHANGE, INPUT},
    "ESTABLISHED": {CHECK, SYNC, SETTLE, GAP, RESYNC, EXCHANGE, INPUT},
    "EXPECTION": {REDIAL},
    "WAIT_LE": {END, GAP, RESYNC},
}
"""The timers that may run in a state; that of a connection that is being closed may run in any."""
AT_MOST = {CHECK: 2, RESYNC: 2, GAP: 2, EXCHANGE: 4}
"""The next check and the deadline of the last one; the rest after a DR and its follow-up; the gap itself
and the outbox that waits for its end. Of others one."""


class FailingJournal(NullJournal):
    """A journal that stores nothing, and can be made to fail."""

    is_failing = False


class Walk:
    """One link, its PMS, and the random choices."""

    def __init__(self, seed: int) -> None:
        self.dice = Random(seed)
        self.clock = Clock()
        self.clock_offset = timedelta(0)
        self.pms = Pms(self.clock, self.wall, room_count=3, max_records=50, seed=seed)
        self.network = Network(self.clock, PmsFactory(self.pms))
        self.transitions: list[Transition] = []
        self.edges: Counter[tuple[str, str]] = Counter()
        """Events by the state in which they came."""
        self.seen_changes: set[tuple[str, str]] = set()
        self.restarts = 0
        self.restored_intents: Counter[str] = Counter()
        self.recovered_from: Counter[Marker] = Counter()
        self.config = LinkConfig(name="walked", host="192.0.2.1", port=5010, settings=self.any_settings())
        self.journal = FailingJournal()
        self.link = self.started()
        self.choices: list[Callable[[], None]] = []
        self.weights: list[float] = []
        for weight, choice in self.all_choices():
            self.choices.append(choice)
            self.weights.append(weight)

    def wall(self) -> datetime:
        return NEW_YEAR + timedelta(seconds=self.clock.seconds()) + self.clock_offset

    # The steps.

    def all_choices(self) -> list[tuple[float, Callable[[], None]]]:
        return [
            (30, self.to_the_next_timer),
            (12, self.a_moment),
            (4, self.some_seconds),
            (1, self.minutes),
            (2.5, lambda: self.control("enable")),
            (1, lambda: self.control("disable")),
            (1, lambda: self.control("disconnect")),
            (0.6, lambda: self.control("expire")),
            (0.7, self.change_settings),
            (0.7, self.change_address),
            (0.4, self.lose_the_address),
            (3, self.get_the_address_back),
            (1, self.move_the_end_of_the_subscription),
            (1, self.look_at_the_calendar),
            (1, self.set_the_clock),
            (0.3, self.restart),
            (3, self.change_the_network),
            (2, self.change_the_pms),
            (2, lambda: self.at_the_pms(self.pms.end_link)),
            (1, lambda: self.at_the_pms(self.pms.drop_link)),
            (1.5, lambda: self.at_the_pms(self.pms.start_link)),
            (1, lambda: self.at_the_pms(self.pms.resync)),
            (5, self.a_record),
            (0.4, self.noise),
            (0.4, self.store_fails),
            (4, self.store_recovers),
        ]

    def step(self) -> None:
        (choice,) = self.dice.choices(self.choices, self.weights)
        choice()

    def to_the_next_timer(self) -> None:
        due = next_timer_due(self.clock)
        if due is not None:
            advance_clock(self.clock, max(0.0, due - self.clock.seconds()))

    def a_moment(self) -> None:
        advance_clock(self.clock, self.dice.choice([0, 0, 0.01, 0.1]))

    def some_seconds(self) -> None:
        advance_clock(self.clock, self.dice.uniform(0, 5))

    def minutes(self) -> None:
        advance_clock(self.clock, self.dice.uniform(5, 150))

    def control(self, name: str) -> None:
        try:
            getattr(controls, name)(self.link)
        except NotApplicableError:
            assert name in ("enable", "disconnect")

    def change_settings(self) -> None:
        self.change(evolve(self.config, settings=self.any_settings()))

    def change_address(self) -> None:
        self.link.connector.blocked_by = None  # nobody has the new one
        self.change(evolve(self.config, port=self.dice.randint(5000, 6000)))

    def lose_the_address(self) -> None:
        self.link.block("another")

    def get_the_address_back(self) -> None:
        if self.link.connector.blocked_by is not None:
            self.link.unblock()

    def move_the_end_of_the_subscription(self) -> None:
        moved = self.dice.choice([None, timedelta(seconds=-5), timedelta(seconds=20), timedelta(hours=1)])
        end = None if moved is None else self.wall() + moved
        self.change(evolve(self.config, settings=evolve(self.config.settings, expires_at=end)))

    def change(self, config: LinkConfig) -> None:
        self.config = config
        self.link.apply_config(config)

    def look_at_the_calendar(self) -> None:
        self.link.check_expiry()

    def set_the_clock(self) -> None:
        """Set the wall clock; the intent from before an expiry returns if the clock is set back before it."""
        self.link.check_expiry()
        restored = self.link.expiry.intent_before
        self.clock_offset = self.dice.choice([timedelta(0), timedelta(hours=1), timedelta(hours=-1)])
        was_over = self.link.core.intent == "expired"
        self.link.check_expiry()
        if was_over and restored and not self.link.expiry.is_over:
            assert self.link.core.intent == restored
            self.restored_intents[restored] += 1

    def restart(self) -> None:
        """Stop the service and start it again with the current settings of the link."""
        gone: list[object] = []
        self.link.stop().addCallback(gone.append)
        advance_clock(self.clock, 1)  # a connection that is being closed is aborted after a second
        assert gone
        assert not self.timers()
        assert self.network.open_count == 0
        enabled = self.link.core.intent == "enabled"
        self.config = evolve(self.config, settings=evolve(self.config.settings, enabled=enabled))
        self.restarts += 1
        self.transitions.clear()
        self.link = self.started()

    def change_the_network(self) -> None:
        modes: list[NetworkMode] = ["accept", "refuse", "black hole", "stall"]
        (self.network.mode,) = self.dice.choices(modes, [8, 1, 1, 1])
        self.network.latency = self.dice.choice([0, 0, 0.01, 0.4])

    def change_the_pms(self) -> None:
        faults = self.dice.choice(FAULTS)
        self.pms.set_faults(Faults.parse(faults))

    def at_the_pms(self, event: Callable[[], None]) -> None:
        try:
            event()
        except NotLinkedError:
            pass

    def a_record(self) -> None:
        text = self.dice.choice(RECORDS)
        self.at_the_pms(lambda: self.pms.send_text(text))

    def noise(self) -> None:
        # byte by byte, long noise would take the test clock minutes
        data = self.dice.choice(SHORT_NOISE if self.pms.faults.split_bytes else NOISE)
        self.at_the_pms(lambda: self.pms.send_bytes(data))

    # The link.

    def any_settings(self) -> LinkSettings:
        dice = self.dice
        return LinkSettings(
            alive_interval=dice.choice([5, 30, 300]),
            alive_timeout=dice.choice([1, 3, 10]),
            alive_by=dice.choice(["LS", "LS", "LA", "nothing"]),
            alive_on=dice.choice(["LA", "any"]),
            listen_time=dice.choice([1, 3]),
            start_timeout=dice.choice([8, 30]),
            sync_timeout=dice.choice([4, 30]),
            retry_max=dice.choice([2, 30]),
            describe=dice.random() < 0.95,
            sync_on=dice.choice(["LA", "LA", "any", "declared"]),
            record_gap=dice.choice([0, 0, 0.2]),
            timezone="UTC",
        )

    def started(self) -> Link:
        link = Link(self.config, self.clock, self.wall, self.network.dial, self.watch, self.journal)
        machine: Any = link.machine
        machine.__automat_transitioner__.setTrace(
            self.note_edge
        )  # Automat has no public way to observe transitions
        link.start()
        return link

    def note_edge(self, old: Any, event: str, new: Any) -> None:
        self.edges[event, old.name] += 1

    def watch(self, link: Link, transition: Transition | None) -> None:
        if transition is None:
            return
        assert transition.new == link.core.marker
        if self.transitions:
            assert transition.old == self.transitions[-1].new
            change = (transition.old, transition.new)
            assert change in ALLOWED_CHANGES
            self.seen_changes.add(change)
        else:
            assert transition.old is None
        self.transitions.append(transition)
        assert link.reason  # every state has a text
        assert isinstance(link.status().advice, str)

    def store_fails(self) -> None:
        if not self.journal.is_failing:
            self.journal.is_failing = True
            self.link.dialer.pause_reading("store")
            self.some_seconds()
            self.link.on_store_failed()

    def store_recovers(self) -> None:
        if self.journal.is_failing:
            self.journal.is_failing = False
            self.link.on_store_recovered()

    def has_seen_everything(self) -> bool:
        """Return whether every event came in every state in which it does something."""
        return (
            set(self.edges) >= EFFECTIVE_CELLS
            and self.seen_changes >= CHANGES
            and self.restored_intents["enabled"] > 0
        )

    # The rules.

    def timers(self) -> Counter[str]:
        """The timers of the link that run, by what they are for."""
        running: Counter[str] = Counter()
        for call in self.clock.getDelayedCalls():
            name = timer_of(call)
            if name:
                running[name] += 1
        return running

    def check_rules(self) -> None:
        link = self.link
        marker, intent = link.core.marker, link.core.intent
        assert self.transitions[-1].new == marker
        assert intent in INTENTS[marker]
        assert self.network.open_count <= 1
        assert not link.session.in_sync or marker == "ESTABLISHED"
        timers = self.timers()
        closing = timers.pop(CLOSING, 0)
        assert closing <= 1
        assert set(timers) <= ALLOWED[marker], (marker, timers)
        assert all(count <= AT_MOST.get(name, 1) for name, count in timers.items()), timers
        assert marker == "WAIT_LS" or link.dialer.is_connected == (marker in ("ESTABLISHED", "WAIT_LE"))
        if marker == "CLOSED" and link.connector.blocked_by is not None:
            assert timers[REDIAL] == 0
            assert link.status().retry.next_at is None
        elif marker in ("EXPECTION", "CLOSED"):
            deferred = self.journal.is_failing and not timers[REDIAL]  # the redial waits for the store
            assert timers[REDIAL] == (intent == "enabled" and not deferred)
            assert (link.status().retry.next_at is not None) == (
                intent == "enabled" and not self.journal.is_failing
            )
        if marker == "WAIT_LS":
            assert timers[START] == 1
            assert self.network.open_count == 1  # a dial, a connection, or an old one that it waits for
        if marker == "ESTABLISHED":
            assert bool(timers[CHECK]) == link.session.in_sync
            assert timers[SYNC] == (not link.session.in_sync and not link.session.probe_is_due)
            assert closing == 0
        if marker == "WAIT_LE":
            assert timers[END] == 1
        assert (link.state_history.down_since is not None) == (
            intent == "enabled" and not link.session.in_sync
        )

    def recover(self) -> None:
        """Make PMS, network and store work, enable the link, and check that it docks."""
        marker = self.link.core.marker
        self.network.mode = "accept"
        self.network.latency = 0
        self.pms.set_faults(NO_FAULTS)
        self.store_recovers()
        self.get_the_address_back()
        self.change(evolve(self.config, settings=evolve(self.config.settings, expires_at=None)))
        controls.enable(self.link)
        for _ in range(600):
            if self.link.core.marker == "ESTABLISHED" and self.link.session.in_sync:
                break
            advance_clock(self.clock, 0.5)
            self.check_rules()
        advance_clock(self.clock, 100)  # it stays docked
        self.check_rules()
        assert self.link.core.marker == "ESTABLISHED", (marker, self.link.reason)
        assert self.link.session.in_sync
        self.recovered_from[marker] += 1


RECORDS = ["LS|", "LA|", "LE|", "LD|", "LR|", "GI|RN101|", "GI|RN101|SF|", "DS|", "DE|", "ZZ|"]
SHORT_NOISE = [b"\x06", b"\x02GI|", b"\x03"]
NOISE = [*SHORT_NOISE, b"x" * (FRAME_LIMIT_BYTES + 9), b"y" * (UNFRAMED_LIMIT_BYTES + 1)]
FAULTS: list[dict[str, Any]] = [
    {},
    {},
    {},
    {"no_ls": True},
    {"ls_la_at_once": True},
    {"never_la": True},
    {"la_for_la": True},
    {"ls_every": 1},
    {"ls_every": 10, "never_la": True},
    {"ls_unanswered": True},
    {"ld_mirror": True},
    {"ld_mirror": True, "no_ls": True},
    {"remember_declaration": True, "no_ls": True},
    {"frozen": True},
    {"drop_after": 1},
    {"drop_after": 20},
    {"refuse_second": True},
    {"split_bytes": True},
    {"joined": True},
    {"one_per_read": True},
    {"trailer": "lrc"},
    {"no_last_bar": True, "hhmm": True, "unknown_record": True},
    {"oversize": 20_000},
]


def timer_of(call: Any) -> str | None:
    """Return what a delayed call is for; None if it is not the link's."""
    function = call.func
    owner = getattr(function, "__self__", None)
    if isinstance(owner, Countdown):
        function = owner._callback
    if isinstance(function, LoopingCall):
        return CHECK
    if isinstance(owner, MemoryTransport):
        return CLOSING if function.__name__ == "abortConnection" else None
    match function.__module__, function.__name__:
        case "twisted.internet.protocol", "reconnector":
            return REDIAL
        case "pmslink.link.link", "_on_timeout":
            return cast(str, call.args[0])
        case "pmslink.link.link_session", "forget_failures":
            return SETTLE
        case "pmslink.link.link_checks", _:
            return CHECK
        case "pmslink.link.resync", _:
            return RESYNC
        case "pmslink.link.exchange", _:
            return EXCHANGE
        case "pmslink.link.unreadable_input_detector", _:
            return INPUT
        case "pmslink.link.link_session", "_send_final_check" | "_on_never_confirmed":
            return SYNC
        case ("pmslink.link.posting_holds", _) | ("pmslink.link.outbox", "_on_holds_changed"):
            pass
        case "pmslink.link.connection", "_resume_after_rare_records":
            pass
        case ("pmslink.link.connection", "_send_next") | ("pmslink.link.outbox", "send_next"):
            return GAP
        case module, name if module.startswith("pmslink.link"):
            raise AssertionError(f"an unknown timer: {module}.{name}")
    return None


STEPS = 30_000
MAX_STEPS = 10 * STEPS
"""Length of a walk that has not seen everything yet: the rarest event comes some times in STEPS."""
RECOVER_EVERY_STEPS = 250


@pytest.mark.parametrize("seed", [1, 2026])
def test_the_rules_hold_after_every_step_and_the_link_recovers_from_every_state(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk = Walk(seed)
    for module in (link_checks, backoff):  # the jitter uses the same random generator
        monkeypatch.setattr(module, "random", walk.dice)
    steps = 0
    while steps < STEPS or (steps < MAX_STEPS and not walk.has_seen_everything()):
        steps += 1
        walk.step()
        walk.check_rules()
        if steps % RECOVER_EVERY_STEPS == 0:
            walk.recover()
    for marker in MARKERS:
        for _ in range(STEPS):
            if walk.link.core.marker == marker:
                break
            walk.step()
            walk.check_rules()
        assert walk.link.core.marker == marker
        walk.recover()
    assert set(walk.recovered_from) == set(MARKERS)
    assert EFFECTIVE_CELLS - set(walk.edges) == set()
    assert walk.seen_changes == CHANGES
    assert walk.restored_intents["enabled"]
    assert walk.restarts > STEPS / 1000
