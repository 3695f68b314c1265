"""A load generator of postings over HTTP, run as a separate process; it prints the rate or the latencies.

python -m bench.posting_load closed PORT CALLERS SECONDS    each caller posts again after each response
python -m bench.posting_load count PORT CALLERS COUNT       the same, until COUNT postings are answered
python -m bench.posting_load steady PORT RATE SECONDS       at fixed times, independent of responses
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
"""Connections in the mode `steady`; a posting uses the first idle one."""

_HEAD = (
    f"POST {POSTINGS_PATH} HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n"
    "Idempotency-Key: %s\r\nContent-Length: %d\r\n\r\n%s"
)
_BODY = '{"type":"call","room":"%d","amount":%d,"dialled":"+49 89 1234%05d","duration":75,"call_type":"N"}'


def generate_requests(port: int) -> Iterator[bytes]:
    """Generate requests of postings, each with a unique Idempotency-Key and content."""
    run = uuid4()
    for number in count():
        body = _BODY % (100 + number % 900, number, number % 100_000)
        yield (_HEAD % (port, f"{run}-{number}", len(body), body)).encode()


class Caller(asyncio.Protocol):
    """One connection, which has at most one request in flight."""

    def __init__(self, on_response: Callable[[Caller], None]) -> None:
        self._on_response = on_response
        self._received = b""
        self.planned_at = 0.0
        """The planned time of the request in flight."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport's write method as `send`."""
        assert isinstance(transport, asyncio.WriteTransport)
        self.send = transport.write

    def data_received(self, data: bytes) -> None:
        """Collect a response, and report it when it is complete. Raises SystemExit unless it is a 202."""
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
        self._on_response(self)


async def connect(port: int, caller_count: int, on_response: Callable[[Caller], None]) -> list[Caller]:
    """Open the connections of the callers."""
    loop = asyncio.get_running_loop()
    connections = [
        await loop.create_connection(lambda: Caller(on_response), "127.0.0.1", port)
        for _ in range(caller_count)
    ]
    return [caller for _, caller in connections]


async def run_closed_loop(
    port: int, caller_count: int, seconds: float, max_postings: float = float("inf")
) -> dict[str, float]:
    """Measure the rate of responses, if each caller posts again after each response.

    Returns `rate`, responses per second, and `answers`, their number.
    """
    loop = asyncio.get_running_loop()
    result = loop.create_future()
    requests = generate_requests(port)
    sent = answered = 0

    def on_response(caller: Caller) -> None:
        nonlocal sent, answered
        answered += 1
        if result.done():
            return
        if answered >= max_postings or loop.time() - started_at >= seconds:
            result.set_result(answered / (loop.time() - started_at))
        elif sent < max_postings:
            sent += 1
            caller.send(next(requests))

    callers = await connect(port, caller_count, on_response)
    started_at = loop.time()
    for caller in callers:
        sent += 1
        caller.send(next(requests))
    return {"rate": await result, "answers": answered}


async def run_open_loop(port: int, rate: float, seconds: float) -> dict[str, float]:
    """Measure the latencies of postings that are sent at fixed times.

    Returns milliseconds from the planned time of a posting to its response: `p50`, `p99` and `max`.
    """
    loop = asyncio.get_running_loop()
    requests = generate_requests(port)
    latencies: list[float] = []
    delayed: deque[float] = deque()  # planned times of postings for which no connection was idle

    def post(caller: Caller, planned_at: float) -> None:
        caller.planned_at = planned_at
        caller.send(next(requests))

    def on_response(caller: Caller) -> None:
        latencies.append(1000 * (loop.time() - caller.planned_at))
        if delayed:
            post(caller, delayed.popleft())
        else:
            idle.append(caller)

    idle = deque(await connect(port, CONNECTION_COUNT, on_response))
    schedule = [loop.time() + 0.1 + number / rate for number in range(int(rate * seconds))]
    for planned_at in schedule:
        await asyncio.sleep(planned_at - loop.time())
        if idle:
            post(idle.popleft(), planned_at)
        else:
            delayed.append(planned_at)
    while len(latencies) < len(schedule):
        await asyncio.sleep(0.01)
    latencies.sort()
    count = len(latencies)
    return {"p50": latencies[count // 2], "p99": latencies[count * 99 // 100], "max": latencies[-1]}


def main(mode: str, port: str, first: str, second: str) -> None:
    """Run one mode with its two arguments, and print its results as JSON."""
    gc.disable()
    if mode == "steady":
        results = asyncio.run(run_open_loop(int(port), float(first), float(second)))
    elif mode == "count":
        results = asyncio.run(run_closed_loop(int(port), int(first), float("inf"), max_postings=int(second)))
    else:
        results = asyncio.run(run_closed_loop(int(port), int(first), float(second)))
    print(json.dumps(results))


if __name__ == "__main__":
    main(*sys.argv[1:])
