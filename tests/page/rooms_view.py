"""Locators of the rooms of the link `made`."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from tests.page.browser import BrowserUser

VIEW_HASH = "#/links/made/rooms"
ROOM_COUNT = 100
"""Number of rooms of a simulated hotel."""


def open_rooms(user: BrowserUser) -> Page:
    """Open the floors of the link, and wait until they show all rooms."""
    user.navigate(VIEW_HASH)
    expect(room_tiles(user.page)).to_have_count(ROOM_COUNT)
    return user.page


def open_room_list(user: BrowserUser) -> Page:
    """Open the list of the link's rooms, and wait until it shows all rooms."""
    user.navigate(f"{VIEW_HASH}?view=list")
    expect(room_rows(user.page)).to_have_count(ROOM_COUNT)
    return user.page


def room_tiles(page: Page) -> Locator:
    return page.locator(".tile")


def room_tile(page: Page, room: str) -> Locator:
    return page.locator(f".tile[data-room='{room}']")


def room_rows(page: Page) -> Locator:
    return page.locator(".rooms .room-list .r[data-room]")


def room_row(page: Page, room: str) -> Locator:
    return page.locator(f".rooms .room-list .r[data-room='{room}']")


def room_names(page: Page) -> list[str]:
    """Return the rooms that the list shows, in its order."""
    names: list[str] = room_rows(page).evaluate_all("(rows) => rows.map((row) => row.dataset.room)")
    return names


def room_panel(page: Page) -> Locator:
    """Return the panel of a room: the region at the right, or the sheet."""
    return page.locator("aside.side:visible, dialog.sheet[open]")


def chip(page: Page, name: str) -> Locator:
    """Return a chip over the rooms or the outbox, with or without its count."""
    return page.locator(".chip", has_text=re.compile(rf"^{name}\d*$"))


def show_names(page: Page) -> None:
    page.get_by_role("switch", name="Guest names").check()


def hide_names(page: Page) -> None:
    page.get_by_role("switch", name="Guest names").uncheck()
