"""A PMS in changing moods: it drops, delays, keeps silent, ends, resyncs, and calms down again."""

from __future__ import annotations

from random import Random
from threading import Event, Thread

from tests.soak.json_client import JsonClient

DESCRIPTION_RECORDS = 13
"""Records of a PBX before the first posting on a connection: LD, the LRs, LA."""
MAX_FAULT_DURATION_S = 0.7


class FaultInjector:
    """Faults of the simulator, one after the other, at random moments."""

    def __init__(self, pms: JsonClient, seed: object) -> None:
        self._pms = pms
        self._rng = Random(f"weather {seed}")
        self._stopping = Event()
        self._thread = Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """No more faults; those that are on are switched off."""
        self._stopping.set()
        self._thread.join(30)
        self._pms.call("DELETE", "/faults")

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._set_random_fault()
            self._stopping.wait(self._rng.uniform(0.05, MAX_FAULT_DURATION_S))

    def _set_random_fault(self) -> None:
        chance = self._rng
        match chance.randrange(12):
            case 0:
                self._set_faults(pa_delay=chance.uniform(0.02, 0.3))
            case 1:
                self._set_faults(pa_delay=chance.uniform(1.1, 2.5))
            case 2:
                self._set_faults(pa_skip=chance.randint(1, 2))
            case 3:
                self._set_faults(drop_after=DESCRIPTION_RECORDS + chance.randint(1, 40))
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

    def _set_faults(self, **faults: float) -> None:
        self._pms.call("POST", "/faults", faults)
