"""Tests of tokens: added while the service runs, and required for a public address."""

from __future__ import annotations

import json
import ssl
import subprocess
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from tests.link.certificates import CertificateAuthority
from tests.process.server_processes import (
    BIN_DIR,
    WAIT_TIMEOUT_S,
    ServerProcess,
    free_ports,
    run_service,
    wait_until,
)


def pmslink(*arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BIN_DIR / "pmslink", *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=WAIT_TIMEOUT_S,
        check=False,
    )


def test_a_running_service_requires_a_token_as_soon_as_there_is_one(tmp_path: Path) -> None:
    pms_port, api = free_ports(2)
    url = ("--url", f"http://127.0.0.1:{api}")
    with run_service(tmp_path, pms_port, api) as pbx:
        assert pmslink("status", *url, folder=tmp_path).returncode == 0
        added = pmslink("token", "add", "desk", "--role", "view", folder=tmp_path)
        (tmp_path / "token").write_text(added.stdout)
        wait_until(lambda: "error" in pbx.call("GET", "/api/v1/links"), "the service requires a token")
        rejected = pmslink("status", *url, folder=tmp_path)
        assert rejected.returncode == 1
        assert "(401 unauthorized)" in rejected.stderr
        accepted = pmslink("status", *url, "--token-file", "token", folder=tmp_path)
        assert (accepted.returncode, accepted.stderr) == (0, "")
        assert "grand" in accepted.stdout
        assert added.stdout.strip() not in pbx.log.read_text()


def test_a_service_with_a_token_serves_https_to_other_machines(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    ca = CertificateAuthority.create(tmp_path / "ca.pem")
    (tmp_path / "server.pem").write_bytes(ca.pem("127.0.0.1"))
    token = pmslink("token", "add", "desk", "--role", "control", folder=tmp_path).stdout.strip()
    server = ServerProcess(["pmslink", "--api", f"ssl:{port}:privateKey=server.pem"], port, tmp_path)
    tls = ssl.create_default_context(cafile=str(ca.file))

    def call_session(body: object = None) -> Any:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"https://127.0.0.1:{port}/api/v1/session", data, headers)
        try:
            return urlopen(request, timeout=5, context=tls)
        except OSError:
            assert server.process.poll() is None, server.log.read_text()
            return None

    try:
        with wait_until(call_session, "the service answers") as response:
            assert json.load(response)["name"] == "desk"
        with call_session({"token": token}) as response:
            assert "; Secure" in response.headers["Set-Cookie"]
        server.terminate()
    finally:
        server.process.kill()
