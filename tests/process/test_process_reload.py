"""SIGHUP reloads the configuration file and never ends the service (case E10)."""

from __future__ import annotations

import os
import pty
import signal
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.link.certificates import CertificateAuthority
from tests.process.server_processes import (
    BIN_DIR,
    CALL_TIMEOUT_S,
    STOP_TIMEOUT_S,
    ServiceProcess,
    free_ports,
    run_simulator,
    wait_until,
)


@contextmanager
def run_service(folder: Path, *arguments: str, port: int) -> Iterator[ServiceProcess]:
    server = ServiceProcess(["pmslink", "--api", f"tcp:{port}:interface=127.0.0.1", *arguments], port, folder)
    try:
        yield server
        server.terminate()
    finally:
        server.kill()


def write_config(file: Path, port: int, *names: str, settings: str = "") -> None:
    file.write_text(
        settings
        + "".join(
            f'[links.{name}]\nhost = "127.0.0.1"\nport = {port + number}\n'
            for number, name in enumerate(names)
        )
    )


def names_of(server: ServiceProcess) -> list[str]:
    answer: Any = server.call("GET", "/api/v1/links")
    return sorted(link["name"] for link in answer["links"]) if answer else []


def lines_with(server: ServiceProcess, text: str) -> list[str]:
    return [line for line in server.log.read_text().splitlines() if text in line]


def test_e10_sighup_applies_a_valid_file_and_rejects_an_invalid_one(tmp_path: Path) -> None:
    port, pms_port, control, *_ = free_ports(6)
    config = tmp_path / "hotel.toml"
    write_config(config, pms_port, "grand", "goes")
    with (
        run_simulator(tmp_path, pms_port, control + 2),
        run_service(tmp_path, "--config", str(config), port=port) as server,
    ):
        server.wait_until_state("ESTABLISHED")
        wait_until(lambda: server.stored_states()[-1:] == ["ESTABLISHED"], "that is stored")
        transitions = server.transitions()
        write_config(config, pms_port, "grand", "comes", settings='state_dir = "elsewhere"\n')
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: names_of(server) == ["comes", "grand"], "the links of the file run")
        (line,) = lines_with(server, "The configuration is reloaded")
        assert line.endswith("links added: comes; changed: none; removed: goes")
        assert lines_with(server, "state_dir has changed; the new value needs a restart of the service")
        table = tmp_path / "rooms.csv"
        table.write_text("101\n")
        with config.open("a") as file:
            file.write(f'extensions = "table"\nextension_table = "{table}"\n')
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: lines_with(server, "line 1 has a room without"), "the log names the table")
        write_config(config, pms_port, "grand", "comes", settings="[retention]\nguest_days = 0\n")
        server.process.send_signal(signal.SIGHUP)
        error = f"{config}: retention.guest_days = 0: must be a whole number from 1 to 3650"
        wait_until(
            lambda: lines_with(server, f"SIGHUP: nothing is reloaded: {error}"), "the log has the error"
        )
        assert names_of(server) == ["comes", "grand"]
        assert server.transitions() == transitions, "the link has kept its connection"


@pytest.mark.parametrize("arguments", [(), ("--pms", "127.0.0.1:9")], ids=["no link", "--pms"])
def test_e10_sighup_without_a_configuration_file_is_a_log_line(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    (port,) = free_ports(1)
    with run_service(tmp_path, *arguments, port=port) as server:
        wait_until(lambda: server.call("GET", "/healthz"), "the service answers")
        server.process.send_signal(signal.SIGHUP)
        wait_until(
            lambda: lines_with(server, "SIGHUP: nothing is reloaded: the service runs without a"),
            "the log says that there is nothing to reload",
        )
        assert server.call("GET", "/healthz") == {"ok": True}


def test_e10_sighup_during_the_start_is_not_lost_and_does_not_end_the_service(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    config = tmp_path / "hotel.toml"
    os.mkfifo(config)  # the service waits for its configuration, while the signal arrives
    with run_service(tmp_path, "--config", str(config), port=port) as server:
        writer = os.open(config, os.O_WRONLY)  # returns when the service has opened the file
        server.process.send_signal(signal.SIGHUP)
        config.unlink()
        write_config(config, 9, "grand")
        os.write(writer, b"")
        os.close(writer)
        wait_until(lambda: names_of(server) == ["grand"], "the file is read again after the start")


def test_e10_a_reload_takes_up_a_new_certificate_of_the_api(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    ca = CertificateAuthority.create(tmp_path / "ca.pem")
    pem, config = tmp_path / "server.pem", tmp_path / "hotel.toml"
    pem.write_bytes(ca.pem("127.0.0.1"))
    config.write_text(f"""[api]\nlisten = 'ssl:{port}:privateKey={pem}:interface=127.0.0.1'\n""")
    server = ServiceProcess(["pmslink", "--config", str(config)], port, tmp_path)

    def certificate() -> str | None:
        try:
            return ssl.get_server_certificate(("127.0.0.1", port), timeout=CALL_TIMEOUT_S)
        except OSError:
            assert server.process.poll() is None, server.log.read_text()
            return None

    def reload() -> None:
        server.process.send_signal(signal.SIGHUP)

    try:
        first = wait_until(certificate, "the service answers")
        pem.write_text("rubbish")
        reload()
        wait_until(lambda: lines_with(server, "must name a key and its certificate"), "the log has the error")
        assert certificate() == first
        pem.write_bytes(ca.pem("127.0.0.1"))
        reload()
        renewed = wait_until(lambda: (now := certificate()) != first and now, "the new certificate is served")
        assert renewed in pem.read_text()
        server.terminate()
    finally:
        server.kill()


def test_e10_a_closed_terminal_does_not_end_the_service(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    terminal, other_end = pty.openpty()
    process = subprocess.Popen(
        ["setsid", "--ctty", BIN_DIR / "twistd", "-n", "pmslink", "--api", f"tcp:{port}:interface=127.0.0.1"],
        cwd=tmp_path,
        stdin=other_end,
        stdout=other_end,
        stderr=other_end,
    )
    os.close(other_end)
    server = ServiceProcess.__new__(ServiceProcess)
    server.process, server.port, server.prefix, server.log = process, port, [], tmp_path / "none"
    server.log.touch()
    try:
        wait_until(lambda: server.call("GET", "/healthz"), "the service answers")
        os.close(terminal)  # the kernel sends SIGHUP, and writing to the terminal fails from now on
        for _ in range(3):
            assert server.call("POST", "/api/v1/reload")["error"]["code"] == "not_applicable"
        assert server.call("POST", "/api/v1/links", {"name": "a", "host": "127.0.0.1", "port": 9})
        assert server.call("GET", "/readyz") == {"ok": True}
        assert process.poll() is None
        process.terminate()
        assert process.wait(STOP_TIMEOUT_S) == -signal.SIGTERM
    finally:
        process.kill()
        process.wait()
