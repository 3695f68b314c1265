"""Tests of a network that drops packets, and of clocks that jump. Both need root and Debian packages."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.process.server_processes import fake_wall_clock, free_ports, run_service, run_simulator, wait_until

pytestmark = pytest.mark.debian

DETECTION_LIMIT_S = 31
"""Seconds in which the kernel must notice a dead peer: 30, and one to read the state."""
CHECKS_LIMIT_S = 10
"""Seconds in which three link checks must follow a jump of the clock; one is due every second."""


def run(command: str) -> None:
    subprocess.run(command.split(), check=True, capture_output=True)


@contextmanager
def two_hosts() -> Iterator[tuple[str, str, str]]:
    """Create two network namespaces with a cable between them; yield their names and the PMS address."""
    pbx, pms = f"pbx{os.getpid()}", f"pms{os.getpid()}"
    try:
        for name in (pbx, pms):
            run(f"ip netns add {name}")
            run(f"ip -n {name} link set lo up")
        run(f"ip -n {pbx} link add cable type veth peer name cable netns {pms}")
        for name, address in ((pbx, "192.0.2.1"), (pms, "192.0.2.2")):
            run(f"ip -n {name} address add {address}/24 dev cable")
            run(f"ip -n {name} link set cable up")
        yield pbx, pms, "192.0.2.2"
    finally:
        for name in (pbx, pms):
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def test_tcp_detects_a_network_that_drops_packets_after_thirty_seconds(tmp_path: Path) -> None:
    with two_hosts() as (pbx_host, pms_host, address):
        on_pbx, on_pms = f"ip netns exec {pbx_host}".split(), f"ip netns exec {pms_host}".split()
        with (
            run_simulator(tmp_path, 5010, 5011, host=address, prefix=on_pms),
            # the link check alone would take five minutes
            run_service(tmp_path, 5010, 8080, host=address, prefix=on_pbx, alive_interval=300) as pbx,
        ):
            pbx.wait_until_state("ESTABLISHED")
            run(f"ip netns exec {pms_host} iptables -A INPUT -i cable -j DROP")
            dropped_at = time.monotonic()
            lost = pbx.wait_until_state("EXPECTION", "lost")
            assert time.monotonic() - dropped_at < DETECTION_LIMIT_S
            assert "no sign of life" in lost["reason"]
            pbx.wait_until_state("EXPECTION", "dial_timeout")
            run(f"ip netns exec {pms_host} iptables -F INPUT")
            pbx.wait_until_state("ESTABLISHED")


@pytest.mark.parametrize("jump", ["+1h", "-1h"])
def test_a_clock_that_jumps_moves_no_timer(tmp_path: Path, jump: str) -> None:
    pms_port, control, api = free_ports(3)
    clock, environment = fake_wall_clock(tmp_path)
    with (
        run_simulator(tmp_path, pms_port, control) as pms,
        run_service(tmp_path, pms_port, api, environment=environment) as pbx,
    ):

        def link_checks() -> int:
            records = pms.call("GET", "/records?limit=1000")["records"]
            return sum(record["direction"] == "in" and record["type"] == "LS" for record in records)

        pbx.wait_until_state("ESTABLISHED")
        wait_until(lambda: link_checks() >= 2, "link checks before the jump")
        last_check = pbx.link()["alive"]["last_check"]
        clock.write_text(jump)
        wait_until(
            lambda: pbx.link()["alive"]["last_check"][:13] != last_check[:13],
            "hotel time follows the jump",
        )
        before = link_checks()
        wait_until(lambda: link_checks() >= before + 3, "link checks continue", CHECKS_LIMIT_S)
        assert pbx.link()["state"] == "ESTABLISHED"
        assert len(pbx.transitions()) == 3, "no timer fired early"
