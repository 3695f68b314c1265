"""Tests of a service whose HTTP port is flooded with connections."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from pathlib import Path

from tests.process.server_processes import ServerProcess, free_ports, wait_until

DRIPPING_CLIENTS = 1100
"""More than the limit of 1000 connections."""


def test_e3_clients_that_drip_lock_nobody_out(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    server = ServerProcess(["pmslink", "--api", f"tcp:{port}:interface=127.0.0.1"], port, tmp_path)
    with ExitStack() as open_connections:
        try:
            wait_until(lambda: server.call("GET", "/healthz"), "the service answers")
            clients = [
                open_connections.enter_context(socket.create_connection(("127.0.0.1", port)))
                for _ in range(DRIPPING_CLIENTS)
            ]
            for client in clients:
                try:
                    client.send(b"G")
                except ConnectionError:  # its place was given to a newer one
                    continue
            for path in ("/healthz", "/api/v1/links", "/openapi.json"):
                assert server.call("GET", path) is not None
            still_open = sum(is_open(client) for client in clients)
            assert DRIPPING_CLIENTS // 2 < still_open < 1000
            server.terminate()
        finally:
            if server.process.poll() is None:
                server.kill()


def is_open(client: socket.socket) -> bool:
    """Return whether the service has not closed a connection."""
    try:
        return client.recv(1, socket.MSG_DONTWAIT) != b""
    except BlockingIOError:
        return True
    except ConnectionError:
        return False
