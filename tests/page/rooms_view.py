"""Locators of the rooms view of the link `made`."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from tests.page.browser import BrowserUser

VIEW_HASH = "#/links/made/rooms"
ROOM_COUNT = 100
"""Number of rooms of a simulated hotel."""


def open_rooms(user: BrowserUser) -> Page:
    """Open the rooms view, and wait until it shows all rooms."""
    user.navigate(VIEW_HASH)
    expect(room_rows(user.page)).to_have_count(ROOM_COUNT)
    return user.page


def room_rows(page: Page) -> Locator:
    return page.locator(".room")


def room_row(page: Page, room: str) -> Locator:
    return page.locator(".room", has=page.locator("h2", has_text=re.compile(f"^{room}$")))


def summary_count(page: Page, name: str) -> int:
    """Return a count from the summary at the top."""
    return int(page.locator(f"[data-count={name}] dd").text_content() or 0)
