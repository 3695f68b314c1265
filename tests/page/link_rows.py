"""The rows of the list of links, as tests find them."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page, expect

OBSERVE = """
() => {
  window.touched = new Set();
  new MutationObserver((all) => {
    for (const { target } of all) {
      const element = target.closest ? target : target.parentElement;
      if (!element || element.closest("time")) continue; // how long a link is as it is changes each second
      window.touched.add(element.closest(".links .r")?.dataset.name ?? "the list");
    }
  }).observe(document.querySelector(".links"), {
    attributes: true, characterData: true, childList: true, subtree: true,
  });
}
"""


def row(page: Page, name: str) -> Locator:
    """Return the row of a link."""
    return page.locator(f".links .r[data-name='{name}']")


def expect_names(page: Page, *names: str) -> None:
    """Wait until exactly these links are listed, in this order."""
    expect(page.locator(".links .name")).to_have_text(list(names))


def expect_counts(page: Page, **counts: int) -> None:
    """Wait until the counters of these groups show these numbers."""
    for group, count in counts.items():
        expect(page.locator(f".counter[data-group='{group}'] b")).to_have_text(f"{count:,}")


def observe_rows(page: Page) -> None:
    """Begin to note which rows are touched."""
    page.evaluate(OBSERVE)


def touched_rows(page: Page) -> list[Any]:
    """Return the names of the links whose rows were touched, and `the list` for anything beside them."""
    return sorted(page.evaluate("[...window.touched]"))
