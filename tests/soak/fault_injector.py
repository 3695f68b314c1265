"""Random faults of the simulated PMS: it drops, delays, omits answers, ends the link, and resyncs."""

from __future__ import annotations

from random import Random
from threading import Event, Thread

from tests.soak.json_client import JsonClient

DESCRIPTION_RECORDS = 13
"""Records that a PBX sends before the first posting on a connection: LD, the LRs, LA."""
MAX_FAULT_DURATION_S = 0.7
"""Seconds until the next fault, at most."""


class FaultInjector:
    """Switches faults of the simulator on and off, one after the other, at random times."""

    def __init__(self, pms: JsonClient, seed: object) -> None:
        self._pms = pms
        self._rng = Random(f"faults {seed}")
        self._stopping = Event()
        self._thread = Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop, and switch all faults off."""
        self._stopping.set()
        self._thread.join(30)
        self._pms.call("DELETE", "/faults")

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._set_random_fault()
            self._stopping.wait(self._rng.uniform(0.05, MAX_FAULT_DURATION_S))

    def _set_random_fault(self) -> None:
        rng = self._rng
        match rng.randrange(12):
            case 0:
                self._set_faults(pa_delay=rng.uniform(0.02, 0.3))
            case 1:
                self._set_faults(pa_delay=rng.uniform(1.1, 2.5))
            case 2:
                self._set_faults(pa_skip=rng.randint(1, 2))
            case 3:
                self._set_faults(drop_after=DESCRIPTION_RECORDS + rng.randint(1, 40))
            case 4:
                self._pms.call("POST", "/link/drop")
            case 5:
                self._pms.call("POST", "/link/end")
            case 6:
                self._pms.call("POST", "/resync")
            case 7:
                self._pms.call("POST", "/guests", {"room": str(rng.randint(101, 110)), "name": "Larsen"})
            case _:
                self._pms.call("DELETE", "/faults")

    def _set_faults(self, **faults: float) -> None:
        self._pms.call("POST", "/faults", faults)
