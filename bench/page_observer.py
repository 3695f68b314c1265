"""A browser that opens pmslink's page and records the changes of markers; run as a separate process.

python -m bench.page_observer URL LINKS

It prints "ready" when the page has all links. For a line on standard input it prints all changes as JSON: the
name of the link, the marker, and the milliseconds since 1970 at which the marker was in the page.
"""

from __future__ import annotations

import json
import sys

from playwright.sync_api import expect

from tests.page.browser import start_chromium

OBSERVER_SCRIPT = """
() => {
  window.changes = [];
  const note = (mutations) => {
    const now = Date.now();
    for (const {target} of mutations) {
      const marker = (target.nodeType === Node.TEXT_NODE ? target.parentElement : target).closest(".marker");
      if (!marker) continue;
      const {name} = marker.closest(".r").dataset;
      window.changes.push([name, marker.textContent, now]);
    }
  };
  const all = {characterData: true, childList: true, subtree: true};
  new MutationObserver(note).observe(document.querySelector(".links"), all);
}
"""


def observe_page(url: str, link_count: int) -> None:
    """Open the page, and print the changes when a line is read."""
    with start_chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(url)
        expect(page.locator(".links .name")).to_have_count(link_count, timeout=60_000)
        page.evaluate(OBSERVER_SCRIPT)
        print("ready", flush=True)
        sys.stdin.readline()
        print(json.dumps(page.evaluate("window.changes")), flush=True)


if __name__ == "__main__":
    observe_page(sys.argv[1], int(sys.argv[2]))
