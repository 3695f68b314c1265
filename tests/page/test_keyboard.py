"""Tests of the page with the keyboard only, in a browser."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, Route, expect

from tests.page.browser import BrowserUser
from tests.page.hotel_processes import HotelProcesses
from tests.page.link_rows import row
from tests.page.views import VIEWS, open_view

WITHIN_OR_NOWHERE = "dialog.contains(document.activeElement) || document.activeElement === document.body"
MAX_TAB_STOPS = 60


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until this element has the focus."""
    expect(target).to_be_visible()
    for _ in range(MAX_TAB_STOPS):
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
    expect(page.get_by_role("link", name="Add a link")).to_be_focused()
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


def test_sequences_and_digits_lead_to_views_and_tabs(user: BrowserUser) -> None:
    page = user.page
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("Links")
    page.keyboard.press("g")
    page.keyboard.press("n")
    expect(heading).to_have_text("Notices")
    page.keyboard.press("g")
    page.keyboard.press("l")
    expect(heading).to_have_text("Links")
    expect(row(page, "grand")).to_be_visible()
    page.keyboard.press("j")
    expect(row(page, "grand").locator(".name")).to_be_focused()
    page.keyboard.press("Enter")
    expect(heading).to_have_text("grand")
    page.keyboard.press("4")
    expect(page).to_have_url(re.compile("#/links/grand/history$"))
    page.keyboard.press("1")
    expect(page).to_have_url(re.compile("#/links/grand$"))
    page.keyboard.press("g")
    page.keyboard.press("l")
    expect(heading).to_have_text("Links")
    page.keyboard.press("n")
    expect(heading).to_have_text("New link")


def test_a_digit_opens_a_tab_of_a_link_that_is_still_loaded(user: BrowserUser) -> None:
    page = user.page
    held: list[Route] = []
    page.route("**/api/v1/links/grand", lambda route: held.append(route), times=1)
    with page.expect_request("**/api/v1/links/grand"):
        row(page, "grand").click()
    page.keyboard.press("4")
    expect(page).to_have_url(re.compile("#/links/grand/history$"))
    held[0].continue_()
    expect(page.get_by_role("link", name="History")).to_have_attribute("aria-current", "page")


def test_single_keys_can_be_switched_off(user: BrowserUser) -> None:
    page = user.page
    dialog = page.get_by_role("dialog")
    page.keyboard.press("?")
    expect(dialog.get_by_role("heading")).to_have_text("Keyboard shortcuts")
    dialog.get_by_role("switch").uncheck()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).not_to_be_focused()
    page.keyboard.press("?")
    expect(dialog).to_be_hidden()
    page.reload()
    page.locator("#person").click()
    page.get_by_role("menuitem", name="Keyboard shortcuts").click()
    dialog.get_by_role("switch").check()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()


def test_a_link_is_opened_and_switched_off_and_the_dialog_traps_the_focus(
    hotel: HotelProcesses, user: BrowserUser
) -> None:
    page = user.page
    tab_to(page, row(page, "grand").locator(".name"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("grand")
    expect(page.locator("#main")).to_be_focused()

    more = page.get_by_role("button", name="More")
    dialog = page.get_by_role("dialog")
    tab_to(page, more)
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(more).to_be_focused()
    page.keyboard.press("Enter")
    switch_off = page.get_by_role("menuitem", name="Switch off…")
    for _ in range(6):
        if switch_off.evaluate("(element) => element === document.activeElement"):
            break
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    for _ in range(4):
        page.keyboard.press("Tab")
        assert page.evaluate(WITHIN_OR_NOWHERE)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(more).to_be_focused()

    page.keyboard.press("Enter")
    switch_off.focus()
    page.keyboard.press("Enter")
    tab_to(page, dialog.get_by_role("button", name="Switch off"))
    page.keyboard.press("Enter")
    expect(page.locator(".verdict .marker")).to_have_text("DISABLED")
    assert hotel.link()["state"] == "DISABLED"
    tab_to(page, page.get_by_role("button", name="Enable"))


def test_the_language_is_chosen_with_the_keyboard_and_the_focus_stays(user: BrowserUser) -> None:
    page = user.page
    expect(page.get_by_role("heading", level=1)).to_have_text("Links")
    tab_to(page, page.locator("#language"))
    page.keyboard.press("Enter")
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("链路")
    expect(page.locator("#language")).to_be_focused()


def test_each_view_focuses_its_content_and_shows_where_the_focus_is(user: BrowserUser) -> None:
    expect(user.page.get_by_role("heading", level=1)).to_have_text("Links")
    for view in (*VIEWS[1:], VIEWS[0]):
        open_view(user, view)
        user.page.keyboard.press("Tab")
        expect(user.page.locator("#main")).not_to_be_focused()
        assert user.page.evaluate("document.activeElement !== document.body"), view.hash
