"""Tests of the service and a PMS as processes over TCP: faults and recovery of the link."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.process.server_processes import free_ports, run_service, run_simulator, wait_until


def test_a_link_docks_and_recovers_from_an_unanswered_link_check(tmp_path: Path) -> None:
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
        states = ["CLOSED", "WAIT_LS", "ESTABLISHED", "EXPECTION", "WAIT_LS"]
        wait_until(lambda: pbx.stored_states()[:5] == states, "these transitions are stored")


def test_each_side_answers_a_link_end_of_the_other(tmp_path: Path) -> None:
    pms_port, control, api = free_ports(3)
    with run_simulator(tmp_path, pms_port, control) as pms, run_service(tmp_path, pms_port, api) as pbx:
        pbx.wait_until_state("ESTABLISHED")
        pms.call("POST", "/link/end")
        wait_until(lambda: "CLOSED" in pbx.stored_states()[1:], "the PMS's LE closes the link")
        pbx.wait_until_state("ESTABLISHED")
        pbx.call("POST", "/api/v1/links/grand/disconnect")
        link = pbx.wait_until_state("CLOSED", "user")
        assert link["intent"] == "disconnected"
        wait_until(lambda: pbx.stored_states()[-2:] == ["WAIT_LE", "CLOSED"], "both transitions are stored")
        received = [
            record["text"][:3]
            for record in pms.call("GET", "/records?limit=1000")["records"]
            if record["direction"] == "in"
        ]
        assert received.count("LE|") == 2


def test_a_link_reconnects_to_a_pms_that_was_killed_and_restarted(tmp_path: Path) -> None:
    pms_port, control, api = free_ports(3)
    with run_service(tmp_path, pms_port, api) as pbx:
        with run_simulator(tmp_path, pms_port, control) as pms:
            pbx.wait_until_state("ESTABLISHED")
            pms.kill()
            pbx.wait_until_state("EXPECTION", "refused")
        with run_simulator(tmp_path, pms_port, control):
            pbx.wait_until_state("ESTABLISHED")


def test_a_frozen_pms_that_accepts_connections_does_not_count_as_established(tmp_path: Path) -> None:
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
