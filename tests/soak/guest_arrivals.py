"""Guests who check in without pause, each under a name that counts up, and what is told of them."""

from __future__ import annotations

from collections import deque
from threading import Event, Thread

from tests.soak.event_consumer import every_event
from tests.soak.json_client import Interface

STAYING = 20
"""So many stay at a time; when one more has come, the oldest leaves."""


class Arrivals:
    """One guest after the other. ``pause`` is the time in seconds between two."""

    def __init__(self, pms: Interface, pause: float) -> None:
        self.names: list[str] = []
        """Of those who have checked in, in this order."""
        self._pms = pms
        self._pause = pause
        self._staying: deque[str] = deque()
        self._stop = Event()
        self._thread = Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._stop.set()
        self._thread.join(30)

    def _run(self) -> None:
        while not self._stop.wait(self._pause):
            name = f"No {len(self.names)}"
            match self._pms.call("POST", "/guests", {"room": "101", "name": name}):
                case (201, {"number": str(number)}):
                    self.names.append(name)
                    self._staying.append(number)
            if len(self._staying) > STAYING:
                self._pms.call("DELETE", f"/guests/{self._staying.popleft()}")


def told_of(service: Interface) -> list[str]:
    """The names of those of whom events tell that they came, oldest first, without what came of a resync."""
    return [
        event["guest"]["name"]
        for event in every_event(service)
        if event["type"] == "guest.checked_in"
        and not event["resync"]
        and event["guest"]["name"].startswith("No ")
    ]
