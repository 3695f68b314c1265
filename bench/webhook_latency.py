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
    PATIENCE,
    call,
    free_port,
    module,
    show,
    state_directory,
    twistd,
    write_config,
)

ROOMS = 1000
ALONE, PAUSE = 300, 0.03
"""Check-ins on an idle machine, and seconds between two."""
RESYNCED = 40
"""Check-ins that are sent right behind a resync of all rooms, and wait for it."""
TARGET = "under 100 ms"


@define
class Measured:
    """The three processes, by the port that each is asked on."""

    control: int
    api: int
    taker: int

    def came(self) -> list[tuple[str, str | None, float]]:
        """What the receiver got since this was asked last."""
        return [(type, number, at) for type, number, at in call(self.taker, "GET", "/")]

    def check_in(self, room: int) -> str:
        """The number of a guest who has come."""
        guest = call(self.control, "POST", "/guests", {"room": str(room), "name": "Bench"})
        return str(guest["number"])

    def sent(self) -> dict[str, float]:
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

    def idle(self) -> bool:
        """Whether a resync is over and all is told. A moment later: nobody is to ask while it is measured."""
        time.sleep(0.3)
        link = call(self.api, "GET", f"/api/v1/links/{LINK}")
        resync, webhook = link["resync"], link["webhook"]
        return bool(resync["ended"] and webhook["state"] == "idle" and not webhook["backlog"])


def until(wanted: Callable[[], Any], what: str) -> None:
    begun = time.monotonic()
    while not wanted():
        if time.monotonic() - begun > PATIENCE:
            raise SystemExit(f"not within {PATIENCE:g} s: {what}")
        time.sleep(0.01)


@contextmanager
def running(folder: Path) -> Iterator[Measured]:
    """All of it, with a link that is about to be enabled."""
    pms, control, api, taker = (free_port() for _ in range(4))
    hook = (f'webhook_url = "http://127.0.0.1:{taker}/"', 'webhook_secret = "correct horse battery"')
    config = write_config(folder, api, {LINK: pms}, *hook)
    listen = ("--listen", f"tcp:{pms}:interface=127.0.0.1", "--control", f"tcp:{control}:interface=127.0.0.1")
    with (
        module("bench.event_receiver", taker, port=taker),
        twistd("pmssim", *listen, "--rooms", ROOMS, port=control),
        twistd("pmslink", "--config", config, port=api),
    ):
        yield Measured(control, api, taker)


def brought(one: Measured) -> float:
    """Events a second, while the first resync tells of everybody."""
    call(one.api, "POST", f"/api/v1/links/{LINK}/enable")
    until(one.idle, "the first resync is told")
    moments = [at for type, _, at in one.came() if type == "guest.checked_in"]
    return (len(moments) - 1) / (moments[-1] - moments[0])


def alone(one: Measured) -> list[float]:
    """Milliseconds of each check-in on an idle link."""
    call(one.control, "DELETE", "/records")
    for number in range(ALONE):
        one.check_in(101 + number % 20)
        time.sleep(PAUSE)
    until(one.idle, "all check-ins are told")
    return late(one.sent(), one.came())


def behind_a_resync(one: Measured) -> float:
    """Milliseconds of a check-in that the PMS sends together with a resync, as the last record."""
    one.came()
    call(one.control, "DELETE", "/records")
    call(one.control, "POST", "/resync")
    one.check_in(101)
    until(one.idle, "all is told")
    (took,) = late(one.sent(), one.came())
    return took


def late(sent: dict[str, float], came: list[tuple[str, str | None, float]]) -> list[float]:
    arrived = {number: at for type, number, at in came if type == "guest.checked_in"}
    return [1000 * (arrived[number] - at) for number, at in sent.items()]


def row(what: str, found: list[float]) -> tuple[str, ...]:
    p95 = quantiles(found, n=100)[94]
    return what, f"{median(found):.0f} ms", f"{p95:.0f} ms", f"{max(found):.0f} ms", TARGET


def main() -> None:
    with state_directory() as folder, running(folder) as one:
        rate = brought(one)
        rows = [
            row(f"{ALONE} check-ins, one each {1000 * PAUSE:.0f} ms and more", alone(one)),
            row(
                f"{RESYNCED} check-ins, each right behind a resync of {ROOMS:,} rooms",
                [behind_a_resync(one) for _ in range(RESYNCED)],
            ),
        ]
    show("from the PMS's record to the receiver", ("median", "95th percentile", "longest", "target"), rows)
    print(f"\nOne after the other, a receiver that answers at once takes {rate:,.0f} events a second.")


if __name__ == "__main__":
    main()
