"""A service that listens on a server port while it runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IProtocolFactory, IStreamServerEndpoint
from twisted.python.failure import Failure

from pmslink.typed_service import TypedService


class ListenerService(TypedService):
    """Listens on an endpoint that opens its port synchronously, as TCP, TLS and UNIX endpoints do."""

    def __init__(
        self,
        program: str,
        endpoint: IStreamServerEndpoint,
        factory: IProtocolFactory,
        on_listening: Callable[[Any], None] = lambda address: None,
    ) -> None:
        self._program = program
        self._endpoint = endpoint
        self._factory = factory
        self._on_listening = on_listening
        self._port: IListeningPort | None = None

    def privilegedStartService(self) -> None:
        """Open the port. Exit with one line on stderr if it cannot be opened."""
        super().privilegedStartService()
        failures: list[Failure] = []
        self._endpoint.listen(self._factory).addCallbacks(self._port_opened, failures.append)
        if failures:
            sys.stderr = sys.__stderr__  # twistd may have redirected it to the log
            raise SystemExit(f"{self._program}: cannot listen on {_describe_listen_failure(failures[0])}")

    def startService(self) -> None:
        """Open the port unless privilegedStartService opened it."""
        super().startService()
        if self._port is None:
            self.privilegedStartService()

    def stopService(self) -> Deferred[None]:
        """Close the port. Fire when it is closed."""
        super().stopService()
        port, self._port = self._port, None
        closed: Deferred[None] | None = port.stopListening() if port else None
        return closed or succeed(None)

    def _port_opened(self, port: IListeningPort) -> None:
        self._port = port
        self._on_listening(port.getHost())


def _describe_listen_failure(failure: Failure) -> str:
    """Return the address and the error of the operating system. Raise any other error."""
    problem = failure.value
    if isinstance(problem, CannotListenError):
        if isinstance(problem.port, bytes):  # the path of a UNIX socket
            return f"{os.fsdecode(problem.port)}: {problem.socketError}"
        return f"{problem.interface or '*'}:{problem.port}: {problem.socketError}"
    if isinstance(problem, OSError):
        return f"{os.fsdecode(problem.filename2 or problem.filename)}: {problem.strerror}"
    failure.raiseException()
    raise AssertionError
