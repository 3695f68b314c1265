"""Tests of the page with the keyboard only, in a browser."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from tests.page.browser import BrowserUser
from tests.page.hotel_processes import HotelProcesses

WITHIN_OR_NOWHERE = "dialog.contains(document.activeElement) || document.activeElement === document.body"


def _tab_to(page: Page, target: Locator) -> None:
    """Press Tab until this element has the focus."""
    expect(target).to_be_visible()
    for _ in range(30):
        page.keyboard.press("Tab")
        if target.evaluate("(element) => element === document.activeElement"):
            return
    raise AssertionError(f"Tab does not lead to {target}")


def test_the_first_tab_stop_skips_the_header(user: BrowserUser) -> None:
    page = user.page
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).not_to_be_in_viewport()
    page.keyboard.press("Tab")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("searchbox")).to_be_focused()
    assert page.url.endswith("/")


def test_a_slash_focuses_the_search_and_can_be_typed_into_it(user: BrowserUser) -> None:
    page = user.page
    search = page.get_by_role("searchbox")
    expect(search).not_to_be_focused()
    page.keyboard.press("/")
    expect(search).to_be_focused()
    expect(search).to_have_value("")
    page.keyboard.press("/")
    expect(search).to_have_value("/")


def test_a_link_is_opened_and_disabled_and_the_dialog_traps_the_focus(
    hotel: HotelProcesses, user: BrowserUser
) -> None:
    page = user.page
    _tab_to(page, page.locator(".row").get_by_role("link", name="grand"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("grand")
    expect(page.locator("#main")).to_be_focused()

    disable = page.locator(".controls").get_by_role("button", name="Disable")
    dialog = page.get_by_role("dialog")
    _tab_to(page, disable)
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(disable).to_be_focused()

    page.keyboard.press("Enter")
    expect(dialog).to_be_visible()
    for _ in range(5):
        page.keyboard.press("Tab")
        assert page.evaluate(WITHIN_OR_NOWHERE)
    _tab_to(page, dialog.get_by_role("button", name="Disable"))
    page.keyboard.press("Enter")
    expect(page.locator(".head .marker")).to_have_text("DISABLED")
    assert hotel.link()["state"] == "DISABLED"
    _tab_to(page, page.locator(".controls").get_by_role("button", name="Enable"))


def test_the_language_selection_keeps_the_focus(user: BrowserUser) -> None:
    page = user.page
    expect(page.get_by_role("heading", level=1)).to_have_text("Links")
    _tab_to(page, page.get_by_label("Language"))
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("heading", level=1)).to_have_text("链路")
    expect(page.get_by_label("语言")).to_be_focused()


def test_a_row_that_moves_keeps_the_focus(hotel: HotelProcesses, user: BrowserUser) -> None:
    hotel.make_link("idle")
    hotel.make_link("made")
    names = user.page.locator(".row h2")
    link = user.page.locator(".row").get_by_role("link", name="made")
    expect(names).to_have_text(["idle", "made", "grand"])
    link.focus()
    hotel.control("made", "enable")
    expect(names).to_have_text(["made", "idle", "grand"])
    expect(link).to_be_focused()
    hotel.control("made", "disable")
    expect(names).to_have_text(["idle", "made", "grand"])
    expect(link).to_be_focused()


def test_each_view_focuses_its_content(user: BrowserUser) -> None:
    expect(user.page.get_by_role("heading", level=1)).to_have_text("Links")
    for hash in ("#/links/grand", "#/links/grand/rooms", "#/links/grand/settings", "#/new", "#/"):
        user.navigate(hash)
        expect(user.page.locator("#main")).to_be_focused()
        expect(user.page.get_by_role("heading", level=1)).to_be_visible()
        user.page.keyboard.press("Tab")
        expect(user.page.locator("#main")).not_to_be_focused()
