"""The views of the page, for tests that look at all of them."""

from __future__ import annotations

import re
from typing import Any

from attrs import frozen
from playwright.sync_api import Page, expect

from tests.page.browser import BrowserUser


@frozen
class PageView:
    """A view of the page: its address, its title, and an element that is there once it is complete."""

    hash: str
    title: str
    complete: str = "h1"

    @property
    def name(self) -> str:
        return self.hash.removeprefix("#/").replace("/", "-") or "links"


VIEWS = (
    PageView("#/", "Links", ".links [role=row] .name"),
    PageView("#/links/grand", "grand: connected", ".path"),
    PageView("#/links/grand/rooms", "grand · Rooms", ".tile"),
    PageView("#/links/grand/rooms/101", "Room 101 · grand", ".side:not([hidden]), dialog[open]"),
    PageView("#/links/grand/outbox", "grand · Outbox", ".card:has(> table.out)"),
    PageView("#/links/grand/history", "grand · History", ".events li"),
    PageView("#/links/grand/records", "grand · Records", ".recs li"),
    PageView("#/links/grand/phones", "grand · Phones", ".tabs [href$=phones][aria-current]"),
    PageView("#/links/grand/settings", "grand · Settings", ".field"),
    PageView("#/new", "New link", ".field"),
    PageView("#/notices", "Notices"),
    PageView("#/about", "About this service", ".facts"),
)
"""All views over a hotel with the link `grand`, which is in sync."""


def open_view(user: BrowserUser, view: PageView) -> None:
    """Open a view, and wait until it is complete."""
    user.navigate(view.hash)
    if view.title and user.page.evaluate("navigator.language").startswith("en"):
        expect(user.page).to_have_title(re.compile(rf"^(\(\d+\) )?{re.escape(view.title)} – pmslink$"))
    expect(user.page.get_by_role("heading", level=1)).to_be_visible()
    expect(user.page.locator(view.complete).first).to_be_visible()


def overflowing_elements(page: Page) -> Any:
    """Return descriptions of the elements that are wider than the window; [] if none is."""
    return page.evaluate(_FIND_OVERFLOW)


_FIND_OVERFLOW = """
() => {
  if (document.documentElement.scrollWidth <= innerWidth) return [];
  const scrolls = (element) =>
    element && (["auto", "scroll", "clip", "hidden"].includes(getComputedStyle(element).overflowX) ||
    scrolls(element.parentElement));
  return [...document.body.querySelectorAll("*")]
    .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
    .filter((element) => !scrolls(element.parentElement))
    .map(({ tagName, className, textContent }) => `${tagName}.${className} ${textContent.slice(0, 40)}`);
}
"""
