"""The page of 10 000 links: bytes and time of the first rows, a search, scrolling and a change.

The service and the browser are processes of their own. The links are disabled, so the service is idle.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from statistics import median
from urllib.request import urlopen

from playwright.sync_api import Page, expect

from bench.bench_processes import (
    call,
    fetch_seconds,
    free_port,
    print_table,
    start_twistd,
    state_directory,
    write_config,
)
from tests.page.browser import start_chromium

LINK_COUNT = 10_000
ROUNDS = 5
FIRST_PMS_PORT = 10_000
FIRST_SCREEN = ("links?fields=brief&order=attention&limit=200", "status", "session")
WAIT_MS = 60_000

MARK_ROWS = """
() => {
  window.rowsAt = [];
  new MutationObserver(() => {
    const row = document.querySelector(".virtual .name, .links .name");
    if (row) window.rowsAt.push([performance.now(), row.textContent]);
  }).observe(document, {childList: true, subtree: true});
}
"""
SCROLL = """
async () => {
  const frames = [];
  for (let step = 0; step < 120; step++) {
    const begin = performance.now();
    scrollBy(0, 337);
    await new Promise((drawn) => requestAnimationFrame(drawn));
    frames.push(performance.now() - begin);
  }
  return Math.max(...frames);
}
"""


def first_screen_bytes(api: str) -> int:
    """Return the size of the data of the first screen, compressed."""
    return sum(len(gzip.compress(urlopen(f"{api}/{path}").read())) for path in FIRST_SCREEN)


def first_row_ms(page: Page) -> float:
    """Return the milliseconds from the end of the answer with the links to the first row."""
    answered: float = page.evaluate(
        """() => performance.getEntriesByType("resource")
                .find(({name}) => name.includes("/links?")).responseEnd"""
    )
    shown: float = page.evaluate("window.rowsAt[0][0]")
    return shown - answered


def filter_ms(page: Page, act: Callable[[], None], first_name: str) -> float:
    """Return the milliseconds from the end of the answer to a filter to its rows."""
    page.evaluate("performance.clearResourceTimings(); window.rowsAt = []")
    act()
    page.wait_for_function("(name) => window.rowsAt.at(-1)?.[1] === name", arg=first_name)
    times: float = page.evaluate(
        """(name) => window.rowsAt.find(([, shown]) => shown === name)[0] - performance
             .getEntriesByType("resource").find(({name}) => name.includes("/links?")).responseEnd""",
        first_name,
    )
    return times


def change_ms(page: Page, port: int, name: str) -> float:
    """Return the milliseconds from a call that changes a link to its changed row."""
    page.evaluate(
        """(name) => {
             const row = document.querySelector(`[data-name="${name}"]`);
             window.changedAt = null;
             new MutationObserver(() => (window.changedAt ??= Date.now())).observe(
               row.querySelector(".marker"), {characterData: true, childList: true, subtree: true});
             window.calledAt = Date.now();
           }""",
        name,
    )
    call(port, "POST", f"/api/v1/links/{name}/expire")
    page.wait_for_function("window.changedAt !== null")
    taken: float = page.evaluate("window.changedAt - window.calledAt")
    return taken


def measure(page: Page, port: int, names: list[str]) -> dict[str, float]:
    """Open the page once, and return its figures."""
    page.goto(f"http://127.0.0.1:{port}/", wait_until="commit")
    expect(page.locator(".virtual .name").first).to_be_visible(timeout=WAIT_MS)
    figures = {"first row": first_row_ms(page)}
    search = page.get_by_role("searchbox")
    figures["search"] = filter_ms(page, lambda: search.fill(names[-1]), names[-1])
    search.fill("")
    expect(page.locator(".virtual .name").first).to_have_text(names[0])
    figures["change"] = change_ms(page, port, names[5])
    call(port, "POST", f"/api/v1/links/{names[5]}/disable")
    figures["elements"] = page.locator("*").count()
    figures["longest frame"] = page.evaluate(SCROLL)
    return figures


def main() -> None:
    """Run all measurements and print the table."""
    names = [f"hotel-{number:05}" for number in range(LINK_COUNT)]
    port = free_port()
    with state_directory() as folder:
        ports = {name: FIRST_PMS_PORT + number for number, name in enumerate(names)}
        config = write_config(folder, port, ports)
        with start_twistd("pmslink", "--config", config, port=port), start_chromium() as browser:
            api = f"http://127.0.0.1:{port}/api/v1"
            page = browser.new_page(viewport={"width": 1280, "height": 800}, bypass_csp=True)
            page.add_init_script(f"({MARK_ROWS})()")
            rounds = [measure(page, port, names) for _ in range(ROUNDS)]
            answer_ms = [1000 * fetch_seconds(f"{api}/{FIRST_SCREEN[0]}") for _ in range(ROUNDS)]
            size = first_screen_bytes(api)

    def row(name: str, key: str, target: str) -> tuple[str, str, str]:
        return name, f"{median(figures[key] for figures in rounds):.0f} ms", target

    rows = [
        ("data of the first screen, compressed", f"{size / 1000:.1f} kB", "25 kB"),
        ("answer with the first 200 links", f"{median(answer_ms):.0f} ms", "–"),
        row("first row after the answer", "first row", "100 ms"),
        row("rows of a search after the answer", "search", "50 ms"),
        row("call that changes a link to its changed row", "change", "–"),
        ("elements in the document", f"{max(figures['elements'] for figures in rounds):.0f}", "2 500"),
        row("longest frame while scrolling", "longest frame", "50 ms"),
    ]
    print_table(f"page of {LINK_COUNT:,} links", ["", "target"], rows)


if __name__ == "__main__":
    main()
