"""Simulated days in a hotel with outages, restarts and a resync."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from attrs import evolve

from pmslink.link import controls
from pmslink.simulator.pms.fault_switches import Faults
from tests.memory_network import advance_clock
from tests.simulated_hotel import SimulatedHotel

HOUR_S = 3600.0
CALLS_PER_ROOM_AND_MINUTE = 1 / 300
"""The rate of phone calls, and of the activities at the front desk."""


def simulate_days(
    days: int,
    rooms: int,
    seed: int,
    every_hour: Callable[[SimulatedHotel], object] = lambda hotel: None,
    **faults: Any,
) -> SimulatedHotel:
    """Simulate days with four disturbances each, a resync halfway, and an idle hour at the end.

    `every_hour` is called with the hotel. `faults` are more faults of the PMS, by the simulator's names.
    """
    rng = Random(seed)
    hotel = SimulatedHotel(
        rooms,
        seed,
        pace=rooms * CALLS_PER_ROOM_AND_MINUTE,
        calls=rooms * CALLS_PER_ROOM_AND_MINUTE,
        unanswered="hold",
    )
    # late answers, so that disturbances occur while a posting is unanswered
    hotel.pms.set_faults(Faults(pa_delay=2.0, **faults))
    hotel.life.start()
    hotel.phones.startService()
    _call_every_hour(hotel, every_hour)
    for day in range(days):
        for _ in range(4):
            advance_clock(hotel.clock, rng.uniform(1, 5) * HOUR_S)
            rng.choice(DISTURBANCES)(hotel, rng)
        if day == days // 2:
            controls.request_resync(hotel.link)
        advance_clock(hotel.clock, (day + 1) * 24 * HOUR_S - hotel.clock.seconds())
    hotel.life.stop()
    hotel.phones.stopService()
    advance_clock(hotel.clock, HOUR_S)
    return hotel


def _call_every_hour(hotel: SimulatedHotel, function: Callable[[SimulatedHotel], object]) -> None:
    def call() -> None:
        hotel.clock.callLater(HOUR_S, call)
        function(hotel)

    hotel.clock.callLater(HOUR_S, call)


def _interrupt_network(hotel: SimulatedHotel, rng: Random) -> None:
    hotel.network.mode = "refuse"
    hotel.pms.drop_link()
    advance_clock(hotel.clock, rng.choice((5, 60, 600, 7200)))
    hotel.network.mode = "accept"


def _end_pms_link(hotel: SimulatedHotel, rng: Random) -> None:
    hotel.pms.end_link()
    advance_clock(hotel.clock, 60)


def _restart_service(hotel: SimulatedHotel, rng: Random) -> None:
    hotel.stop(crash=False)
    advance_clock(hotel.clock, rng.choice((1, 60, 300)))
    hotel.start()


def _crash_service(hotel: SimulatedHotel, rng: Random) -> None:
    hotel.stop(crash=True)
    advance_clock(hotel.clock, rng.choice((1, 60, 300)))
    hotel.start()


def _lose_answers(hotel: SimulatedHotel, rng: Random) -> None:
    hotel.pms.set_faults(evolve(hotel.pms.faults, pa_skip=2))


DISTURBANCES = (_interrupt_network, _end_pms_link, _restart_service, _crash_service, _lose_answers)
