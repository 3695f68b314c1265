"""A PBX that follows a link's events and remembers, over the service's kills, up to where it has read."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from threading import Event, Thread
from typing import Any

from pmslink.fias.catalog import LINK_RECORDS
from tests.process.processes import until
from tests.soak.interface import Interface
from tests.soak.lane import LINK, Lane


class Consumer:
    """Asks for what came after the last event that it has seen, again and again."""

    def __init__(self, interface: Interface) -> None:
        self.seen: list[int] = []
        """The number of each event, as they came."""
        self.told: set[int] = set()
        """The ids of the records and transitions that they told of."""
        self.complaints: list[str] = []
        self._interface = interface
        self._after = 0
        self._stop = Event()
        self._thread = Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._stop.set()
        self._thread.join(30)

    def _run(self) -> None:
        while not self._stop.is_set():
            match self._interface.call("GET", f"{LINK}/events?after={self._after}&wait=1&limit=1000"):
                case (200, {"events": list(events), "next": int(following)}):
                    self.seen += [event["seq"] for event in events]
                    self.told |= {_subject(event) for event in events}
                    if following != (events[-1]["seq"] if events else self._after):
                        self.complaints.append(f"next is {following} after {self._after} and {events}")
                    self._after = following
                case None:
                    self._stop.wait(0.05)
                case other:
                    self.complaints.append(f"neither events nor silence: {other}")
                    self._stop.wait(1)


def _subject(event: dict[str, Any]) -> int:
    """The id of what an event tells of: a record's is the event's own number."""
    return int(event["transition"]["id"] if "transition" in event else event["seq"])


def judge_events(one: Lane, consumer: Consumer) -> None:
    """Everything that is kept was told once and in order. The PMS must have nothing more to say."""
    kept = set(_kept(one))
    until(lambda: max(kept) in consumer.told, "the last event is told", 10)
    consumer.end()
    assert consumer.complaints == []
    backwards = [(a, b) for a, b in pairwise(consumer.seen) if b <= a]
    assert backwards == [], f"told again: {backwards[:5]} of {len(consumer.seen)} events"
    missed = sorted(kept - consumer.told)
    assert missed == [], f"{len(missed)} of {len(kept)} events were never told"


def _kept(one: Lane) -> Iterator[int]:
    for record in one.interface.every(f"{LINK}/records", "records", direction="in"):
        if record["type"] not in LINK_RECORDS:
            yield record["id"]
    for transition in one.transitions():
        yield transition["id"]
