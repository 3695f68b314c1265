"""The control API of two properties, served over a loopback socket."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import wraps
from inspect import signature
from typing import Any

import treq
from attrs import frozen
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.endpoints import serverFromString
from twisted.web.client import Agent

from pmslink.simulator.control.control_api import make_control_site
from pmslink.simulator.pms.property import Pms
from tests.simulator.simulated_pbx import SimulatedPbx, make_property
from tests.simulator.sockets import reactor, sockets_closed_after


@frozen
class ServedControl:
    """Two properties, the first docked, and their control API."""

    first: Pms
    second: Pms
    pbx: SimulatedPbx
    url: str

    async def call(
        self, method: str, path: str, value: Any = None, data: bytes | None = None
    ) -> tuple[int, Any]:
        """Return the status and the JSON of a response."""
        body = data if data is not None else None if value is None else json.dumps(value).encode()
        response = await treq.request(method, self.url + path, data=body, agent=Agent(reactor))
        return response.code, await response.json()

    async def error(
        self, method: str, path: str, value: Any = None, data: bytes | None = None
    ) -> tuple[Any, ...]:
        """Return the status, code and field of an error response."""
        status, answer = await self.call(method, path, value, data)
        assert answer["error"]["message"]
        return status, answer["error"]["code"], answer["error"].get("field")


@asynccontextmanager
async def serve_control() -> AsyncIterator[ServedControl]:
    (_, first), (_, second) = make_property(), make_property()
    first.port = 5010
    second.port = 5011
    pbx = SimulatedPbx(first).dock()
    async with sockets_closed_after():
        site = make_control_site([first, second], local_only=True)
        port = await serverFromString(reactor, "tcp:0:interface=127.0.0.1").listen(site)
        address: Any = port.getHost()
        yield ServedControl(first, second, pbx, f"http://127.0.0.1:{address.port}")
        await port.stopListening()


def with_control(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., Deferred[None]]:
    """Run a test with a ServedControl as its first argument."""

    async def run(**parameters: Any) -> None:
        async with serve_control() as control:
            await test(control, **parameters)

    @wraps(test)
    def start(**parameters: Any) -> Deferred[None]:
        return ensureDeferred(run(**parameters))

    test_signature = signature(test)
    visible_signature = test_signature.replace(parameters=list(test_signature.parameters.values())[1:])
    start.__signature__ = visible_signature  # type: ignore[attr-defined]
    return start
