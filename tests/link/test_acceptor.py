"""A PMS that dials in: who is let in, when the port is open, and what a newer call does (case D6)."""

from __future__ import annotations

import pytest
from twisted.internet.error import ConnectionRefusedError
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from zope.interface import implementer

from pmslink.link import controls
from pmslink.link.acceptor import MAX_QUICK_CALLS, MAX_UNKNOWN_CALLERS
from tests.link.link_harness import LinkHarness, ScriptedPms

PMS, STRANGER = "192.0.2.1", "198.51.100.7"
PORT = 5010


class CalledLink(LinkHarness):
    """A link that accepts connections."""

    def __init__(self, **settings: object) -> None:
        super().__init__(connect="accept", **settings)
        self.link.start()
        self.run()

    def call(self, address: str = PMS) -> ScriptedPms:
        caller = self.network.call(PORT, address)
        assert isinstance(caller, ScriptedPms)
        self.run()
        return caller

    def dock_call(self) -> ScriptedPms:
        caller = self.call()
        caller.send("LS|")
        self.run()
        caller.send("LA|")
        self.run()
        assert self.link.session.in_sync
        return caller

    def is_open(self) -> bool:
        port = self.network.ports.get(PORT)
        return port is not None and not port.is_closing

    def history(self) -> list[tuple[str, str]]:
        return [(change.new, change.cause.code) for change in self.changes if change is not None]

    def end(self) -> None:
        stopped: list[object] = []
        self.link.stop().addCallback(stopped.append)
        self.run(1)
        assert stopped
        assert not self.network.ports
        assert not self.clock.getDelayedCalls()


def test_d6_a_pms_that_dials_in_docks() -> None:
    called = CalledLink()
    assert (called.marker(), called.is_open()) == ("WAIT_LS", True)
    caller = called.dock_call()
    assert b"\x02LD|" in caller.received
    assert [marker for marker, _ in called.history()] == ["CLOSED", "WAIT_LS", "ESTABLISHED"]
    called.end()
    assert caller.is_closed


def test_d6_the_port_is_open_while_the_pms_may_call() -> None:
    called = CalledLink()
    caller = called.dock_call()
    assert (called.marker(), called.is_open()) == ("ESTABLISHED", True)
    controls.disconnect(called.link)
    called.run()
    assert (called.marker(), called.is_open()) == ("WAIT_LE", False)
    caller.send("LE|")
    called.run()
    assert (called.marker(), called.is_open()) == ("CLOSED", False)
    controls.enable(called.link)
    called.run(30)
    assert (called.marker(), called.is_open()) == ("EXPECTION", True)
    called.end()


def test_ls_is_sent_to_a_caller_that_sends_nothing() -> None:
    called = CalledLink()
    caller = called.call()
    assert caller.received == b""
    called.run(3)
    assert caller.received.startswith(b"\x02LS|")
    called.end()


@pytest.mark.parametrize("control", ["disable", "expire", "disconnect"])
def test_the_port_is_closed_while_the_link_is_not_wanted(control: str) -> None:
    called = CalledLink()
    getattr(controls, control)(called.link)
    called.run()
    assert not called.is_open()
    controls.enable(called.link)
    called.run()
    assert (called.marker(), called.is_open()) == ("WAIT_LS", True)
    called.dock_call()
    called.end()


def test_le_closes_the_port_until_the_redial() -> None:
    called = CalledLink()
    caller = called.dock_call()
    caller.send("LE|")
    called.run()
    assert (called.marker(), called.is_open()) == ("CLOSED", False)
    with pytest.raises(ConnectionRefusedError):
        called.call()
    called.run(1.2)
    called.dock_call()
    called.end()


def test_nobody_calls_within_the_start_timeout() -> None:
    called = CalledLink()
    called.run(30)
    assert called.history()[-1] == ("EXPECTION", "start_timeout")
    assert called.link.reason == "No PMS connected to port 5010 of this machine within 30 s"
    assert called.is_open()
    called.run(1.2)
    assert called.marker() == "WAIT_LS"
    called.end()


def test_a_caller_ends_the_redial_delay() -> None:
    called = CalledLink(retry_initial=30, retry_max=100)
    called.run(30)
    assert called.marker() == "EXPECTION"
    called.call()
    assert called.marker() == "WAIT_LS"
    assert called.link.dialer.is_connected
    called.end()


def test_a_caller_without_link_start_is_dropped_at_the_start_timeout() -> None:
    called = CalledLink()
    called.run(10)
    caller = called.call()
    called.run(20)
    assert called.history()[-1] == ("EXPECTION", "start_timeout")
    assert "sent no link start" in called.link.reason
    assert caller.is_closed
    called.end()


def test_a_newer_caller_takes_the_place_of_the_older() -> None:
    called = CalledLink()
    older = called.dock_call()
    newer = called.call()
    assert older.is_closed
    newer.send("LS|")
    called.run()
    newer.send("LA|")
    called.run()
    assert called.link.session.in_sync
    assert called.history()[-3:] == [
        ("EXPECTION", "displaced"),
        ("WAIT_LS", "displaced"),
        ("ESTABLISHED", "started"),
    ]
    called.end()


def test_a_newer_caller_takes_the_place_of_one_that_has_not_started() -> None:
    called = CalledLink()
    older = called.call()
    newer = called.call()
    assert (older.is_closed, newer.is_closed) == (True, False)
    assert called.link.dialer.is_connected
    called.end()


def test_only_the_host_is_let_in_and_refusals_are_logged_once() -> None:
    lines: list[str] = []
    called = CalledLink()

    @implementer(ILogObserver)
    def observe(event: LogEvent) -> None:
        lines.append(str(event.get("log_format")))

    globalLogPublisher.addObserver(observe)
    try:
        strangers = [called.call(STRANGER) for _ in range(50)]
    finally:
        globalLogPublisher.removeObserver(observe)
    assert all(stranger.is_closed and not stranger.received for stranger in strangers)
    assert not called.link.dialer.is_connected
    assert len([line for line in lines if "refused a connection" in line]) == 1
    called.run(30)
    assert called.link.reason == "198.51.100.7 connected to port 5010, but is not the host in the settings"
    assert "set host to 198.51.100.7" in called.link.status().advice
    called.call(f"::ffff:{PMS}")
    assert called.link.dialer.is_connected
    called.end()


def test_a_stranger_does_not_end_a_connection() -> None:
    called = CalledLink()
    caller = called.dock_call()
    called.call(STRANGER)
    assert called.marker() == "ESTABLISHED"
    assert not caller.is_closed
    called.end()


def test_a_name_is_looked_up_at_most_once_a_minute() -> None:
    called = CalledLink(host="pms.example")
    assert called.network.lookups == ["pms.example"]
    called.network.hosts["pms.example"] = [PMS, "2001:db8::5"]
    called.run(30)
    assert called.history()[-1] == ("EXPECTION", "unresolved")
    for _ in range(100):
        assert called.call().is_closed
    called.run(29.9)
    assert called.network.lookups == ["pms.example"]
    called.run(0.2)
    caller = called.call("2001:db8::5")
    assert not caller.is_closed
    assert called.network.lookups == ["pms.example"] * 2
    assert called.link.dialer.is_connected
    called.end()


def test_a_lookup_without_an_answer_is_the_reason() -> None:
    called = CalledLink(host="pms.example")
    called.network.lookup_delay = None
    called.run(61)
    called.call()
    called.run(60)
    assert called.link.reason == "No DNS server has answered for the host name of pms.example:5010 in time"
    called.end()


def test_callers_wait_for_a_lookup_within_a_bound() -> None:
    called = CalledLink(host="pms.example")
    called.run(61)
    called.network.hosts["pms.example"] = [PMS]
    called.network.lookup_delay = 2
    strangers = [called.call(STRANGER) for _ in range(MAX_UNKNOWN_CALLERS - 1)]
    waiting = called.call()
    refused = called.call()
    assert (waiting.is_closed, refused.is_closed) == (False, True)
    gone, *others = strangers
    assert gone.transport is not None
    gone.transport.loseConnection()
    called.run(2)
    assert all(stranger.is_closed for stranger in others)
    assert not waiting.is_closed
    assert called.link.dialer.is_connected
    called.end()


def test_a_lookup_without_an_answer_ends_and_the_known_address_stays() -> None:
    called = CalledLink(host="pms.example")
    called.network.hosts["pms.example"] = [PMS]
    called.run(60)
    called.call().send("LS|")
    called.run()
    called.network.lookup_delay = None
    called.run(61)
    stranger = called.call(STRANGER)
    assert not stranger.is_closed
    called.run(10)
    assert stranger.is_closed
    assert not called.call().is_closed
    called.end()


def test_closing_ends_a_lookup_and_the_calls_that_wait_for_it() -> None:
    called = CalledLink(host="pms.example")
    called.network.lookup_delay = None
    called.run(61)
    caller = called.call()
    lookups = len(called.network.lookups)
    controls.disable(called.link)
    called.run()
    assert caller.is_closed
    assert len(called.network.lookups) == lookups, "the end of a lookup begins no other"
    called.network.lookup_delay = 0
    called.network.hosts["pms.example"] = [PMS]
    controls.enable(called.link)
    called.run()
    called.dock_call()
    called.end()


def test_a_port_that_is_taken_is_the_cause() -> None:
    called = CalledLink(port=5011)
    called.network.taken_ports.add(PORT)
    called.link.apply_config(called.make_config(connect="accept"))
    called.run()
    assert called.history()[-1] == ("EXPECTION", "port_taken")
    assert called.link.reason == "Port 5010 of this machine cannot be opened: Address already in use"
    called.network.taken_ports.clear()
    called.run(1.2)
    called.dock_call()
    called.end()


def test_another_port_host_or_mode_takes_effect_at_once() -> None:
    called = CalledLink()
    caller = called.dock_call()
    called.link.apply_config(called.make_config(connect="accept", charset="utf-8"))
    called.run()
    assert caller.is_closed
    assert (called.marker(), called.is_open()) == ("WAIT_LS", True)
    called.link.apply_config(called.make_config(connect="accept", host=STRANGER))
    called.run()
    assert called.call(PMS).is_closed
    assert not called.call(STRANGER).is_closed
    called.link.apply_config(called.make_config(connect="accept", port=5011))
    called.run()
    assert list(called.network.ports) == [5011]
    called.link.apply_config(called.make_config())
    called.run()
    assert not called.network.ports
    assert called.network.dial_count == 1
    called.end()


def test_disabling_while_the_port_closes_opens_it_no_more() -> None:
    called = CalledLink()
    called.link.apply_config(called.make_config(connect="accept", charset="utf-8"))
    assert called.marker() == "WAIT_LS"
    controls.disable(called.link)
    called.run()
    assert not called.is_open()
    called.end()


def test_quick_calls_are_slowed_down() -> None:
    called = CalledLink()
    for _ in range(MAX_QUICK_CALLS):
        called.call()
    accepted = called.call()
    assert b"LS" not in accepted.received
    transitions = len(called.changes)
    flood = [called.call() for _ in range(100)]
    assert len(called.changes) == transitions
    assert [caller.is_closed for caller in flood] == [True] * 99 + [False]
    called.run(10)
    assert called.link.dialer.is_connected
    assert not flood[-1].is_closed
    called.end()


def test_a_caller_that_hangs_up_while_it_waits_is_forgotten() -> None:
    called = CalledLink()
    for _ in range(MAX_QUICK_CALLS):
        called.call()
    waiting = called.call()
    assert waiting.transport is not None
    waiting.transport.loseConnection()
    called.run(10)
    assert called.link.dialer.is_connected  # the one before it
    called.end()


def test_what_a_caller_sends_while_it_waits_is_read_within_a_bound() -> None:
    called = CalledLink()
    for _ in range(MAX_QUICK_CALLS):
        called.call()
    waiting = called.call()
    waiting.send("LS|", *["GI|RN101|"] * 3000, "LA|")
    called.run(10)
    assert called.link.session.in_sync
    assert called.link.trace.counts().records["in", "GI"] == 3000
    called.end()


def test_disabling_ends_a_caller_that_waits() -> None:
    called = CalledLink()
    for _ in range(MAX_QUICK_CALLS):
        called.call()
    waiting = called.call()
    controls.disable(called.link)
    called.run()
    assert waiting.is_closed
    called.end()
