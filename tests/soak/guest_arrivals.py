"""Guests who check in continuously under numbered names, and the names that the events report."""

from __future__ import annotations

from collections import deque
from threading import Event, Thread

from tests.soak.event_consumer import all_events
from tests.soak.json_client import JsonClient

ROOM = "115"
"""A room without postings: those wait while a guest who leaves may be moving."""
MAX_GUESTS = 20
"""Guests that stay at a time; when one more has arrived, the oldest checks out."""


class GuestArrivals:
    """Checks in one guest after the other, every `pause_s` seconds."""

    def __init__(self, pms: JsonClient, pause_s: float) -> None:
        self.guest_names: list[str] = []
        """The names of the guests who checked in, in order."""
        self._pms = pms
        self._pause_s = pause_s
        self._guest_numbers: deque[str] = deque()
        self._stopping = Event()
        self._thread = Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(30)

    def _run(self) -> None:
        while not self._stopping.wait(self._pause_s):
            name = f"No {len(self.guest_names)}"
            match self._pms.call("POST", "/guests", {"room": ROOM, "name": name}):
                case (201, {"number": str(number)}):
                    self.guest_names.append(name)
                    self._guest_numbers.append(number)
            if len(self._guest_numbers) > MAX_GUESTS:
                self._pms.call("DELETE", f"/guests/{self._guest_numbers.popleft()}")


def checked_in_names(service: JsonClient) -> list[str]:
    """Return the names in the check-in events, oldest first, without those of a resync."""
    return [
        event["guest"]["name"]
        for event in all_events(service)
        if event["type"] == "guest.checked_in"
        and not event["resync"]
        and event["guest"]["name"].startswith("No ")
    ]
