"""From the PMS's record to the program that its event is posted to; PMS, service and receiver are processes.

The simulator's trace says when it sent a check-in, the receiver when it had the event.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any

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
"""Check-ins on an idle machine, and seconds between two."""
RESYNC_CHECK_INS = 40
"""Check-ins that are sent right behind a resync of all rooms, and wait for it."""
LATENCY_TARGET_TEXT = "under 100 ms"


@define
class MeasuredProcesses:
    """The three processes, by the port that each is asked on."""

    control: int
    api: int
    receiver: int

    def received_events(self) -> list[tuple[str, str | None, float]]:
        """What the receiver got since this was asked last."""
        return [(type, number, at) for type, number, at in call(self.receiver, "GET", "/")]

    def check_in(self, room: int) -> str:
        """The number of a guest who has come."""
        guest = call(self.control, "POST", "/guests", {"room": str(room), "name": "Bench"})
        return str(guest["number"])

    def sent_times(self) -> dict[str, float]:
        """When each check-in was sent, in seconds since 1970, by the number of the guest."""
        found: dict[str, float] = {}
        last = 0
        while records := call(self.control, "GET", f"/records?after={last}&limit=1000")["records"]:
            last = records[-1]["id"]
            for one in records:
                if one["direction"] == "out" and one["type"] == "GI" and "|SF" not in one["text"]:
                    number = one["text"].partition("|G#")[2].partition("|")[0]
                    found[number] = datetime.fromisoformat(one["at"]).timestamp()
        return found

    def is_idle(self) -> bool:
        """Whether a resync is over and all is told. A moment later: nobody is to ask while it is measured."""
        time.sleep(0.3)
        link = call(self.api, "GET", f"/api/v1/links/{LINK}")
        resync, webhook = link["resync"], link["webhook"]
        return bool(resync["ended"] and webhook["state"] == "idle" and not webhook["backlog"])


def until(condition: Callable[[], Any], what: str) -> None:
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > WAIT_TIMEOUT_S:
            raise SystemExit(f"not within {WAIT_TIMEOUT_S:g} s: {what}")
        time.sleep(0.01)


@contextmanager
def start_processes(folder: Path) -> Iterator[MeasuredProcesses]:
    """All of it, with a link that is about to be enabled."""
    pms, control, api, taker = (free_port() for _ in range(4))
    hook = (f'webhook_url = "http://127.0.0.1:{taker}/"', 'webhook_secret = "correct horse battery"')
    config = write_config(folder, api, {LINK: pms}, *hook)
    listen = ("--listen", f"tcp:{pms}:interface=127.0.0.1", "--control", f"tcp:{control}:interface=127.0.0.1")
    with (
        start_module("bench.event_receiver", taker, port=taker),
        start_twistd("pmssim", *listen, "--rooms", ROOMS, port=control),
        start_twistd("pmslink", "--config", config, port=api),
    ):
        yield MeasuredProcesses(control, api, taker)


def measure_rate(processes: MeasuredProcesses) -> float:
    """Events a second, while the first resync tells of everybody."""
    call(processes.api, "POST", f"/api/v1/links/{LINK}/enable")
    until(processes.is_idle, "the first resync is told")
    moments = [at for type, _, at in processes.received_events() if type == "guest.checked_in"]
    return (len(moments) - 1) / (moments[-1] - moments[0])


def measure_idle_latency(processes: MeasuredProcesses) -> list[float]:
    """Milliseconds of each check-in on an idle link."""
    call(processes.control, "DELETE", "/records")
    for number in range(IDLE_CHECK_INS):
        processes.check_in(101 + number % 20)
        time.sleep(PAUSE_S)
    until(processes.is_idle, "all check-ins are told")
    return latencies_ms(processes.sent_times(), processes.received_events())


def measure_resync_latency(processes: MeasuredProcesses) -> float:
    """Milliseconds of a check-in that the PMS sends together with a resync, as the last record."""
    processes.received_events()
    call(processes.control, "DELETE", "/records")
    call(processes.control, "POST", "/resync")
    processes.check_in(101)
    until(processes.is_idle, "all is told")
    (took,) = latencies_ms(processes.sent_times(), processes.received_events())
    return took


def latencies_ms(sent: dict[str, float], received: list[tuple[str, str | None, float]]) -> list[float]:
    arrived = {number: at for type, number, at in received if type == "guest.checked_in"}
    return [1000 * (arrived[number] - at) for number, at in sent.items()]


def result_row(what: str, latencies: list[float]) -> tuple[str, ...]:
    p95 = quantiles(latencies, n=100)[94]
    return (
        what,
        f"{median(latencies):.0f} ms",
        f"{p95:.0f} ms",
        f"{max(latencies):.0f} ms",
        LATENCY_TARGET_TEXT,
    )


def main() -> None:
    with state_directory() as folder, start_processes(folder) as one:
        rate = measure_rate(one)
        rows = [
            result_row(
                f"{IDLE_CHECK_INS} check-ins, one each {1000 * PAUSE_S:.0f} ms and more",
                measure_idle_latency(one),
            ),
            result_row(
                f"{RESYNC_CHECK_INS} check-ins, each right behind a resync of {ROOMS:,} rooms",
                [measure_resync_latency(one) for _ in range(RESYNC_CHECK_INS)],
            ),
        ]
    print_table(
        "from the PMS's record to the receiver", ("median", "95th percentile", "longest", "target"), rows
    )
    print(f"\nOne after the other, a receiver that answers at once takes {rate:,.0f} events a second.")


if __name__ == "__main__":
    main()
