"""The first view of the page, the list of links, over a line of 48 kbit/s with a round trip of 800 ms.

The browser and the service are processes of their own; the line is a proxy in this process. The links are
disabled, so the service is idle. The second visit is of the same browser, which has stored the page's files.
"""

from __future__ import annotations

import os

from attrs import frozen
from playwright.sync_api import BrowserContext, expect

from bench.bench_processes import free_port, print_table, start_twistd, state_directory, write_config
from bench.slow_line import SlowLine, start_slow_line
from tests.page.browser import start_chromium, wait_for_stream

BITS_PER_SECOND = 48_000
ROUND_TRIP_S = 0.8
LINK_COUNT = 20
FIRST_PMS_PORT = 10_000
ROUNDS = 3
WAIT_MS = 60_000

MARK_FIRST_ROW = """
new MutationObserver((_, observer) => {
  if (!document.querySelector(".links .name")) return;
  window.firstRowAt = performance.now();
  observer.disconnect();
}).observe(document, {childList: true, subtree: true});
"""


@frozen
class Visit:
    """What a visit took: seconds since its beginning, requests, and bytes with their headers."""

    words_s: float
    row_s: float
    row_requests: int
    row_bytes: int
    stream_s: float
    stream_requests: int
    stream_bytes: int

    def cells(self) -> list[str]:
        """Return the cells of a row of the table."""
        return [
            f"{self.words_s:.1f} s",
            f"{self.row_s:.1f} s",
            f"{self.row_requests}",
            f"{self.row_bytes / 1000:.1f} kB",
            f"{self.stream_s:.1f} s",
            f"{self.stream_requests}",
            f"{self.stream_bytes / 1000:.1f} kB",
        ]


def measure_visit(context: BrowserContext, line: SlowLine) -> Visit:
    """Open the page over the line, and wait for its first row and for its stream."""
    requests, received = line.up.request_count, line.down.byte_count
    page = context.new_page()
    page.add_init_script(MARK_FIRST_ROW)
    page.goto(f"http://127.0.0.1:{line.port}/", wait_until="commit")
    expect(page.locator(".links .name").first).to_be_attached()
    row_requests, row_bytes = line.up.request_count - requests, line.down.byte_count - received
    wait_for_stream(page)
    stream_ms = page.evaluate("performance.now()")
    words_ms = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    row_ms = page.evaluate("window.firstRowAt")
    visit = Visit(
        words_ms / 1000,
        row_ms / 1000,
        row_requests,
        row_bytes,
        stream_ms / 1000,
        line.up.request_count - requests,
        line.down.byte_count - received,
    )
    page.close()
    return visit


def main() -> None:
    expect.set_options(timeout=WAIT_MS)
    rows = []
    ports = {f"hotel-{number}": FIRST_PMS_PORT + number for number in range(LINK_COUNT)}
    with state_directory() as folder, start_chromium() as browser:
        port = free_port()
        config = write_config(folder, port, ports)
        with (
            start_twistd("pmslink", "--config", config, port=port),
            start_slow_line(port, BITS_PER_SECOND, ROUND_TRIP_S) as line,
        ):
            for _ in range(ROUNDS):
                context = browser.new_context()
                context.set_default_timeout(WAIT_MS)
                for visit in ("first", "second"):
                    measured = measure_visit(context, line)
                    rows.append([visit, *measured.cells(), f"{os.getloadavg()[0]:.1f}"])
                context.close()
    columns = ("words", "row", "requests", "bytes", "stream", "requests", "bytes", "load")
    print_table("visit", columns, rows)


if __name__ == "__main__":
    main()
