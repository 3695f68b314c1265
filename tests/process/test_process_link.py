"""The service and a PMS as processes, over real TCP: what breaks, and how the link comes back."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.process.server_processes import free_ports, run_service, run_simulator, wait_until


def path_of(transitions: list[dict[str, object]]) -> list[object]:
    return [one["to"] for one in transitions]


def test_a_link_docks_misses_an_answer_and_recovers(tmp_path: Path) -> None:
    pms_port, control, api = free_ports(3)
    with run_simulator(tmp_path, pms_port, control) as pms, run_service(tmp_path, pms_port, api) as pbx:
        pbx.wait_until_state("ESTABLISHED")
        pms.call("POST", "/faults", {"ls_unanswered": True})
        abnormal = pbx.wait_until_state("EXPECTION", "no_answer")
        assert abnormal["down_since"] is not None
        assert "did not answer the last link check" in abnormal["reason"]
        pms.call("DELETE", "/faults")
        recovered = pbx.wait_until_state("ESTABLISHED")
        assert recovered["down_since"] is None
        assert path_of(pbx.transitions())[:5] == ["CLOSED", "WAIT_LS", "ESTABLISHED", "EXPECTION", "WAIT_LS"]


def test_link_end_is_answered_both_ways(tmp_path: Path) -> None:
    pms_port, control, api = free_ports(3)
    with run_simulator(tmp_path, pms_port, control) as pms, run_service(tmp_path, pms_port, api) as pbx:
        pbx.wait_until_state("ESTABLISHED")
        pms.call("POST", "/link/end")
        wait_until(lambda: "CLOSED" in path_of(pbx.transitions())[1:], "the PMS's LE closes the link")
        pbx.wait_until_state("ESTABLISHED")
        pbx.call("POST", "/api/v1/links/grand/disconnect")
        at_rest = pbx.wait_until_state("CLOSED", "user")
        assert at_rest["intent"] == "disconnected"
        wait_until(lambda: path_of(pbx.transitions())[-2:] == ["WAIT_LE", "CLOSED"], "both are kept")
        heard = [
            one["text"][:3]
            for one in pms.call("GET", "/records?limit=1000")["records"]
            if one["direction"] == "in"
        ]
        assert heard.count("LE|") == 2


def test_a_killed_pms_is_found_again_when_it_is_back(tmp_path: Path) -> None:
    pms_port, control, api = free_ports(3)
    with run_service(tmp_path, pms_port, api) as pbx:
        with run_simulator(tmp_path, pms_port, control) as pms:
            pbx.wait_until_state("ESTABLISHED")
            pms.kill()
            pbx.wait_until_state("EXPECTION", "refused")
        with run_simulator(tmp_path, pms_port, control):
            pbx.wait_until_state("ESTABLISHED")


def test_a_frozen_pms_takes_connections_but_is_not_believed(tmp_path: Path) -> None:
    pms_port, control, api = free_ports(3)
    with run_simulator(tmp_path, pms_port, control) as pms, run_service(tmp_path, pms_port, api) as pbx:
        pbx.wait_until_state("ESTABLISHED")
        pms.process.send_signal(signal.SIGSTOP)
        try:
            pbx.wait_until_state("EXPECTION", "no_answer")
            pbx.wait_until_state("EXPECTION", "start_timeout")
        finally:
            pms.process.send_signal(signal.SIGCONT)
        pbx.wait_until_state("ESTABLISHED")
