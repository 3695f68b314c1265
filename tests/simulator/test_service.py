"""Tests of the simulator as a service: its options, its ports, its start and stop."""

from __future__ import annotations

import resource
import sys
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.error import ConnectionRefusedError as Refused
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import MemoryReactorClock
from twisted.python import usage

from pmslink.fias.framing import FrameReceiver
from pmslink.listener import ListenerService
from pmslink.simulator.hotel import sample_data
from pmslink.simulator.hotel.sample_data import room_numbers, sample_guests
from pmslink.simulator.life.api_target import ApiTarget
from pmslink.simulator.life.phones import Phones
from pmslink.simulator.service import Options, Simulator, makeService, offset_port, parse_listen_endpoint
from pmslink.timestamps import local_now
from tests.simulator.sockets import reactor, sockets_closed_after


def options(*arguments: str) -> Options:
    parsed = Options()  # type: ignore[no-untyped-call]
    parsed.parseOptions(list(arguments))
    return parsed


def start_simulator(**changes: Any) -> tuple[MemoryReactorClock, Simulator]:
    reactor = MemoryReactorClock()
    parsed = {"listen": "tcp:5010:interface=127.0.0.1", "control": "tcp:6000:interface=127.0.0.1", **changes}
    simulator = Simulator(reactor, **parsed)
    simulator.privilegedStartService()  # type: ignore[no-untyped-call]
    simulator.startService()
    return reactor, simulator


def test_the_default_endpoints_are_on_loopback() -> None:
    parsed = options()
    assert (parsed["listen"], parsed["control"]) == (
        "tcp:5010:interface=127.0.0.1",
        "tcp:5011:interface=127.0.0.1",
    )
    assert (parsed["rooms"], parsed["ports"]) == (100, 1)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--rooms", "0"], "pmssim: --rooms 0: should be a number from 1 to 10000"),
        (["--rooms", "ten"], "pmssim: --rooms ten: should be a number"),
        (["--ports", "-1"], "pmssim: --ports -1: should be a number"),
        (["--ports", "99999"], "pmssim: --ports 99999: should be a number from 1 to 50000"),
        (["--listen", "nonsense"], "pmssim: --listen nonsense: an endpoint should look like tcp:5010"),
        (["--listen", "tcp:70000"], "pmssim: --listen tcp:70000: an endpoint should look like"),
        (
            ["--listen", "tcp:5010:color=red"],
            "pmssim: --listen tcp:5010:color=red: an endpoint should look like",
        ),
        (["--control", "unix:/tmp/x"], "pmssim: --control unix:/tmp/x: an endpoint should look like"),
        (
            ["--control", "ssl:1:privateKey=/nowhere"],
            "pmssim: --control ssl:1:privateKey=/nowhere: [Errno 2]",
        ),
        (["--listen", "tcp:65530", "--ports", "10"], "pmssim: --ports 10: the last would be port 65539"),
        (
            ["--ports", "2"],
            "pmssim: --control tcp:5011:interface=127.0.0.1: the properties use the ports 5010 to",
        ),
        (["--control", "tcp:5010"], "pmssim: --control tcp:5010: the properties use the ports 5010 to 5010"),
        (["--live"], "pmssim: option --live not recognized"),
        (["--pace", "fast"], "pmssim: --pace fast: should be a number from 0.1 to 6000"),
        (["--pace", "0.01"], "pmssim: --pace 0.01: should be a number from 0.1 to 6000"),
        (["--phones", "localhost:8080"], "pmssim: --phones localhost:8080: should look like http://"),
        (["--fault", "hhmn=true"], "pmssim: --fault hhmn=true: hhmn: unknown fault; the faults are no_ls"),
        (["--fault", "pa_delay=soon"], "pmssim: --fault pa_delay=soon: pa_delay: must be a number"),
        (["--fault", "hhmm"], "pmssim: --fault hhmm: hhmm: must be true or false"),
        (["--dial", "localhost"], "pmssim: --dial localhost: should be HOST:PORT"),
        (["--dial", "h:70000"], "pmssim: --dial h:70000: should be HOST:PORT"),
        (["--phones", "http://h:x,demo"], "pmssim: --phones http://h:x,demo: Port could not be cast"),
    ],
)
def test_an_invalid_option_ends_the_program_with_one_line(arguments: list[str], line: str) -> None:
    with pytest.raises(SystemExit) as ended:
        options(*arguments)
    assert str(ended.value.code).startswith(line)
    assert "\n" not in str(ended.value.code)


def test_post_options_raises_usage_error() -> None:
    parsed = options()
    parsed["rooms"], parsed["ports"] = "0", "1"
    with pytest.raises(usage.UsageError):
        parsed.postOptions()


def test_valid_options_are_accepted() -> None:
    parsed = options("--listen", "tcp:port=6010", "--control", "tcp:6009", "--rooms", "7", "--ports", "3")
    assert (parsed["rooms"], parsed["ports"]) == (7, 3)
    assert options("--listen", "tcp:0", "--control", "tcp:0", "--ports", "3")["ports"] == 3


def test_faults_of_the_options_apply_to_all_properties_from_the_start() -> None:
    faults = options("--fault", "hhmm=true", "--fault", "name_bytes=10", "--fault", "pa_delay=2.5")["faults"]
    assert faults.non_default() == {"hhmm": True, "name_bytes": "10", "pa_delay": 2.5}
    _, simulator = start_simulator(ports=2, faults=faults)
    assert [pms.faults for pms in simulator.properties] == [faults, faults]
    assert options()["faults"].non_default() == {}


def test_the_first_property_dials_the_address_of_the_option() -> None:
    reactor, _ = start_simulator(ports=2, dial=options("--dial", "[2001:db8::1]:5020")["dial"])
    assert [(host, port) for host, port, *_ in reactor.tcpClients] == [("2001:db8::1", 5020)]


def test_there_is_no_activity_by_default() -> None:
    parsed = options()
    assert (parsed["life"], parsed["pace"], parsed["phones"]) == (0, 6, None)
    assert not start_simulator()[1].lives


def test_each_property_has_activity_while_the_service_runs() -> None:
    reactor, simulator = start_simulator(ports=2, rooms=30, control="tcp:6000", pace=60)
    reactor.advance(60)
    counts = [sum(life.counts.values()) for life in simulator.lives]
    assert all(20 < count < 120 for count in counts), counts
    assert counts[0] != counts[1] or simulator.lives[0].counts != simulator.lives[1].counts
    simulator.stopService()
    reactor.advance(60)
    assert [sum(life.counts.values()) for life in simulator.lives] == counts


def test_life_and_phones_follow_the_command_line() -> None:
    parsed = options("--life", "--pace", "0.5", "--phones", "http://127.0.0.1:8080,demo")
    service: Any = makeService(parsed)
    assert len(service.lives) == 1
    (phones,) = (child for child in service if isinstance(child, Phones))
    assert not phones.running
    assert parsed["phones"] == ApiTarget("http://127.0.0.1:8080", "demo")
    without_life: Any = makeService(options("--phones", "http://127.0.0.1:8080,demo"))
    assert not without_life.lives


def test_endpoints_have_consecutive_ports() -> None:
    endpoint = parse_listen_endpoint("tcp:5010:interface=127.0.0.1")
    assert str(offset_port(endpoint, 2)) == "tcp:5012:interface=127.0.0.1"
    assert str(offset_port(parse_listen_endpoint("tcp:0"), 2)) == "tcp:0"


def test_properties_listen_on_consecutive_ports_of_one_interface() -> None:
    reactor, simulator = start_simulator(ports=3, rooms=7)
    assert [(port, interface) for port, _, _, interface in reactor.tcpServers] == [
        (5010, "127.0.0.1"),
        (5011, "127.0.0.1"),
        (5012, "127.0.0.1"),
        (6000, "127.0.0.1"),
    ]
    pms = simulator.properties
    assert [each.port for each in pms] == [5010, 5011, 5012]
    assert len(pms[0].hotel.rooms) == 7
    assert pms[0].hotel.guests is not pms[1].hotel.guests
    assert pms[0].now().tzinfo is not None


class BusyReactor(MemoryReactorClock):
    """A reactor that finds port 5011 in use."""

    def listenTCP(self, port: int, factory: Any, backlog: int = 50, interface: str = "") -> Any:
        from twisted.internet.error import CannotListenError

        if port == 5011:
            raise CannotListenError(interface, port, OSError(98, "Address already in use"))
        return super().listenTCP(port, factory, backlog, interface)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(("interface", "where"), [(":interface=127.0.0.1", "127.0.0.1"), ("", "*")])
def test_a_port_in_use_ends_the_program_with_one_line(
    monkeypatch: pytest.MonkeyPatch, interface: str, where: str
) -> None:
    monkeypatch.setattr(sys, "stderr", sys.stderr)
    reactor = BusyReactor()  # type: ignore[no-untyped-call]
    simulator = Simulator(reactor, f"tcp:5010{interface}", "tcp:6000", ports=2)
    with pytest.raises(SystemExit, match="pmssim: cannot listen on") as ended:
        simulator.privilegedStartService()  # type: ignore[no-untyped-call]
    line = f"pmssim: cannot listen on {where}:5011: [Errno 98] Address already in use"
    assert ended.value.code == line


def test_other_failures_to_listen_are_raised_unchanged() -> None:
    class Broken:
        def listen(self, factory: Any) -> Deferred[Any]:
            failed: Deferred[Any] = Deferred()
            failed.errback(RuntimeError("broken"))
            return failed

    endpoint: Any = Broken()
    with pytest.raises(RuntimeError, match="broken"):
        ListenerService("pmssim", endpoint, Factory()).privilegedStartService()


def test_a_listener_that_never_listened_can_be_stopped() -> None:
    endpoint: Any = None
    assert ListenerService("pmssim", endpoint, Factory()).stopService().called


def test_many_ports_raise_the_limit_of_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    raised: list[Any] = []
    monkeypatch.setattr(resource, "getrlimit", lambda which: (1024, 524288))
    monkeypatch.setattr(resource, "setrlimit", lambda which, limits: raised.append(limits))
    makeService(options())
    assert raised == []
    makeService(options("--ports", "2000", "--control", "tcp:5000"))
    assert raised == [(524288, 524288)]


def test_many_properties_share_the_limit_of_trace_entries() -> None:
    _, simulator = start_simulator(ports=1000, control="tcp:5000")
    pms = simulator.properties[0]
    for _ in range(300):
        pms.trace_record("in", "LS|")
    assert len(pms.trace.after()) == 200


class Listener(FrameReceiver):
    """A PBX that waits for its first record."""

    def __init__(self) -> None:
        super().__init__()
        self.first: Deferred[bytes] = Deferred()
        self.gone: Deferred[None] = Deferred()

    def frameReceived(self, frame: bytes) -> None:
        self.first.callback(frame)

    def connectionLost(self, reason: object = None) -> None:
        self.gone.callback(None)


@pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]
async def test_a_pbx_can_connect_over_tcp_until_the_service_stops() -> None:
    any_port = "tcp:0:interface=127.0.0.1"
    simulator = Simulator(reactor, any_port, any_port, rooms=20, ports=2)
    async with sockets_closed_after():
        simulator.startService()
        first = simulator.properties[0].port
        pbx = await connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", first), Listener())
        assert (await pbx.first).startswith(b"LS|DA")
        await simulator.stopService()
        await pbx.gone
        with pytest.raises(Refused):
            await connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", first), Protocol())


def test_rooms_are_numbered_by_floor() -> None:
    rooms = room_numbers(201)
    assert (rooms[0], rooms[19], rooms[20], rooms[200]) == ("101", "120", "201", "1101")
    assert len(set(room_numbers(10_000))) == 10_000


def test_two_thirds_of_the_rooms_are_occupied_at_the_start_some_by_two_guests() -> None:
    today = local_now().date()
    guests = sample_guests(1000, today)
    rooms = {guest.room for guest in guests}
    assert 600 < len(rooms) < 733
    assert 50 < len(guests) - len(rooms) < 200
    assert {guest.number for guest in guests} == {str(5001 + at) for at in range(len(guests))}
    assert all(
        guest.arrival and guest.departure and guest.arrival <= today < guest.departure for guest in guests
    )


def test_the_sample_guests_are_the_same_at_every_start() -> None:
    today = local_now().date()
    before = sample_guests(50, today)
    sample_data._sample_stays.cache_clear()
    assert sample_guests(50, today) == before
