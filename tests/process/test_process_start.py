"""Tests of starting the programs, with and without errors, and of their installation."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.process.server_processes import BIN_DIR, WAIT_TIMEOUT_S, ServerProcess, free_ports, wait_until

ROOT = Path(__file__).parents[2]


def twistd(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BIN_DIR / "twistd", "-n", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=WAIT_TIMEOUT_S,
        check=False,
    )


def test_a_configuration_error_names_file_key_value_and_what_is_expected(tmp_path: Path) -> None:
    (tmp_path / "hotel.toml").write_text('[links.grand]\nhost = "10.20.0.5"\nport = "x"\nalive = 3\n')
    ended = twistd("pmslink", "--config", "hotel.toml", folder=tmp_path)
    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [
        'pmslink: hotel.toml: links.grand.port = "x": must be a whole number from 1 to 65535',
        "pmslink: hotel.toml: links.grand.alive = 3: there is no such setting; did you mean alive_on?",
    ]
    assert not (tmp_path / "pmslink-state").exists()


@pytest.mark.parametrize("program", ["pmslink", "pmssim"])
def test_a_port_in_use_is_one_line_and_exit_status_1(tmp_path: Path, program: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        option = "--api" if program == "pmslink" else "--listen"
        ended = twistd(program, option, f"tcp:{port}:interface=127.0.0.1", folder=tmp_path)
    assert ended.returncode == 1
    message = f"{program}: cannot listen on 127.0.0.1:{port}: [Errno 98] Address already in use"
    assert ended.stderr.splitlines() == [message]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--pms", "nowhere"], "pmslink: --pms = "),
        (["--api", "tcp:8080"], "pmslink: "),
        (["--api", "tcp:8080:interface=0.0.0.0"], "pmslink: "),
        (["--api", "tcp:x:interface=127.0.0.1"], "pmslink: api.listen = "),
        (["--state-dir", "/dev/null/x"], "pmslink: state_dir = "),
        (["--colour"], "pmslink: "),
    ],
)
def test_a_wrong_command_line_is_one_line_and_exit_status_1(
    tmp_path: Path, options: list[str], message: str
) -> None:
    ended = twistd("pmslink", *options, folder=tmp_path)
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith(message)


@pytest.mark.parametrize("editable", [False, True], ids=["install", "install-editable"])
def test_an_installation_in_a_new_environment_has_both_programs(tmp_path: Path, editable: bool) -> None:
    """Twistd runs in another folder, so that it finds the installed plugin and not the source."""
    environment = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    pip = [
        str(environment / "bin" / "python"),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]
    source = tmp_path / "source"
    subprocess.run(["git", "clone", "--quiet", ROOT, source], check=True)
    subprocess.run([*pip, *(["-e"] if editable else []), str(source)], check=True, capture_output=True)
    environment_variables = {
        key: value for key, value in os.environ.items() if not key.startswith(("COV", "PYTHON"))
    }
    help_run = subprocess.run(
        [environment / "bin" / "twistd", "--help"],
        cwd=tmp_path,
        env=environment_variables,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "pmslink " in help_run.stdout
    assert "pmssim " in help_run.stdout
    (port,) = free_ports(1)
    with socket.create_server(("127.0.0.1", port)):
        started = subprocess.run(
            [environment / "bin" / "twistd", "-n", "pmslink", "--api", f"tcp:{port}:interface=127.0.0.1"],
            cwd=tmp_path,
            env=environment_variables,
            capture_output=True,
            text=True,
            check=False,
        )
    assert "cannot listen" in started.stderr, "the service was built, so all that it imports is installed"


@pytest.mark.parametrize(
    ("program", "option"), [("pmslink", "--api"), ("pmssim", "--control")], ids=["pmslink", "pmssim"]
)
def test_e9_a_pid_file_of_a_living_process_does_not_keep_a_program_from_starting(
    program: str, option: str, tmp_path: Path
) -> None:
    (port,) = free_ports(1)
    pid_file = tmp_path / "twistd.pid"
    pid_file.write_text(f"{os.getpid()}\n")  # after a power cut the number may be any process's
    listen = ("--listen", "tcp:0:interface=127.0.0.1") if program == "pmssim" else ()
    server = ServerProcess([program, option, f"tcp:{port}:interface=127.0.0.1", *listen], port, tmp_path)
    try:
        wait_until(lambda: server.call("GET", "/healthz" if program == "pmslink" else "/"), "it answers")
        server.terminate()
    finally:
        server.kill()
    assert pid_file.read_text() == f"{os.getpid()}\n"


def test_e9_a_pid_file_that_the_command_line_names_is_written(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    arguments = ["--pidfile=own.pid", "pmssim", "--listen", "tcp:0:interface=127.0.0.1"]
    arguments += ["--control", f"tcp:{port}:interface=127.0.0.1"]
    server = ServerProcess(arguments, port, tmp_path)
    try:
        wait_until(lambda: server.call("GET", "/"), "it answers")
        assert (tmp_path / "own.pid").read_text() == f"{server.process.pid}"
    finally:
        server.kill()


def test_nothing_shadows_twisted() -> None:
    assert not list((ROOT / "twisted").rglob("__init__.py"))
