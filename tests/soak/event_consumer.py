"""A PBX that follows a hotel's events and remembers, over the service's kills, up to where it has read.

From the events alone it knows who stays where. In the end that is what the service says, and the PMS.
"""

from __future__ import annotations

from itertools import pairwise
from threading import Event, Thread
from typing import Any

from tests.process.server_processes import wait_until
from tests.soak.docked_service import LINK_PATH, DockedService
from tests.soak.json_client import JsonClient

GuestLocations = dict[str, tuple[str, str]]
"""Room and name of each guest, by reservation number."""


class EventConsumer:
    """Asks for what came after the last event that it has seen, again and again."""

    def __init__(self, interface: JsonClient) -> None:
        self.received_seqs: list[int] = []
        """The number of each event, as they came."""
        self.transition_ids: set[int] = set()
        """The ids of the transitions that they told of."""
        self.guests: GuestLocations = {}
        """Who stays, as far as they told."""
        self.errors: list[str] = []
        self._interface = interface
        self._last_seq = 0
        self._stopping = Event()
        self._thread = Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(30)

    def _run(self) -> None:
        while not self._stopping.is_set():
            match self._interface.call("GET", f"{LINK_PATH}/events?after={self._last_seq}&wait=1&limit=1000"):
                case (200, {"events": list(events), "next": int(following)}):
                    for event in events:
                        self.apply_event(event)
                    if following != (events[-1]["seq"] if events else self._last_seq):
                        self.errors.append(f"next is {following} after {self._last_seq} and {events}")
                    self._last_seq = following
                case None:
                    self._stopping.wait(0.05)
                case other:
                    self.errors.append(f"neither events nor silence: {other}")
                    self._stopping.wait(1)

    def apply_event(self, event: dict[str, Any]) -> None:
        """Do what an event tells; what cannot be after those before is complained of."""
        self.received_seqs.append(event["seq"])
        type = event["type"]
        if type == "link.changed":
            self.transition_ids.add(event["transition"]["id"])
        elif type.startswith("guest."):
            guest = event["guest"]
            if (type == "guest.checked_in") == (guest["number"] in self.guests):
                self.errors.append(f"of {self.guests.get(guest['number'])}: {event}")
            if type == "guest.checked_out":
                self.guests.pop(guest["number"], None)
            else:
                self.guests[guest["number"]] = (event["room"], guest["name"])


def check_events(docked_service: DockedService, consumer: EventConsumer) -> None:
    """Everything was told once and in order, and it was enough. The PMS must have nothing more to say."""
    wait_until(
        lambda: _pms_guests(docked_service) == _service_guests(docked_service),
        "the service knows who stays",
        30,
    )
    kept = all_events(docked_service.service_client)
    wait_until(lambda: consumer.received_seqs[-1:] == [kept[-1]["seq"]], "the last event is told", 10)
    consumer.stop()
    assert consumer.errors == []
    backwards = [(a, b) for a, b in pairwise(consumer.received_seqs) if b <= a]
    assert backwards == [], f"told again: {backwards[:5]} of {len(consumer.received_seqs)} events"
    missed = sorted({event["seq"] for event in kept} - set(consumer.received_seqs))
    assert missed == [], f"{len(missed)} of {len(kept)} events were never told"
    assert {change["id"] for change in docked_service.transitions()} <= consumer.transition_ids
    assert consumer.guests == _pms_guests(docked_service)


def check_guests(docked_service: DockedService) -> None:
    """From all events that are kept, it is known who stays. The PMS must have nothing more to say."""
    wait_until(
        lambda: _pms_guests(docked_service) == _service_guests(docked_service),
        "the service knows who stays",
        30,
    )
    follows = EventConsumer(docked_service.service_client)
    for event in all_events(docked_service.service_client):
        follows.apply_event(event)
    assert follows.errors == []
    assert follows.guests == _pms_guests(docked_service)


def all_events(interface: JsonClient) -> list[dict[str, Any]]:
    """All events that are kept, oldest first."""
    found: list[dict[str, Any]] = []
    while True:
        after = found[-1]["seq"] if found else 0
        page = interface.get(f"{LINK_PATH}/events?after={after}&limit=1000")["events"]
        if not page:
            return found
        found += page


def _pms_guests(docked_service: DockedService) -> GuestLocations:
    guests = docked_service.pms_client.get("/guests")["guests"]
    return {guest["number"]: (guest["room"], guest["name"]) for guest in guests}


def _service_guests(docked_service: DockedService) -> GuestLocations:
    rooms = docked_service.service_client.get(f"{LINK_PATH}/rooms")["rooms"]
    return {guest["number"]: (room["room"], guest["name"]) for room in rooms for guest in room["guests"]}
