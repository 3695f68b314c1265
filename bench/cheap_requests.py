"""A client that asks for one path again and again, run as a separate process.

python -m bench.cheap_requests URL

It stops at the end of its standard input, and prints the seconds of each request as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from threading import Event, Thread
from urllib.request import urlopen

PAUSE_S = 0.05
TIMEOUT_S = 60


def main(url: str) -> None:
    """Request the URL until the standard input ends, and print the durations."""
    ended = Event()
    seconds: list[float] = []

    def wait_for_end() -> None:
        sys.stdin.read()
        ended.set()

    Thread(target=wait_for_end, daemon=True).start()
    while not ended.wait(PAUSE_S):
        started_at = time.monotonic()
        with urlopen(url, timeout=TIMEOUT_S) as response:
            response.read()
        seconds.append(time.monotonic() - started_at)
    print(json.dumps(seconds))


if __name__ == "__main__":
    main(sys.argv[1])
