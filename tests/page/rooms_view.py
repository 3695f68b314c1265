"""The rooms of the link `made`, as a person finds them in the page."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from tests.page.browser import Person

VIEW = "#/links/made/rooms"
ALL = 100
"""Rooms of a simulated hotel."""


def look_at_rooms(person: Person) -> Page:
    """Open the view, and wait until all are shown."""
    person.go(VIEW)
    expect(rows_of(person.page)).to_have_count(ALL)
    return person.page


def rows_of(page: Page) -> Locator:
    return page.locator(".room")


def row_of(page: Page, room: str) -> Locator:
    return page.locator(".room", has=page.locator("h2", has_text=re.compile(f"^{room}$")))


def count_of(page: Page, what: str) -> int:
    """One of the numbers at the top."""
    return int(page.locator(f"[data-count={what}] dd").text_content() or 0)
