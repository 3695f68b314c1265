"""Guests who check in without pause, each under a name that counts up, and what is kept of them."""

from __future__ import annotations

from threading import Event, Thread

from tests.soak.interface import Interface
from tests.soak.lane import LINK


class Arrivals:
    """One guest after the other. ``pause`` is the time in seconds between two."""

    def __init__(self, pms: Interface, pause: float) -> None:
        self.names: list[str] = []
        """Of those who have checked in, in this order."""
        self._pms = pms
        self._pause = pause
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
            if self._pms.call("POST", "/guests", {"room": "101", "name": name}):
                self.names.append(name)


def kept_of(service: Interface) -> list[str]:
    """The names that the service has in its journal, oldest first, without what came in a resync."""
    records = service.every(f"{LINK}/records", "records", type="GI", direction="in")
    found = []
    for record in records:
        fields = dict(record["fields"])
        if "SF" not in fields and fields["GN"].startswith("No "):
            found.append(fields["GN"])
    return found
