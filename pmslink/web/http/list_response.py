"""Responses with long lists, which are serialized and sent in slices, as fast as the client reads.

Serialized in one go, the list of a large hotel would hold up all other requests and links, and would need its
size in memory for each client that reads slowly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IPushProducer, IReactorTime
from twisted.internet.task import deferLater
from twisted.web.server import Request
from zope.interface import implementer

from pmslink.web.http.json_responses import begin_response, make_response, serialize_json

SLICE_BYTES = 32 * 1024
"""Size of a slice, after which other work gets its turn: about 80 rooms, and 4 ms."""


async def make_list_response(
    request: Request, name: str, values: Iterable[object], clock: IReactorTime
) -> bytes:
    """Return the rest of a response that is an object with one list, after its slices have been sent.

    `values` are taken one by one while the list is sent.
    """
    slices = _slices(values)
    beginning = b'{"%s":[' % name.encode() + next(slices, b"")
    following = next(slices, None)
    if following is None:
        return make_response(request, beginning + b"]}\n")
    begin_response(request, 200, b"application/json")
    reader = _Reader()
    request.registerProducer(reader, True)
    try:
        request.write(beginning)
        while following is not None:
            await deferLater(clock, 0)
            await reader.when_ready()
            request.write(b"," + following)
            following = next(slices, None)
    finally:
        if not reader.has_left:
            request.unregisterProducer()
    return b"]}\n"


def _slices(values: Iterable[object]) -> Iterator[bytes]:
    """Serialize values, separated by commas, in parts of about SLICE_BYTES."""
    parts: list[bytes] = []
    size = 0
    for value in values:
        parts.append(serialize_json(value))
        size += len(parts[-1])
        if size >= SLICE_BYTES:
            yield b",".join(parts)
            parts, size = [], 0
    if parts:
        yield b",".join(parts)


@implementer(IPushProducer)
class _Reader:
    """The client: whether it reads, waits, or has left."""

    def __init__(self) -> None:
        self.has_left = False
        self._ready: Deferred[None] | None = None
        self._is_paused = False

    def when_ready(self) -> Deferred[None]:
        """Return a Deferred that fires once the client has read what was sent."""
        if not self._is_paused:
            return succeed(None)
        self._ready = Deferred()
        return self._ready

    def pauseProducing(self) -> None:
        """Wait: the connection's buffer is full."""
        self._is_paused = True

    def resumeProducing(self) -> None:
        """Go on: the connection's buffer is empty."""
        self._is_paused = False
        ready, self._ready = self._ready, None
        if ready is not None:
            ready.callback(None)

    def stopProducing(self) -> None:
        """Send nothing more: the connection has ended. The request is cancelled then."""
        self.has_left = True
