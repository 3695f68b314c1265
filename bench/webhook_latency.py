"""Latency from a record of the PMS to the webhook receiver; simulator, pmslink and receiver are processes.

The simulator's trace gives the time at which a check-in was sent, the receiver that of its event.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any, NamedTuple

from attrs import define

from bench.bench_processes import (
    LINK,
    WAIT_TIMEOUT_S,
    call,
    free_port,
    print_table,
    start_module,
    start_twistd,
    state_directory,
    write_config,
)

ROOMS = 1000
IDLE_CHECK_INS, PAUSE_S = 300, 0.03
"""Check-ins on an idle link, and the time between two of them."""
RESYNC_CHECK_INS = 40
"""Check-ins, each sent directly after a resync of all rooms."""
IDLE_CHECK_DELAY_S = 0.3
"""Delay of each check for an idle link, so that the check itself does not disturb the measurement."""
LATENCY_TARGET_TEXT = "under 100 ms"


class ReceivedEvent(NamedTuple):
    """An event of the receiver: type, number of the guest, and seconds since 1970."""

    type: str
    guest: str | None
    at: float


@define
class MeasuredProcesses:
    """The three processes, by their HTTP ports: control API, pmslink's API, webhook receiver."""

    control_port: int
    api_port: int
    receiver_port: int

    def take_events(self) -> list[ReceivedEvent]:
        """Return the events that the receiver got since the previous call."""
        return [ReceivedEvent(*event) for event in call(self.receiver_port, "GET", "/")]

    def check_in(self, room: int) -> None:
        """Check in a guest at the simulator."""
        call(self.control_port, "POST", "/guests", {"room": str(room), "name": "Bench"})

    def sent_times(self) -> dict[str, float]:
        """Return when each check-in was sent, in seconds since 1970, by guest number."""
        times: dict[str, float] = {}
        last_id = 0
        while records := call(self.control_port, "GET", f"/records?after={last_id}&limit=1000")["records"]:
            last_id = records[-1]["id"]
            for record in records:
                text = record["text"]
                if record["direction"] == "out" and record["type"] == "GI" and "|SF" not in text:
                    number = text.partition("|G#")[2].partition("|")[0]
                    times[number] = datetime.fromisoformat(record["at"]).timestamp()
        return times

    def is_idle(self) -> bool:
        """Return, after a delay, whether the resync has ended and all events are delivered."""
        time.sleep(IDLE_CHECK_DELAY_S)
        link = call(self.api_port, "GET", f"/api/v1/links/{LINK}")
        resync, webhook = link["resync"], link["webhook"]
        return bool(resync["ended"] and webhook["state"] == "idle" and not webhook["backlog"])


def wait_until(condition: Callable[[], Any], description: str) -> None:
    """Wait until the condition is true. Raises SystemExit after WAIT_TIMEOUT_S."""
    started_at = time.monotonic()
    while not condition():
        if time.monotonic() - started_at > WAIT_TIMEOUT_S:
            raise SystemExit(f"not within {WAIT_TIMEOUT_S:g} s: {description}")
        time.sleep(0.01)


@contextmanager
def start_processes(
    folder: Path, *link_lines: str, receiver_delay_s: float = 0
) -> Iterator[MeasuredProcesses]:
    """Run all three processes, with a disabled link; terminate them at the end of the context."""
    pms_port, control_port, api_port, receiver_port = (free_port() for _ in range(4))
    webhook = (
        f'webhook_url = "http://127.0.0.1:{receiver_port}/"',
        'webhook_secret = "correct horse battery"',
        *link_lines,
    )
    config = write_config(folder, api_port, {LINK: pms_port}, *webhook)
    endpoint = "tcp:{}:interface=127.0.0.1"
    listen = ("--listen", endpoint.format(pms_port), "--control", endpoint.format(control_port))
    with (
        start_module("bench.event_receiver", receiver_port, receiver_delay_s, port=receiver_port),
        start_twistd("pmssim", *listen, "--rooms", ROOMS, port=control_port),
        start_twistd("pmslink", "--config", config, port=api_port),
    ):
        yield MeasuredProcesses(control_port, api_port, receiver_port)


def measure_rate(processes: MeasuredProcesses) -> float:
    """Measure events per second during the first resync, in which all guests are new."""
    call(processes.api_port, "POST", f"/api/v1/links/{LINK}/enable")
    wait_until(processes.is_idle, "the events of the first resync are delivered")
    times = [event.at for event in processes.take_events() if event.type == "guest.checked_in"]
    return (len(times) - 1) / (times[-1] - times[0])


def measure_idle_latency(processes: MeasuredProcesses) -> list[float]:
    """Measure the milliseconds of each check-in on an idle link."""
    call(processes.control_port, "DELETE", "/records")
    for number in range(IDLE_CHECK_INS):
        processes.check_in(101 + number % 20)
        time.sleep(PAUSE_S)
    wait_until(processes.is_idle, "the events of all check-ins are delivered")
    return latencies_ms(processes.sent_times(), processes.take_events())


def measure_resync_latency(processes: MeasuredProcesses) -> float:
    """Measure the milliseconds of a check-in that the PMS sends directly after a resync."""
    processes.take_events()
    call(processes.control_port, "DELETE", "/records")
    call(processes.control_port, "POST", "/resync")
    processes.check_in(101)
    wait_until(processes.is_idle, "all events are delivered")
    (latency_ms,) = latencies_ms(processes.sent_times(), processes.take_events())
    return latency_ms


def latencies_ms(sent_times: dict[str, float], events: list[ReceivedEvent]) -> list[float]:
    """Return the milliseconds from the record to the event of each check-in."""
    received_times = {event.guest: event.at for event in events if event.type == "guest.checked_in"}
    return [1000 * (received_times[number] - at) for number, at in sent_times.items()]


def result_row(title: str, latencies: list[float]) -> tuple[str, ...]:
    """Return the row of the table for these latencies in milliseconds."""
    p95 = quantiles(latencies, n=100)[94]
    return (
        title,
        f"{median(latencies):.0f} ms",
        f"{p95:.0f} ms",
        f"{max(latencies):.0f} ms",
        LATENCY_TARGET_TEXT,
    )


def main() -> None:
    """Run all measurements and print the table."""
    with state_directory() as folder, start_processes(folder) as processes:
        rate = measure_rate(processes)
        rows = [
            result_row(
                f"{IDLE_CHECK_INS} check-ins, one every {1000 * PAUSE_S:.0f} ms or more",
                measure_idle_latency(processes),
            ),
            result_row(
                f"{RESYNC_CHECK_INS} check-ins, each directly after a resync of {ROOMS:,} rooms",
                [measure_resync_latency(processes) for _ in range(RESYNC_CHECK_INS)],
            ),
        ]
    columns = ("median", "95th percentile", "longest", "target")
    print_table("from the PMS's record to the receiver", columns, rows)
    print(f"\nA receiver that responds at once gets {rate:,.0f} events a second.")


if __name__ == "__main__":
    main()
