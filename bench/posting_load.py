"""Callers who post over HTTP, in this process of their own: a rate when it ends, or how long answers took.

python -m bench.posting_load closed PORT CALLERS SECONDS    each posts again once it is answered
python -m bench.posting_load count PORT CALLERS COUNT       the same, so many postings in all
python -m bench.posting_load steady PORT RATE SECONDS       at fixed times, answered or not
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from collections import deque
from collections.abc import Callable, Iterator
from itertools import count
from uuid import uuid4

from bench.bench_processes import POSTINGS_PATH

CONNECTION_COUNT = 200
"""Those at fixed times go over the first of so many that waits for nothing."""

_HEAD = (
    f"POST {POSTINGS_PATH} HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n"
    "Idempotency-Key: %s\r\nContent-Length: %d\r\n\r\n%s"
)
_BODY = '{"type":"call","room":"%d","amount":%d,"dialled":"+49 89 1234%05d","duration":75,"call_type":"N"}'


def generate_requests(port: int) -> Iterator[bytes]:
    """Postings, each with a key and content of its own."""
    for number in count():
        body = _BODY % (100 + number % 900, number, number % 100_000)
        yield (_HEAD % (port, uuid4(), len(body), body)).encode()


class Caller(asyncio.Protocol):
    """One connection, which waits for one answer at a time."""

    def __init__(self, on_answer: Callable[[Caller], None]) -> None:
        self._on_answer = on_answer
        self._received = b""
        self.planned_at = 0.0
        """When the request that waits was to be sent."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self.send = transport.write

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end:
            return
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        if len(body) < int(length):
            return
        if not head.startswith(b"HTTP/1.1 202 "):
            raise SystemExit(self._received.decode())
        self._received = b""
        self._on_answer(self)


async def connect(port: int, callers: int, on_answer: Callable[[Caller], None]) -> list[Caller]:
    """Connections that are open."""
    loop = asyncio.get_running_loop()
    made = [
        await loop.create_connection(lambda: Caller(on_answer), "127.0.0.1", port) for _ in range(callers)
    ]
    return [caller for _, caller in made]


async def run_closed_loop(
    port: int, callers: int, seconds: float, max_postings: float = float("inf")
) -> dict[str, float]:
    """Postings that are answered in a second, when so many callers wait at any time."""
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    content = generate_requests(port)
    begun = answers = 0

    def answered(caller: Caller) -> None:
        nonlocal begun, answers
        answers += 1
        if done.done():
            return
        if answers >= max_postings or loop.time() - started >= seconds:
            done.set_result(answers / (loop.time() - started))
        elif begun < max_postings:
            begun += 1
            caller.send(next(content))

    waiting = await connect(port, callers, answered)
    started = loop.time()
    for caller in waiting:
        begun += 1
        caller.send(next(content))
    return {"rate": await done, "answers": answers}


async def run_open_loop(port: int, rate: float, seconds: float) -> dict[str, float]:
    """How many milliseconds answers took, from the moment at which each was to be asked for."""
    loop = asyncio.get_running_loop()
    content = generate_requests(port)
    took: list[float] = []
    late: deque[float] = deque()  # planned, while no connection was free

    def post(caller: Caller, planned: float) -> None:
        caller.planned_at = planned
        caller.send(next(content))

    def answered(caller: Caller) -> None:
        took.append(1000 * (loop.time() - caller.planned_at))
        if late:
            post(caller, late.popleft())
        else:
            free.append(caller)

    free = deque(await connect(port, CONNECTION_COUNT, answered))
    planned = [loop.time() + 0.1 + number / rate for number in range(int(rate * seconds))]
    for moment in planned:
        await asyncio.sleep(moment - loop.time())
        if free:
            post(free.popleft(), moment)
        else:
            late.append(moment)
    while len(took) < len(planned):
        await asyncio.sleep(0.01)
    took.sort()
    return {"p50": took[len(took) // 2], "p99": took[len(took) * 99 // 100], "max": took[-1]}


def main(mode: str, port: str, first: str, second: str) -> None:
    gc.disable()
    if mode == "steady":
        measured = asyncio.run(run_open_loop(int(port), float(first), float(second)))
    elif mode == "count":
        measured = asyncio.run(run_closed_loop(int(port), int(first), float("inf"), max_postings=int(second)))
    else:
        measured = asyncio.run(run_closed_loop(int(port), int(first), float(second)))
    print(json.dumps(measured))


if __name__ == "__main__":
    main(*sys.argv[1:])
