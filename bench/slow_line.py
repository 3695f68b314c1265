"""A line of little bandwidth and a long round trip: a proxy on the loopback interface."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

PACKET_BYTES = 1460
"""What connections that send at the same time take turns with."""


class Direction:
    """One direction of a line, which all connections share."""

    def __init__(self, bytes_per_second: float, delay_s: float) -> None:
        self.byte_count = 0
        self.request_count = 0
        self._bytes_per_second = bytes_per_second
        self._delay_s = delay_s
        self._free_at = 0.0

    async def carry(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        setup_s: float = 0,
        replace: tuple[bytes, bytes] = (b"", b""),
    ) -> None:
        """Send what arrives at the speed of the line, the first of it `setup_s` seconds later.

        The first text of `replace` becomes the second one at the end.
        """
        loop = asyncio.get_running_loop()
        while data := await _read(reader):
            await asyncio.sleep(setup_s)
            setup_s = 0
            self._free_at = max(self._free_at, loop.time()) + len(data) / self._bytes_per_second
            self.byte_count += len(data)
            self.request_count += data.count(b" HTTP/1.1\r\n")
            arrived = data.replace(*replace) if replace[0] else data
            loop.call_at(self._free_at + self._delay_s, writer.write, arrived)
            await asyncio.sleep(self._free_at - loop.time())
        loop.call_at(self._free_at + self._delay_s, writer.close)


async def _read(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read(PACKET_BYTES)
    except ConnectionError:
        return b""


class SlowLine:
    """A proxy to a port of the loopback interface, at `port`, with what went over it in each direction."""

    def __init__(self, target_port: int, bits_per_second: float, round_trip_s: float) -> None:
        self.port = 0
        self.up = Direction(bits_per_second / 8, round_trip_s / 2)
        self.down = Direction(bits_per_second / 8, round_trip_s / 2)
        self._target_port = target_port
        self._round_trip_s = round_trip_s

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection. Its first request is a round trip late, for the handshake of TCP.

        The service answers requests to its own address only.
        """
        hosts = f"127.0.0.1:{self.port}".encode(), f"127.0.0.1:{self._target_port}".encode()
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        with suppress(asyncio.CancelledError):  # the line has come to its end
            await asyncio.gather(
                self.up.carry(reader, server_writer, self._round_trip_s, hosts),
                self.down.carry(server_reader, writer),
            )


@contextmanager
def start_slow_line(target_port: int, bits_per_second: float, round_trip_s: float) -> Iterator[SlowLine]:
    """Run a slow line to this port in a thread, until the end of the context."""
    line = SlowLine(target_port, bits_per_second, round_trip_s)
    loop = asyncio.new_event_loop()
    is_ready, is_over = Event(), asyncio.Event()

    async def serve() -> None:
        server = await asyncio.start_server(line.accept, "127.0.0.1", 0)
        line.port = server.sockets[0].getsockname()[1]
        is_ready.set()
        await is_over.wait()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(serve())

    thread = Thread(target=run)
    thread.start()
    is_ready.wait()
    try:
        yield line
    finally:
        loop.call_soon_threadsafe(is_over.set)
        thread.join()
