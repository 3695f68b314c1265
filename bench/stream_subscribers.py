"""Watchers of the stream, in this process of their own: they read as fast as they can, and come back.

python -m bench.stream_subscribers PORT NUMBER
"""

from __future__ import annotations

import asyncio
import re
import sys

_REQUEST_TEMPLATE = "GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s\r\n"


async def subscribe(port: int) -> None:
    """Where it is cut off, it goes on half a second later."""
    got = b""
    while True:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            (_REQUEST_TEMPLATE % (port, f"Last-Event-ID: {got.decode()}\r\n" if got else "")).encode()
        )
        while data := await _read_chunk(reader):
            numbers = re.findall(rb"\nid: ?(\d+)\n", data)
            got = numbers[-1] if numbers else got
        writer.close()
        await asyncio.sleep(0.5)


async def _read_chunk(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read(262_144)
    except ConnectionError:
        return b""


async def main(port: str, number: str) -> None:
    await asyncio.gather(*(subscribe(int(port)) for _ in range(int(number))))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
