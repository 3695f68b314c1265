"""The numbers and bounds of a link: redial delays, link checks, what is kept, what is said of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from twisted.internet import error
from twisted.internet.address import IPv4Address
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import LogEvent
from twisted.python.failure import Failure

from pmslink.config.link_definition import LinkConfig, parse_link
from pmslink.fias.framing import framed
from pmslink.fias.record import Record
from pmslink.link import backoff, link_checks, reason_texts, record_trace
from pmslink.link.cause import Cause, CauseCode, user_cause
from pmslink.link.connection import Connection
from pmslink.link.link import Link
from pmslink.link.link_registry import LinkRegistry
from pmslink.link.machine import Marker
from pmslink.link.network_errors import cause_of_failed_dial, cause_of_loss, describe_network_error
from pmslink.link.record_storage import store_record
from pmslink.link.record_trace import MAX_CHARACTERS, Trace
from pmslink.link.state_history import Transition
from pmslink.store.core.journal_interface import NullJournal
from tests.memory_network import Network, advance_clock
from tests.memory_store import make_store
from tests.storeless_link import link_without_store

START = datetime(2026, 1, 1, tzinfo=UTC)
MARKERS: tuple[Marker, ...] = get_args(Marker)


class Pms(Protocol):
    def connectionMade(self) -> None:
        self.factory.newest = self

    def send(self, *texts: str) -> None:
        for text in texts:
            self.transport.write(framed(text.encode(), "stx-etx"))  # type: ignore[union-attr]


class Hotel(Factory):
    """A PMS that says what a test makes it say, and a link to it in memory."""

    noisy = False
    protocol = Pms
    newest: Pms

    def __init__(self, **settings: object) -> None:
        self.clock = Clock()
        self.network = Network(self.clock, self)
        self.told: list[Transition | None] = []
        self.config = self.configured(**settings)
        self.link = link_without_store(self.config, self.clock, self.wall, self.network.dial, self._watch)

    @staticmethod
    def configured(**settings: object) -> LinkConfig:
        return parse_link("hotel", {"host": "192.0.2.1", "port": 5010, **settings})

    def wall(self) -> datetime:
        return START + timedelta(seconds=self.clock.seconds())

    def _watch(self, link: Link, transition: Transition | None) -> None:
        self.told.append(transition)

    def marker(self) -> Marker:
        return self.link.core.marker

    def run(self, seconds: float = 0.0) -> None:
        advance_clock(self.clock, seconds)

    def send(self, *texts: str) -> None:
        self.newest.send(*texts)
        self.run()

    def dock(self) -> None:
        self.run()
        self.send("LS|")
        self.send("LA|")
        assert self.link.session.in_sync

    def redial_delays(self, count: int) -> list[float]:
        """The delays after so many failed dials, one after the other."""
        delays = []
        for _ in range(count):
            self.run()
            delay = self.link.dialer.redial_in
            assert delay is not None
            delays.append(delay)
            self.run(delay)
        return delays


class Dice:
    """Throws the lowest, or the highest, or what lies so far between them."""

    def __init__(self, share: float) -> None:
        self.share = share

    def uniform(self, low: float, high: float) -> float:
        return low + (high - low) * self.share


@pytest.fixture
def dice(monkeypatch: pytest.MonkeyPatch) -> Dice:
    one = Dice(0.5)
    for module in (backoff, link_checks):
        monkeypatch.setattr(module, "random", one)
    return one


# The redial delay.


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_the_redial_delay_grows_by_seven_tenths_up_to_the_longest(dice: Dice, share: float) -> None:
    dice.share = share
    hotel = Hotel()
    hotel.network.mode = "refuse"
    hotel.link.start()
    delays = hotel.redial_delays(12)
    jitter = 0.9 + 0.2 * share
    grown = [min(1.7**step, 30 / 1.1) * jitter for step in range(12)]
    assert delays == pytest.approx(grown)
    assert max(delays) <= 30 + 1e-9
    assert 0.9 <= delays[0] <= 1.1


def test_the_longest_delay_holds_for_the_first_one_too(dice: Dice) -> None:
    dice.share = 1.0
    hotel = Hotel(retry_initial=5, retry_max=5)
    hotel.network.mode = "refuse"
    hotel.link.start()
    assert hotel.redial_delays(3) == pytest.approx([5, 5, 5])


def grown_delay(hotel: Hotel) -> None:
    hotel.network.mode = "refuse"
    hotel.link.start()
    hotel.redial_delays(5)
    hotel.network.mode = "accept"
    hotel.redial_delays(1)
    hotel.run()


def next_delay(hotel: Hotel) -> float:
    hotel.newest.transport.abortConnection()  # type: ignore[union-attr]
    (delay,) = hotel.redial_delays(1)
    return delay


@pytest.mark.parametrize(("seconds", "delay"), [(59.9, 1.7**6), (60.1, 1)])
def test_a_minute_in_sync_makes_the_delay_short_again(dice: Dice, seconds: float, delay: float) -> None:
    hotel = Hotel(alive_interval=300)
    grown_delay(hotel)
    hotel.dock()
    hotel.run(seconds)
    assert next_delay(hotel) == pytest.approx(delay)


def test_a_minute_counts_only_if_it_is_spent_in_sync(dice: Dice) -> None:
    hotel = Hotel(alive_interval=300, sync_timeout=300)
    grown_delay(hotel)
    hotel.dock()
    hotel.run(50)
    hotel.send("LS|")  # out of sync
    hotel.run(50)
    hotel.send("LA|")
    hotel.run(50)
    assert next_delay(hotel) == pytest.approx(1.7**6)


def enabled(hotel: Hotel) -> None:
    hotel.link.enable()


def changed(hotel: Hotel) -> None:
    hotel.link.apply_config(hotel.configured(end_timeout=3))


@pytest.mark.parametrize("act", [enabled, changed])
def test_enabling_and_new_settings_make_the_delay_short_again(
    dice: Dice, act: Callable[[Hotel], None]
) -> None:
    hotel = Hotel()
    grown_delay(hotel)
    hotel.run()
    act(hotel)
    assert next_delay(hotel) == pytest.approx(1)


def test_the_next_redial_is_told_by_the_wall_clock(dice: Dice) -> None:
    hotel = Hotel()
    hotel.network.mode = "refuse"
    hotel.link.start()
    hotel.run(0.25)
    assert hotel.link.status().retry.next_at == START + timedelta(seconds=1)
    assert hotel.link.status().advice.startswith("Redialling in 1 s. ")


# Link checks.


@pytest.mark.parametrize(("share", "first"), [(0.0, 15), (1.0, 30)])
def test_the_first_check_comes_after_half_to_a_whole_interval(dice: Dice, share: float, first: float) -> None:
    dice.share = share
    hotel = Hotel()
    hotel.link.start()
    hotel.dock()
    checks = hotel.link.session.link_checks
    hotel.run(first - 0.01)
    assert checks.last_check is None
    hotel.run(0.02)
    assert checks.last_check == START + timedelta(seconds=first)
    hotel.run(0.49)
    hotel.send("LA|")
    assert checks.last_answer == hotel.wall()
    assert checks.round_trip_s == pytest.approx(0.5)


def test_a_new_interval_counts_from_the_next_check_on(dice: Dice) -> None:
    dice.share = 1.0
    hotel = Hotel()
    hotel.link.start()
    hotel.dock()
    hotel.link.apply_config(hotel.configured(alive_interval=100))
    hotel.run(30)
    assert hotel.link.trace.record_counts["out", "LS"] == 1
    hotel.send("LA|")
    hotel.run(99.9)
    assert hotel.link.trace.record_counts["out", "LS"] == 1
    hotel.run(0.2)
    assert hotel.link.trace.record_counts["out", "LS"] == 2


def test_a_check_that_cannot_run_makes_the_link_abnormal(dice: Dice, monkeypatch: pytest.MonkeyPatch) -> None:
    hotel = Hotel()
    hotel.link.start()
    hotel.dock()

    def broken() -> None:
        raise RuntimeError("no more checks")

    monkeypatch.setattr(hotel.link.session, "send_link_check", broken)
    hotel.run(30)
    assert [told.new for told in hotel.told if told][-2:] == ["EXPECTION", "WAIT_LS"]
    assert hotel.link.core.cause == Cause("lost", {"detail": "the link check failed: no more checks"})


def test_any_record_of_a_resync_puts_link_checks_off(dice: Dice) -> None:
    hotel = Hotel(alive_interval=30, alive_timeout=3)
    hotel.link.start()
    hotel.dock()
    hotel.send("DS|")
    for _ in range(10):
        hotel.run(20)
        hotel.send("LA|")
    assert hotel.link.session.link_checks.last_check is None


# What the watchers are told.


def test_in_sync_alone_is_told_without_a_transition() -> None:
    hotel = Hotel()
    hotel.link.start()
    hotel.dock()
    assert [told and told.new for told in hotel.told] == ["CLOSED", "WAIT_LS", "ESTABLISHED", None]
    assert hotel.told[0] is not None
    assert hotel.told[0].old is None


def test_an_outage_lasts_over_all_redials_until_in_sync() -> None:
    hotel = Hotel()
    hotel.network.mode = "refuse"
    hotel.run(5)
    hotel.link.start()
    hotel.run(100)
    assert hotel.link.state_history.down_since == START + timedelta(seconds=5)
    hotel.network.mode = "accept"
    hotel.link.enable()
    hotel.dock()
    assert hotel.link.state_history.down_since is None
    hotel.send("LE|")
    assert hotel.link.state_history.down_since == hotel.wall()
    hotel.link.disconnect()
    assert hotel.marker() == "CLOSED"
    assert hotel.link.state_history.down_since is None


def test_a_link_enabled_again_while_it_ends_is_down_from_then_on() -> None:
    hotel = Hotel()
    hotel.link.start()
    hotel.dock()
    hotel.link.disconnect()
    hotel.run(1)
    assert hotel.link.state_history.down_since is None
    hotel.link.enable()
    assert hotel.marker() == "WAIT_LE"
    assert hotel.link.state_history.down_since == hotel.wall()


# Stopping, and connections that nobody wants any more.


@pytest.mark.parametrize("mode", ["accept", "black hole", "refuse", "stall"])
def test_stopping_waits_until_nothing_is_open(mode: Any) -> None:
    hotel = Hotel()
    hotel.network.mode = mode
    hotel.link.start()
    hotel.run(0.5)
    stopped: list[None] = []
    hotel.link.stop().addCallback(stopped.append)
    hotel.run()
    assert stopped == [None]
    assert hotel.network.open_count == 0
    assert not hotel.clock.getDelayedCalls()


def test_stopping_ends_a_connection_without_le() -> None:
    hotel = Hotel()
    hotel.link.start()
    hotel.dock()
    stopped: list[None] = []
    hotel.link.stop().addCallback(stopped.append)
    assert stopped == []
    hotel.run()
    assert stopped == [None]
    assert hotel.link.trace.record_counts["out", "LE"] == 0


def test_a_connection_that_cannot_close_is_aborted_after_a_second_and_then_replaced() -> None:
    hotel = Hotel()
    hotel.link.start()
    hotel.dock()
    first = hotel.newest
    hotel.link.disconnect()
    hotel.network.mode = "stall"
    hotel.run(2)  # the end timeout; the close that follows cannot be carried out
    assert hotel.marker() == "CLOSED"
    hotel.link.enable()
    assert hotel.marker() == "WAIT_LS"
    hotel.run(0.9)
    assert hotel.network.dial_count == 1
    hotel.run(0.2)
    assert hotel.network.dial_count == 2
    assert hotel.newest is not first


def test_what_arrives_on_a_connection_that_was_left_reaches_nobody() -> None:
    hotel = Hotel(tls=False)
    hotel.link.start()
    hotel.dock()
    connection = hotel.link.dialer._connection
    assert connection is not None
    hotel.link.disable()
    before = dict(hotel.link.trace.record_counts)
    connection.dataReceived(b"\x02GI|RN101|\x03?\x03")
    connection.dataReceived(b"?" * 2_000_000)
    connection.handshakeCompleted()
    assert hotel.link.trace.record_counts == before
    assert not hotel.link.trace.skipped_bytes
    hotel.run()
    assert hotel.marker() == "DISABLED"


def test_a_dial_that_succeeds_after_it_was_given_up_makes_no_connection() -> None:
    hotel = Hotel()
    assert hotel.link.dialer.buildProtocol(IPv4Address("TCP", "192.0.2.1", 5010)) is None


# Why dials and connections fail.


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (error.DNSLookupError("no such name"), "unresolved"),
        (error.TimeoutError(), "dial_timeout"),
        (error.TCPTimedOutError(), "dial_timeout"),
        (error.ConnectionRefusedError(), "refused"),
        (error.NoRouteError(), "refused"),
    ],
)
def test_each_failed_dial_has_its_code(problem: Exception, code: CauseCode) -> None:
    cause = cause_of_failed_dial(Failure(problem))
    assert cause.code == code
    assert reason_texts.reason("EXPECTION", cause, "192.0.2.1:5010")


def test_a_failure_without_words_is_called_by_its_name_and_a_long_one_is_cut() -> None:
    assert describe_network_error(Failure(ValueError())) == "ValueError"
    assert len(describe_network_error(Failure(ValueError("x" * 1000)))) == 200
    assert cause_of_loss(Failure(error.ConnectionDone())).params == {"detail": "the PMS closed it"}


# What is kept.


def test_the_trace_keeps_the_newest_records_and_counts_all(monkeypatch: pytest.MonkeyPatch) -> None:
    hotel = Hotel()
    hotel.link.start()
    hotel.dock()
    for _ in range(3):
        hotel.send(*["GI|RN101|"] * 500)
    kept = list(hotel.link.trace.newest(None, None, None))
    assert len(kept) == record_trace.MAX_RECORDS
    assert [one.seq for one in kept] == sorted((one.seq for one in kept), reverse=True)
    assert hotel.link.trace.record_counts["in", "GI"] == 1500
    assert hotel.link.trace.last_received == hotel.wall()


def test_the_trace_is_read_by_direction_by_kind_and_from_an_id_on() -> None:
    hotel = Hotel()
    hotel.link.start()
    hotel.dock()
    read: Trace = hotel.link.trace
    assert [one.text for one in read.newest(None, "in", None)] == ["LA|", "LS|"]
    assert {one.direction for one in read.newest(None, None, "LA")} == {"in", "out"}
    newest, *older = read.newest(None, None, None)
    assert list(read.newest(newest.seq, None, None)) == older


# What is said.


@pytest.mark.parametrize("code", get_args(CauseCode))
@pytest.mark.parametrize("marker", MARKERS)
def test_there_are_words_for_every_cause_in_every_state(marker: Marker, code: CauseCode) -> None:
    causes = [Cause(code), Cause(code, {"record": "LS"})]
    if code == "user":
        causes = [user_cause(control) for control in ("enable", "disable", "expire", "disconnect")]
    for cause in causes:
        reason = reason_texts.reason(marker, cause, "192.0.2.1:5010")
        assert reason
        assert "{" not in reason
        for wanted in (False, True):
            for in_sync in (False, True):
                for redial_in in (None, 12.6):
                    advice = reason_texts.advice(marker, cause, wanted, in_sync, redial_in)
                    assert "{" not in advice
    assert reason_texts.label(marker)


def test_an_address_of_ipv6_stands_in_brackets() -> None:
    assert Hotel(host="2001:db8::1").link.address == "[2001:db8::1]:5010"
    assert Hotel().link.address == "192.0.2.1:5010"


# All links of a service.


def links_in_memory() -> tuple[Clock, LinkRegistry]:
    clock = Clock()
    network = Network(clock, Factory.forProtocol(Pms))

    def wall() -> datetime:
        return START + timedelta(seconds=clock.seconds())

    return clock, LinkRegistry(clock, make_store(clock, wall), wall, network.dial)


def test_links_are_found_counted_and_started_also_while_the_service_runs() -> None:
    clock, links = links_in_memory()
    first = links.add(parse_link("first", {"host": "192.0.2.1", "port": 1}))
    links.startService()
    second = links.add(parse_link("second", {"host": "192.0.2.1", "port": 2, "enabled": False}))
    assert links.get("first") is first
    assert links.get("third") is None
    assert list(links) == [first, second]
    assert len(links) == 2
    assert links.count_by_marker() == {**dict.fromkeys(MARKERS, 0), "WAIT_LS": 1, "DISABLED": 1}
    links.stopService()
    advance_clock(clock, 0)
    assert not clock.getDelayedCalls()


def test_a_service_that_never_ran_can_be_stopped() -> None:
    _, links = links_in_memory()
    assert links.stopService().called


def test_a_watcher_that_fails_harms_neither_the_link_nor_the_other_watchers(
    leak_check: list[LogEvent],
) -> None:
    clock, links = links_in_memory()
    link = links.add(parse_link("hotel", {"host": "192.0.2.1", "port": 1}))
    seen: list[Marker] = []

    def broken(link: Link, transition: Transition | None) -> None:
        raise RuntimeError("cannot watch")

    def watching(link: Link, transition: Transition | None) -> None:
        if transition is not None:
            seen.append(transition.new)

    unwatch = links.subscribe(broken)
    links.subscribe(watching)
    links.startService()
    assert seen == ["CLOSED", "WAIT_LS"]
    assert [event["log_failure"].type for event in leak_check] == [RuntimeError, RuntimeError]
    leak_check.clear()
    unwatch()
    link.disable()
    assert seen[-1] == "DISABLED"
    links.stopService()
    advance_clock(clock, 0)


def test_the_trace_of_long_records_is_bounded_too() -> None:
    trace = Trace("hotel", lambda: START)
    journal = NullJournal()
    long = Record("LA|" + "A1|" * 5000)
    for _ in range(100):
        store_record(journal, trace.add("in", "LA", long))
    assert len(list(trace.newest(None, None, None))) == MAX_CHARACTERS // len(long.text)
    assert trace.record_counts["in", "LA"] == 100


def test_the_trace_shows_what_is_kept_only_once_it_is_safe() -> None:
    clock = Clock()
    store = make_store(clock, lambda: START)
    trace = Trace("hotel", lambda: START)
    store_record(store.journal, trace.add("in", "GI", Record("GI|RN101|")))
    store_record(store.journal, trace.add("in", "LA", Record("LA|")))
    assert [one.type for one in trace.newest(None, None, None)] == ["LA"]
    clock.advance(0)
    assert [one.type for one in trace.newest(None, None, None)] == ["LA", "GI"]
    trace.purge(START)
    assert len(list(trace.newest(None, None, None))) == 2
    trace.purge(START + timedelta(seconds=1))
    assert not list(trace.newest(None, None, None))


class Unread(StringTransport):
    """A transport whose peer does not read: it is full after a few records."""

    def write(self, data: bytes) -> None:
        super().write(data)  # type: ignore[no-untyped-call]
        if self.producer is not None and len(self.value()) > 1000:  # type: ignore[no-untyped-call]
            self.producer.pauseProducing()


def started_over(transport: StringTransport, **settings: object) -> tuple[Link, Connection]:
    """A link whose dial gives this transport at once, and its connection."""
    connections: list[Connection] = []

    def dial(factory: Any, config: object) -> Any:
        factory.startedConnecting(object())
        connections.append(factory.buildProtocol(None))
        connections[0].makeConnection(transport)  # type: ignore[no-untyped-call]

    link = link_without_store(
        parse_link("grand", {"host": "127.0.0.1", "port": 5010, **settings}),
        Clock(),
        lambda: datetime(2026, 1, 1, tzinfo=UTC),
        dial,
        lambda link, transition: None,
    )
    link.start()
    return link, connections[0]


def test_a_pms_that_makes_us_talk_and_does_not_listen_is_not_read() -> None:
    transport = Unread()  # type: ignore[no-untyped-call]
    link, connection = started_over(transport)
    connection.dataReceived(b"\x02LA|\x03\x02LS|\x03" * 1000)
    assert transport.producerState == "paused"
    assert link.trace.record_counts["in", "LS"] < 10
    transport.clear()  # type: ignore[no-untyped-call]  # the PMS has read
    connection.resumeProducing()
    assert link.trace.record_counts["in", "LS"] < 20
    link.stop()


def test_a_record_gap_that_cannot_keep_up_ends_the_connection() -> None:
    link, connection = started_over(StringTransport(), record_gap=1)
    connection.dataReceived(b"\x02LA|\x03\x02LS|\x03" * 100)
    assert link.core.marker == "EXPECTION"
    assert "record gap" in link.reason
    link.stop()
