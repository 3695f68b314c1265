"""Long responses: made in parts, in several turns of the reactor, and sent as fast as the client reads.

Made in one go, the list of a large hotel would hold up all other requests and links, and it would need its
size in memory for each client that reads slowly.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IPushProducer, IReactorTime
from twisted.internet.task import deferLater
from twisted.web.server import Request
from zope.interface import implementer

from pmslink.web.http.compression import begin_body
from pmslink.web.http.json_responses import begin_response, end_body, serialize_json

PART_BYTES = 32 * 1024
"""Size of a part of a list, after which other work gets its turn: about 80 rooms, and 4 ms."""
MAX_BUFFERED_BYTES = 64 * 1024
"""Size of a body from which on it is sent while it is made."""


async def make_response_in_parts(
    request: Request, parts: AsyncIterable[bytes], content_type: bytes = b"application/json"
) -> bytes:
    """Return the rest of the body of a response, after the beginning of a long one has been sent.

    Each part is compressed when it is made, so that `parts` decides how much is done in one turn of the
    reactor. If it fails, the connection is closed, so that the client does not take the body for complete.
    """
    begin_response(request, 200, content_type)
    body = begin_body(request)
    reader: _Reader | None = None
    try:
        async for part in parts:
            body.add(part)
            if body.size >= MAX_BUFFERED_BYTES:
                if reader is None:
                    reader = _Reader()
                    request.registerProducer(reader, True)
                await reader.when_ready()
                request.write(body.take())
    except Exception:
        if reader is not None and not reader.has_left:
            request.channel.forceAbortClient()
        raise
    finally:
        if reader is not None and not reader.has_left:
            request.unregisterProducer()
    return end_body(request, body) if reader is None else body.end()


async def make_list_response(
    request: Request,
    name: str,
    values: Iterable[object],
    clock: IReactorTime,
    more: Mapping[str, object] | None = None,
) -> bytes:
    """Return the rest of the body of a response: an object with one list, and with `more` values.

    `values` are taken one by one while the response is sent.
    """
    return await make_response_in_parts(request, _list_parts(name, values, clock, more or {}))


async def _list_parts(
    name: str, values: Iterable[object], clock: IReactorTime, more: Mapping[str, object]
) -> AsyncIterator[bytes]:
    yield b'{"%s":[' % name.encode()
    for number, part in enumerate(_serialize_in_parts(values)):
        if number:
            await deferLater(clock, 0)
        yield b"," + part if number else part
    yield b"]" + b"".join(b',"%s":%s' % (key.encode(), serialize_json(more[key])) for key in more) + b"}\n"


def _serialize_in_parts(values: Iterable[object]) -> Iterator[bytes]:
    """Serialize values, separated by commas, in parts of about PART_BYTES."""
    collected: list[bytes] = []
    size = 0
    for value in values:
        collected.append(serialize_json(value))
        size += len(collected[-1])
        if size >= PART_BYTES:
            yield b",".join(collected)
            collected, size = [], 0
    if collected:
        yield b",".join(collected)


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
