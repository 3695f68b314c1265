"""A PBX that reads a hotel's events and stores its cursor, so that kills of the service lose none.

It computes from the events alone which guest stays where. The final check compares that with the service
and the PMS.
"""

from __future__ import annotations

from itertools import pairwise
from threading import Event, Thread
from typing import Any

from tests.process.server_processes import WAIT_TIMEOUT_S, wait_until
from tests.soak.docked_service import LINK_PATH, DockedService
from tests.soak.json_client import JsonClient

GuestLocations = dict[str, tuple[str, str]]
"""Room and name of each guest, by reservation number."""


class EventConsumer:
    """Long-polls the events after the last one that it received."""

    def __init__(self, client: JsonClient) -> None:
        self.received_seqs: list[int] = []
        """The number of each event, in the order received."""
        self.transition_ids: set[int] = set()
        """The ids of the transitions in the events."""
        self.guests: GuestLocations = {}
        """The guests who stay, according to the events."""
        self.errors: list[str] = []
        self._client = client
        self._last_seq = 0
        self._stopping = Event()
        self._thread = Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(WAIT_TIMEOUT_S)

    def _run(self) -> None:
        while not self._stopping.is_set():
            match self._client.call("GET", f"{LINK_PATH}/events?after={self._last_seq}&wait=1&limit=1000"):
                case (200, {"events": list(events), "next": int(following)}):
                    for event in events:
                        self.apply_event(event)
                    if following != (events[-1]["seq"] if events else self._last_seq):
                        self.errors.append(f"next is {following} after {self._last_seq} and {events}")
                    self._last_seq = following
                case None:
                    self._stopping.wait(0.05)
                case other:
                    self.errors.append(f"neither events nor a lost connection: {other}")
                    self._stopping.wait(1)

    def apply_event(self, event: dict[str, Any]) -> None:
        """Apply an event to the guests. Record an error if it contradicts the events before it."""
        self.received_seqs.append(event["seq"])
        event_type = event["type"]
        if event_type == "link.changed":
            self.transition_ids.add(event["transition"]["id"])
        elif event_type.startswith("guest."):
            guest = event["guest"]
            if (event_type == "guest.checked_in") == (guest["number"] in self.guests):
                self.errors.append(f"guest {self.guests.get(guest['number'])}: {event}")
            if event_type == "guest.checked_out":
                self.guests.pop(guest["number"], None)
            else:
                self.guests[guest["number"]] = (event["room"], guest["name"])


def check_events(docked_service: DockedService, consumer: EventConsumer) -> None:
    """Assert that the consumer received every event once, in order, and has the guests of the PMS.

    The PMS must have sent everything.
    """
    wait_until(
        lambda: _pms_guests(docked_service) == _service_guests(docked_service),
        "the service has the guests of the PMS",
    )
    stored = all_events(docked_service.service_client)
    wait_until(lambda: consumer.received_seqs[-1:] == [stored[-1]["seq"]], "the last event is received")
    consumer.stop()
    assert consumer.errors == []
    backwards = [(a, b) for a, b in pairwise(consumer.received_seqs) if b <= a]
    assert backwards == [], f"received again: {backwards[:5]} of {len(consumer.received_seqs)} events"
    missed = sorted({event["seq"] for event in stored} - set(consumer.received_seqs))
    assert missed == [], f"{len(missed)} of {len(stored)} events were never received"
    assert {change["id"] for change in docked_service.transitions()} <= consumer.transition_ids
    assert consumer.guests == _pms_guests(docked_service)


def check_guests(docked_service: DockedService) -> None:
    """Assert that the stored events yield the guests of the PMS, which must have sent everything."""
    wait_until(
        lambda: _pms_guests(docked_service) == _service_guests(docked_service),
        "the service has the guests of the PMS",
    )
    consumer = EventConsumer(docked_service.service_client)
    for event in all_events(docked_service.service_client):
        consumer.apply_event(event)
    assert consumer.errors == []
    assert consumer.guests == _pms_guests(docked_service)


def all_events(client: JsonClient) -> list[dict[str, Any]]:
    """Return all stored events, oldest first."""
    events: list[dict[str, Any]] = []
    while True:
        after = events[-1]["seq"] if events else 0
        page = client.get(f"{LINK_PATH}/events?after={after}&limit=1000")["events"]
        if not page:
            return events
        events += page


def _pms_guests(docked_service: DockedService) -> GuestLocations:
    guests = docked_service.pms_client.get("/guests")["guests"]
    return {guest["number"]: (guest["room"], guest["name"]) for guest in guests}


def _service_guests(docked_service: DockedService) -> GuestLocations:
    rooms = docked_service.service_client.get(f"{LINK_PATH}/rooms")["rooms"]
    return {guest["number"]: (room["room"], guest["name"]) for room in rooms for guest in room["guests"]}
