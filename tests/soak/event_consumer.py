"""A PBX that follows a hotel's events and remembers, over the service's kills, up to where it has read.

From the events alone it knows who stays where. In the end that is what the service says, and the PMS.
"""

from __future__ import annotations

from itertools import pairwise
from threading import Event, Thread
from typing import Any

from tests.process.server_processes import until
from tests.soak.docked_service import LINK, Lane
from tests.soak.json_client import Interface

Staying = dict[str, tuple[str, str]]
"""Room and name of each guest, by reservation number."""


class Consumer:
    """Asks for what came after the last event that it has seen, again and again."""

    def __init__(self, interface: Interface) -> None:
        self.seen: list[int] = []
        """The number of each event, as they came."""
        self.transitions: set[int] = set()
        """The ids of the transitions that they told of."""
        self.staying: Staying = {}
        """Who stays, as far as they told."""
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
                    for event in events:
                        self.hear(event)
                    if following != (events[-1]["seq"] if events else self._after):
                        self.complaints.append(f"next is {following} after {self._after} and {events}")
                    self._after = following
                case None:
                    self._stop.wait(0.05)
                case other:
                    self.complaints.append(f"neither events nor silence: {other}")
                    self._stop.wait(1)

    def hear(self, event: dict[str, Any]) -> None:
        """Do what an event tells; what cannot be after those before is complained of."""
        self.seen.append(event["seq"])
        type = event["type"]
        if type == "link.changed":
            self.transitions.add(event["transition"]["id"])
        elif type.startswith("guest."):
            guest = event["guest"]
            if (type == "guest.checked_in") == (guest["number"] in self.staying):
                self.complaints.append(f"of {self.staying.get(guest['number'])}: {event}")
            if type == "guest.checked_out":
                self.staying.pop(guest["number"], None)
            else:
                self.staying[guest["number"]] = (event["room"], guest["name"])


def judge_events(one: Lane, consumer: Consumer) -> None:
    """Everything was told once and in order, and it was enough. The PMS must have nothing more to say."""
    until(lambda: _told_by_pms(one) == _told_by_service(one), "the service knows who stays", 30)
    kept = every_event(one.interface)
    until(lambda: consumer.seen[-1:] == [kept[-1]["seq"]], "the last event is told", 10)
    consumer.end()
    assert consumer.complaints == []
    backwards = [(a, b) for a, b in pairwise(consumer.seen) if b <= a]
    assert backwards == [], f"told again: {backwards[:5]} of {len(consumer.seen)} events"
    missed = sorted({event["seq"] for event in kept} - set(consumer.seen))
    assert missed == [], f"{len(missed)} of {len(kept)} events were never told"
    assert {change["id"] for change in one.transitions()} <= consumer.transitions
    assert consumer.staying == _told_by_pms(one)


def judge_guests(one: Lane) -> None:
    """From all events that are kept, it is known who stays. The PMS must have nothing more to say."""
    until(lambda: _told_by_pms(one) == _told_by_service(one), "the service knows who stays", 30)
    follows = Consumer(one.interface)
    for event in every_event(one.interface):
        follows.hear(event)
    assert follows.complaints == []
    assert follows.staying == _told_by_pms(one)


def every_event(interface: Interface) -> list[dict[str, Any]]:
    """All events that are kept, oldest first."""
    found: list[dict[str, Any]] = []
    while True:
        after = found[-1]["seq"] if found else 0
        page = interface.get(f"{LINK}/events?after={after}&limit=1000")["events"]
        if not page:
            return found
        found += page


def _told_by_pms(one: Lane) -> Staying:
    guests = one.pms.get("/guests")["guests"]
    return {guest["number"]: (guest["room"], guest["name"]) for guest in guests}


def _told_by_service(one: Lane) -> Staying:
    rooms = one.interface.get(f"{LINK}/rooms")["rooms"]
    return {guest["number"]: (room["room"], guest["name"]) for room in rooms for guest in room["guests"]}
