"""A browser that shows the page of a service and notes when a marker changes; run as a process of its own.

Says "ready" once all links are shown. When a line comes it answers with all changes, in JSON: the name of
the link, the marker, and the milliseconds since 1970 at which it stood in the page.
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
      const name = marker.closest(".row").querySelector("h2").textContent;
      window.changes.push([name, marker.textContent, now]);
    }
  };
  const all = {characterData: true, childList: true, subtree: true};
  new MutationObserver(note).observe(document.querySelector(".links"), all);
}
"""


def observe_page(url: str, links: int) -> None:
    with start_chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(url)
        expect(page.locator(".row")).to_have_count(links, timeout=60_000)
        page.evaluate(OBSERVER_SCRIPT)
        print("ready", flush=True)
        sys.stdin.readline()
        print(json.dumps(page.evaluate("window.changes")), flush=True)


if __name__ == "__main__":
    observe_page(sys.argv[1], int(sys.argv[2]))
