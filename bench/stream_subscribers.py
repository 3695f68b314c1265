"""Subscribers of the stream, run as a separate process; they read as fast as they can, and reconnect.

python -m bench.stream_subscribers PORT COUNT
"""

from __future__ import annotations

import asyncio
import re
import sys

_REQUEST_TEMPLATE = "GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s\r\n"


RECONNECT_DELAY_S = 0.5
READ_BYTES = 262_144


async def subscribe(port: int) -> None:
    """Read the stream endlessly; reconnect after RECONNECT_DELAY_S, with the last event id."""
    last_id = b""
    while True:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        header = f"Last-Event-ID: {last_id.decode()}\r\n" if last_id else ""
        writer.write((_REQUEST_TEMPLATE % (port, header)).encode())
        while data := await _read_chunk(reader):
            ids = re.findall(rb"\nid: ?(\d+)\n", data)
            last_id = ids[-1] if ids else last_id
        writer.close()
        await asyncio.sleep(RECONNECT_DELAY_S)


async def _read_chunk(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read(READ_BYTES)
    except ConnectionError:
        return b""


async def main(port: str, count: str) -> None:
    """Run all subscribers, until the process is killed."""
    await asyncio.gather(*(subscribe(int(port)) for _ in range(int(count))))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
