"""Tests of wake-ups and subscriptions while the clock of the machine jumps, with the service as a process.

They need root and Debian packages.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pmslink.hotel_clock import SETTLING_TIME_S
from tests.process.server_processes import (
    ServiceProcess,
    fake_wall_clock,
    free_ports,
    run_service,
    run_simulator,
    wait_until,
)

pytestmark = pytest.mark.debian

WAKE_UP = "/api/v1/links/grand/rooms/101/wake-up"


def in_days(days: int) -> datetime:
    return datetime.now(UTC).replace(hour=7, minute=0, second=0, microsecond=0) + timedelta(days=days)


def wait_for_log(pbx: ServiceProcess, text: str, count: int = 1) -> None:
    wait_until(lambda: pbx.log.read_text().count(text) >= count, f"the log has {text!r} {count} times")


def wake_ups(pbx: ServiceProcess) -> list[object]:
    room = pbx.call("GET", "/api/v1/links/grand/rooms/101")
    return [wake_up["at"] for wake_up in room["wake_ups"]]


def event_types(pbx: ServiceProcess) -> list[str]:
    events = pbx.call("GET", "/api/v1/links/grand/events?limit=1000")["events"]
    return [event["type"] for event in events if event["type"].startswith("wake_up")]


def test_c2_and_c6_a_clock_that_is_ahead_ends_no_wake_up_and_the_subscription_only_meanwhile(
    tmp_path: Path,
) -> None:
    pms_port, control, api = free_ports(3)
    clock, environment = fake_wall_clock(tmp_path)
    tomorrow = f"{in_days(1):%Y-%m-%dT%H:%M:%S}"
    settings = {"expires_at": in_days(21).isoformat(), "timezone": "UTC"}
    with (
        run_simulator(tmp_path, pms_port, control),
        run_service(tmp_path, pms_port, api, environment=environment, **settings) as pbx,
    ):
        pbx.wait_until_state("ESTABLISHED")
        pbx.call("PUT", WAKE_UP, {"at": tomorrow})
        wait_until(
            lambda: pbx.call("GET", "/api/v1/status")["uptime"] > SETTLING_TIME_S + 2,
            "the clock is certain after the start",
        )
        # for seconds: nothing happens
        clock.write_text("+30d")
        wait_for_log(pbx, "has jumped")
        clock.write_text("+0")
        wait_for_log(pbx, "runs evenly again; hotel time changes by")
        assert pbx.stored_states() == ["CLOSED", "WAIT_LS", "ESTABLISHED"]
        assert wake_ups(pbx) == [tomorrow]
        assert event_types(pbx) == ["wake_up.set"]
        # until it counts: the subscription ends, and goes on once the clock is right again
        clock.write_text("+30d")
        assert pbx.wait_until_state("EXPIRED", "expired")["intent"] == "expired"
        clock.write_text("+0")
        assert pbx.wait_until_state("ESTABLISHED")["intent"] == "enabled"
        wait_for_log(pbx, "has jumped", 3)
        assert pbx.log.read_text().count("has jumped") == 3, "each jump is logged once"


def test_c2_and_c6_a_clock_that_is_ahead_at_the_start_ends_no_wake_up_and_no_subscription(
    tmp_path: Path,
) -> None:
    pms_port, control, api = free_ports(3)
    clock, environment = fake_wall_clock(tmp_path)
    tomorrow = f"{in_days(1):%Y-%m-%dT%H:%M:%S}"
    settings = {"expires_at": in_days(21).isoformat(), "timezone": "UTC"}
    with run_simulator(tmp_path, pms_port, control):
        with run_service(tmp_path, pms_port, api, environment=environment, **settings) as pbx:
            pbx.wait_until_state("ESTABLISHED")
            pbx.call("PUT", WAKE_UP, {"at": tomorrow})
        clock.write_text("+30d")
        with run_service(tmp_path, pms_port, api, environment=environment, **settings) as pbx:
            assert pbx.link()["state"] == "CLOSED", "a link whose subscription may have ended does not dial"
            clock.write_text("+0")
            pbx.wait_until_state("ESTABLISHED")
            wait_until(
                lambda: pbx.call("GET", "/api/v1/status")["uptime"] > SETTLING_TIME_S + 2,
                "the clock is certain",
            )
            assert pbx.link()["state"] == "ESTABLISHED"
            assert wake_ups(pbx) == [tomorrow]
            assert event_types(pbx) == ["wake_up.set"]
