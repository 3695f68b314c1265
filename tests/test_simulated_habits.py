"""Tests that a link docks to PMSs with peculiar habits, stays, and exchanges records both ways."""

from __future__ import annotations

from typing import Any

import pytest

from pmslink.simulator.pms.fault_switches import Faults
from tests.memory_network import advance_clock
from tests.simulated_hotel import SimulatedHotel

LINK_CHECKS = 100
ALIVE_INTERVAL_S = 10.0


@pytest.mark.parametrize(
    ("faults", "settings"),
    [
        pytest.param({"never_la": True}, {"sync_on": "declared"}, id="d1_ls_answered_with_ls"),
        pytest.param(
            {"no_ls": True, "ld_mirror": True, "mirror_pause": 0.5, "mirror_strict": True},
            {"alive_timeout": 8},
            id="d2_slow_and_strict_mirror",
        ),
        pytest.param({"ld_mirror": True}, {}, id="mirror_that_sends_ls"),
        pytest.param({"framing": "crlf"}, {"framing": "crlf"}, id="d3_lines"),
        pytest.param({"la_unasked": 5}, {}, id="la_unasked_and_guests_without_a_resync"),
        pytest.param({"ls_unanswered": True, "la_for_la": True}, {"alive_by": "LA"}, id="d5_heartbeat"),
        pytest.param({"ls_unanswered": True}, {"alive_by": "nothing"}, id="d5_nothing_is_answered"),
        pytest.param({"close_at_lr": "NS"}, {"records": {"NS": "", "NE": ""}}, id="d7_d8_no_ns"),
        pytest.param({"clock_offset": -7200}, {}, id="d10_clock_two_hours_slow"),
        pytest.param({"oversize_early": 20_000}, {}, id="d11_oversize_record_before_ls"),
        pytest.param({"name_bytes": "02"}, {}, id="d17_stx_in_a_name"),
    ],
)
def test_a_link_stays_for_100_checks_and_exchanges_records(
    faults: dict[str, Any], settings: dict[str, Any]
) -> None:
    hotel = SimulatedHotel(4, 1, 1, 1, alive_interval=ALIVE_INTERVAL_S, **settings)
    hotel.pms.set_faults(Faults.parse(faults))
    advance_clock(hotel.clock, 60)
    hotel.pms.check_in("101", "Adams")
    advance_clock(hotel.clock, ALIVE_INTERVAL_S * LINK_CHECKS)
    hotel.pms.check_in("102", "Baker")
    hotel.phones.startService()
    advance_clock(hotel.clock, 600)
    hotel.phones.stopService()
    advance_clock(hotel.clock, 60)
    assert hotel.network.dial_count == 1
    status = hotel.link.status()
    assert (status.marker, status.in_sync) == ("ESTABLISHED", True)
    guests = {guest["number"] for room in hotel.rooms().values() for guest in room["guests"]}
    assert set(hotel.pms.hotel.guests) == guests
    rows = hotel.outbox_rows()
    assert rows
    assert {row.state for row in rows} == {"done"}
