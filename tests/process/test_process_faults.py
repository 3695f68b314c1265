"""A network that swallows packets, and clocks that jump; both need what only root and Debian have."""

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


def run(command: str) -> None:
    subprocess.run(command.split(), check=True, capture_output=True)


@contextmanager
def two_hosts() -> Iterator[tuple[str, str, str]]:
    """Two network namespaces with a cable between them: their names, and the second one's address."""
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


def test_a_network_that_swallows_packets_is_noticed_within_thirty_seconds(tmp_path: Path) -> None:
    with two_hosts() as (here, there, address):
        inside, far = f"ip netns exec {here}".split(), f"ip netns exec {there}".split()
        with (
            run_simulator(tmp_path, 5010, 5011, host=address, prefix=far),
            # The link check alone would take five minutes: it is TCP that notices.
            run_service(tmp_path, 5010, 8080, host=address, prefix=inside, alive_interval=300) as pbx,
        ):
            pbx.wait_until_state("ESTABLISHED")
            run(f"ip netns exec {there} iptables -A INPUT -i cable -j DROP")
            cut = time.monotonic()
            lost = pbx.wait_until_state("EXPECTION", "lost")
            assert time.monotonic() - cut < 31
            assert "no sign of life" in lost["reason"]
            pbx.wait_until_state("EXPECTION", "dial_timeout")
            run(f"ip netns exec {there} iptables -F INPUT")
            pbx.wait_until_state("ESTABLISHED")


@pytest.mark.parametrize("jump", ["+1h", "-1h"])
def test_a_clock_that_jumps_moves_no_timer(tmp_path: Path, jump: str) -> None:
    pms_port, control, api = free_ports(3)
    clock, faked = fake_wall_clock(tmp_path)
    with (
        run_simulator(tmp_path, pms_port, control) as pms,
        run_service(tmp_path, pms_port, api, environment=faked) as pbx,
    ):

        def checks() -> int:
            records = pms.call("GET", "/records?limit=1000")["records"]
            return len([one for one in records if one["direction"] == "in" and one["type"] == "LS"])

        pbx.wait_until_state("ESTABLISHED")
        wait_until(lambda: checks() >= 2, "link checks before the jump")
        before, reported = checks(), pbx.link()["alive"]["last_check"]
        clock.write_text(jump)
        wait_until(lambda: pbx.link()["alive"]["last_check"][:13] != reported[:13], "the jump is seen", 10)
        wait_until(lambda: checks() >= before + 3, "link checks go on", 10)
        assert pbx.link()["state"] == "ESTABLISHED"
        assert len(pbx.transitions()) == 3, "no timer fired early"
