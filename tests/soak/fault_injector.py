"""A PMS in changing moods: it drops, delays, keeps silent, ends, resyncs, and calms down again."""

from __future__ import annotations

from random import Random
from threading import Event, Thread

from tests.soak.json_client import Interface

DESCRIPTION = 13
"""Records of a PBX before the first posting on a connection: LD, the LRs, LA."""
LONGEST_MOOD = 0.7


class Weather:
    """Faults of the simulator, one after the other, at random moments."""

    def __init__(self, pms: Interface, seed: object) -> None:
        self._pms = pms
        self._chance = Random(f"weather {seed}")
        self._stop = Event()
        self._thread = Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """No more faults; those that are on are switched off."""
        self._stop.set()
        self._thread.join(30)
        self._pms.call("DELETE", "/faults")

    def _run(self) -> None:
        while not self._stop.is_set():
            self._change()
            self._stop.wait(self._chance.uniform(0.05, LONGEST_MOOD))

    def _change(self) -> None:
        chance = self._chance
        match chance.randrange(12):
            case 0:
                self._set(pa_delay=chance.uniform(0.02, 0.3))
            case 1:
                self._set(pa_delay=chance.uniform(1.1, 2.5))
            case 2:
                self._set(pa_skip=chance.randint(1, 2))
            case 3:
                self._set(drop_after=DESCRIPTION + chance.randint(1, 40))
            case 4:
                self._pms.call("POST", "/link/drop")
            case 5:
                self._pms.call("POST", "/link/end")
            case 6:
                self._pms.call("POST", "/resync")
            case 7:
                self._pms.call("POST", "/guests", {"room": str(chance.randint(101, 110)), "name": "Larsen"})
            case _:
                self._pms.call("DELETE", "/faults")

    def _set(self, **faults: float) -> None:
        self._pms.call("POST", "/faults", faults)
