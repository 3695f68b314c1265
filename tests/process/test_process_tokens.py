"""Tokens as a user meets them: made while the service runs, and what it listens on with them."""

from __future__ import annotations

import json
import ssl
import subprocess
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from tests.link.certificates import CertificateAuthority
from tests.process.server_processes import BIN_DIR, ServerProcess, free_ports, run_service, wait_until


def pmslink(*arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BIN_DIR / "pmslink", *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_first_token_shuts_a_running_service(tmp_path: Path) -> None:
    pms_port, api = free_ports(2)
    url = ("--url", f"http://127.0.0.1:{api}")
    with run_service(tmp_path, pms_port, api) as pbx:
        assert pmslink("status", *url, folder=tmp_path).returncode == 0
        added = pmslink("token", "add", "desk", "--role", "view", folder=tmp_path)
        (tmp_path / "token").write_text(added.stdout)
        wait_until(lambda: "error" in pbx.call("GET", "/api/v1/links"), "the service asks for a token")
        refused = pmslink("status", *url, folder=tmp_path)
        assert refused.returncode == 1
        assert "(401 unauthorized)" in refused.stderr
        shown = pmslink("status", *url, "--token-file", "token", folder=tmp_path)
        assert (shown.returncode, shown.stderr) == (0, "")
        assert "grand" in shown.stdout
        assert added.stdout.strip() not in pbx.log.read_text()


def test_with_a_token_it_listens_for_other_machines_over_tls(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    ca = CertificateAuthority.create(tmp_path / "ca.pem")
    (tmp_path / "server.pem").write_bytes(ca.pem("127.0.0.1"))
    token = pmslink("token", "add", "desk", "--role", "control", folder=tmp_path).stdout.strip()
    running = ServerProcess(["pmslink", "--api", f"ssl:{port}:privateKey=server.pem"], port, tmp_path)
    vouched = ssl.create_default_context(cafile=str(ca.file))

    def ask(body: object = None) -> Any:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"https://127.0.0.1:{port}/api/v1/session", data, headers)
        try:
            return urlopen(request, timeout=5, context=vouched)
        except OSError:
            assert running.process.poll() is None, running.log.read_text()
            return None

    try:
        with wait_until(ask, "the service answers") as answer:
            assert json.load(answer)["name"] == "desk"
        with ask({"token": token}) as answer:
            assert "; Secure" in answer.headers["Set-Cookie"]
        running.terminate()
    finally:
        running.process.kill()
