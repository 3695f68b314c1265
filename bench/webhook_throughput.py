"""Events of many links to one receiver, and events of one link over a slow network.

Waves: deliveries of 100 links at once, as after an event in 100 hotels. The baseline is the same client with
the connection pool of Twisted. Network: the receiver delays each response by a round trip of 50 ms.
"""

from __future__ import annotations

import time
from itertools import dropwhile
from typing import Any, NamedTuple

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import react
from twisted.web.client import HTTPConnectionPool

from bench.bench_processes import LINK, call, free_port, print_table, start_module, state_directory
from bench.webhook_latency import ReceivedEvent, start_processes, wait_until
from pmslink.http_client_endpoint import make_agent
from pmslink.pbx.webhook.http_delivery import HttpWebhookTransport, Receiver
from pmslink.timestamps import utc_now

WAVES, LINKS = 15, 100
CONNECTIONS_TARGET = 150
ROUND_TRIP_S = 0.05
BATCH_EVENTS = 100
BATCHES_TARGET_S = 2.0
SINGLE_EVENTS_S = 5.0
"""Seconds for which events are delivered one by one over the slow network."""
SECRET = "correct horse battery"
EVENT = b'{"seq":1795158000031,"type":"guest.checked_in","room":"103","guest":{"number":"7","name":"Bench"}}'


class TwistedPoolTransport(HttpWebhookTransport):
    """The transport with the connection pool of Twisted."""

    def __init__(self, reactor: Any) -> None:
        super().__init__(reactor, utc_now)
        self._twisted_pool = HTTPConnectionPool(reactor)
        self._agent = make_agent(reactor, self._twisted_pool, 10)

    def close(self) -> None:
        """Close the idle connections."""
        self._twisted_pool.closeCachedConnections()


class WaveResult(NamedTuple):
    """Connections that all waves needed, and CPU time for each event in microseconds."""

    connections: int
    cpu_us: float


async def measure_waves(transport: HttpWebhookTransport) -> WaveResult:
    """Post waves of events of many links to one receiver, which is a process of its own."""
    port = free_port()
    receiver = Receiver(f"http://127.0.0.1:{port}/", SECRET)
    with start_module("bench.event_receiver", port, port=port):
        connections_before = call(port, "GET", "/connections")
        started_at = time.process_time()
        for _ in range(WAVES):
            await gatherResults([transport.post(receiver, EVENT) for _ in range(LINKS)])
        cpu_s = time.process_time() - started_at
        transport.close()
        own_connections = connections_before + 1
        connections = call(port, "GET", "/connections") - own_connections
        return WaveResult(connections, 1e6 * cpu_s / (WAVES * LINKS))


def measure_batches() -> float:
    """Return the seconds that 1,000 events of a first resync need in batches."""
    with (
        state_directory() as folder,
        start_processes(
            folder, f"webhook_batch = {BATCH_EVENTS}", receiver_delay_s=ROUND_TRIP_S
        ) as processes,
    ):
        call(processes.api_port, "POST", f"/api/v1/links/{LINK}/enable")
        wait_until(processes.is_idle, "the events of the first resync are delivered")
        events = select_resync(processes.take_events())
        seconds = events[-1].at - events[0].at + ROUND_TRIP_S
        return seconds * 1000 / len(events)


def measure_single_events() -> float:
    """Return the events of a first resync that are delivered in a second, each in a request of its own."""
    with state_directory() as folder, start_processes(folder, receiver_delay_s=ROUND_TRIP_S) as processes:
        call(processes.api_port, "POST", f"/api/v1/links/{LINK}/enable")
        time.sleep(SINGLE_EVENTS_S)
        events = select_resync(processes.take_events())
        return (len(events) - 1) / (events[-1].at - events[0].at)


def select_resync(events: list[ReceivedEvent]) -> list[ReceivedEvent]:
    """Return the events of the resync: those from the first check-in on."""
    return list(dropwhile(lambda event: event.type != "guest.checked_in", events))


async def print_waves(reactor: Any) -> None:
    """Measure the waves with both pools, and print the table."""
    twisted = await measure_waves(TwistedPoolTransport(reactor))
    pmslink = await measure_waves(HttpWebhookTransport(reactor, utc_now))
    rows = [
        (
            "connections",
            f"{twisted.connections:,}",
            f"{pmslink.connections:,}",
            f"{CONNECTIONS_TARGET} at most",
        ),
        ("CPU of the client for each event", f"{twisted.cpu_us:,.0f} µs", f"{pmslink.cpu_us:,.0f} µs", "–"),
    ]
    title = f"{WAVES * LINKS:,} events in waves of {LINKS} links, one receiver"
    print_table(title, ("Twisted's pool", "pmslink", "target"), rows)


def print_slow_network() -> None:
    """Measure one link over a slow network, and print the table."""
    single_rate, batches_s = measure_single_events(), measure_batches()
    rows = [
        ("one event in a request", f"{1000 / single_rate:.0f} s ({single_rate:.0f} events a second)", "–"),
        (f"`webhook_batch = {BATCH_EVENTS}`", f"{batches_s:.2f} s", f"under {BATCHES_TARGET_S:g} s"),
    ]
    title = f"1,000 events of one link, round trip of {1000 * ROUND_TRIP_S:.0f} ms"
    print_table(title, ("time", "target"), rows)


def main() -> None:
    """Run all measurements and print the tables."""
    print_slow_network()
    react(lambda reactor: Deferred.fromCoroutine(print_waves(reactor)))


if __name__ == "__main__":
    main()
