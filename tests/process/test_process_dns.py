"""Tests of a machine whose DNS server does not answer. They need root and Debian packages."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from pmslink.host_resolver import PROMPT_THREADS
from tests.process.server_processes import ServerProcess, run_service, run_simulator, wait_until
from tests.process.test_process_faults import run

pytestmark = pytest.mark.debian

DEAD_WEBHOOKS = 60
REDIAL_LIMIT_S = 10
"""Seconds in which a link redials whose redial delay is a second at most; the lookups of the dead names
take at least 60 seconds in all."""
STOP_LIMIT_S = 20
"""Seconds in which a process must end after SIGTERM. An idle machine needs less than 2 seconds, and a
process that waits for its lookups needs 60."""

ACCEPTING_RECEIVER = """
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

ThreadingHTTPServer(("127.0.0.1", 9000), Receiver).serve_forever()
"""


@contextmanager
def host_without_dns() -> Iterator[list[str]]:
    """Create a network namespace with a DNS server that does not answer; yield the prefix of its commands."""
    name = f"dns{os.getpid()}"
    files = Path("/etc/netns") / name  # `ip netns exec` mounts them over those of /etc
    try:
        run(f"ip netns add {name}")
        run(f"ip -n {name} link set lo up")
        run(f"ip -n {name} address add 192.0.2.53/32 dev lo")
        run(f"ip netns exec {name} iptables -A INPUT -p udp --dport 53 -j DROP")
        files.mkdir(parents=True)
        (files / "resolv.conf").write_text("nameserver 192.0.2.53\noptions timeout:30 attempts:2\n")
        (files / "hosts").write_text("127.0.0.1 localhost pms.hotel\n")
        yield f"ip netns exec {name}".split()
    finally:
        subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
        shutil.rmtree(files, ignore_errors=True)


def add_dead_webhooks(service: ServerProcess) -> None:
    """Add links whose webhooks have host names that the DNS server does not answer, and an event for each."""
    for number in range(DEAD_WEBHOOKS):
        settings = {
            "name": f"dead{number}",
            "host": f"127.0.1.{number}",
            "port": 5010,
            "webhook_url": f"http://dead{number}.hotel/events",
            "webhook_secret": "0123456789abcdef",
        }
        answer = service.call("POST", "/api/v1/links", settings)
        assert answer["name"] == f"dead{number}", answer


@contextmanager
def accepting_receiver(prefix: Sequence[str]) -> Iterator[None]:
    """Run a webhook receiver on port 9000 of the namespace that accepts everything."""
    process = subprocess.Popen([*prefix, sys.executable, "-c", ACCEPTING_RECEIVER], stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def test_e2_dead_names_of_webhooks_delay_no_other_webhook(tmp_path: Path) -> None:
    webhook = {"webhook_url": "http://pms.hotel:9000/", "webhook_secret": "0123456789abcdef"}
    with host_without_dns() as prefix:
        simulator = run_simulator(tmp_path, 5010, 5011, prefix=prefix)
        service = run_service(tmp_path, 5010, 8080, prefix=prefix)
        with simulator, accepting_receiver(prefix), service as pbx:
            pbx.wait_until_state("ESTABLISHED")
            add_dead_webhooks(pbx)
            alive = {"name": "alive", "host": "127.0.2.1", "port": 5010, **webhook}
            assert pbx.call("POST", "/api/v1/links", alive)["name"] == "alive"
            wait_until(
                lambda: pbx.call("GET", "/api/v1/links/alive")["webhook"]["state"] == "idle",
                "the receiver that is reached gets its events",
                REDIAL_LIMIT_S,
            )
            wait_until(
                lambda: pbx.call("GET", "/api/v1/links/dead0")["webhook"]["last_error"],
                "a delivery fails",
            )
            dead = pbx.call("GET", "/api/v1/links/dead0")["webhook"]
            assert (dead["last_error"], dead["stuck"]) == ("its name cannot be resolved", None)
            pbx.process.terminate()
            pbx.process.wait(STOP_LIMIT_S)


def test_e2_dead_names_of_webhooks_delay_neither_a_dial_nor_the_end(tmp_path: Path) -> None:
    with host_without_dns() as prefix:
        simulator = run_simulator(tmp_path, 5010, 5011, prefix=prefix)
        service = run_service(tmp_path, 5010, 8080, host="pms.hotel", prefix=prefix)
        with simulator as pms, service as pbx:
            pbx.wait_until_state("ESTABLISHED")
            add_dead_webhooks(pbx)
            threads = Path(f"/proc/{pbx.process.pid}/task")
            wait_until(lambda: len(list(threads.iterdir())) > PROMPT_THREADS, "many lookups hang")
            transitions = len(pbx.transitions())
            pms.call("POST", "/link/drop")
            wait_until(lambda: len(pbx.transitions()) > transitions, "the link notices the loss")
            pbx.wait_until_state("ESTABLISHED", seconds=REDIAL_LIMIT_S)
            pbx.process.terminate()
            pbx.process.wait(STOP_LIMIT_S)
