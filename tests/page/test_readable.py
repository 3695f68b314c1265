"""Tests of accessibility in a browser: screen readers, contrast, small screens."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.page.browser import BrowserUser, open_page
from tests.page.hotel_processes import HotelProcesses

ROOMS = "#/links/grand/rooms"
VIEWS = ("#/", "#/links/grand", ROOMS, "#/links/lost", "#/links/ended/settings", "#/new")
ROLES = "button|link|textbox|searchbox|combobox|spinbutton|checkbox|dialog|img|region|list"
NAMELESS = re.compile(rf"^\s*- '?(?:{ROLES})(?: \[[^\]]*\])*'?:?$", re.MULTILINE)
STATUS_CLASSES = ("good", "wait", "bad", "ended", "off")
MIN_CONTRAST_RATIO = 4.5

CONTRASTS = """
() => {
  const parts = (color) => color.match(/[\\d.]+/g).map(Number);
  const linear = (value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
  const ground = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const color = parts(getComputedStyle(one).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
  };
  const contrast = (color, element) => {
    const [low, high] = [light(parts(color)), light(ground(element))].sort((one, other) => one - other);
    return (high + 0.05) / (low + 0.05);
  };
  const told = [];
  const all = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (all.nextNode()) {
    const element = all.currentNode.parentElement;
    const shown = all.currentNode.data.trim() && element.checkVisibility() && !element.closest(":disabled");
    if (shown) told.push([all.currentNode.data, contrast(getComputedStyle(element).color, element)]);
  }
  for (const input of document.querySelectorAll("input[placeholder]:not(:disabled)")) {
    told.push([input.placeholder, contrast(getComputedStyle(input, "::placeholder").color, input)]);
  }
  return told;
}
"""


@pytest.fixture
def links_of_each_status(hotel: HotelProcesses) -> HotelProcesses:
    """Return a hotel with a link for each status class: good, wait, bad, ended and off."""
    hotel.set_faults(hotel.ports[1], frozen=True)
    hotel.make_link("waiting", hotel.ports[1], enabled=True)
    hotel.make_link("lost", enabled=True)
    hotel.make_link("off")
    hotel.make_link("ended")
    hotel.control("ended", "expire")
    return hotel


def _show(user: BrowserUser, view: str) -> Page:
    page = user.page
    user.navigate(view)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    if view == "#/":
        expect(page.locator(".row")).to_have_count(5)
        for status_class in STATUS_CLASSES:
            expect(page.locator(f".row[data-mood={status_class}]")).to_have_count(1)
    if view == "#/links/grand":
        expect(page.locator(".records li").first).to_be_visible()
    if view == ROOMS:
        expect(page.locator(".room").first).to_be_visible()
    if page.locator("details").count():
        page.locator("summary").click()
    return page


def test_each_control_has_an_accessible_name_and_each_view_one_main_heading(
    links_of_each_status: HotelProcesses, user: BrowserUser
) -> None:
    for view in VIEWS:
        page = _show(user, view)
        snapshot = page.locator("body").aria_snapshot()
        assert not NAMELESS.findall(snapshot), (view, NAMELESS.findall(snapshot))
        levels = page.locator("h1, h2, h3").evaluate_all("(all) => all.map((one) => one.tagName)")
        assert levels[0] == "H1", (view, levels)
        assert levels.count("H1") == 1, (view, levels)


def test_dialogs_and_notices_are_announced_to_screen_readers(user: BrowserUser) -> None:
    for selector in ("#toasts", "#notices", ".controls .answer"):
        expect(_show(user, "#/links/grand").locator(selector)).to_have_attribute("role", "status")
    page = _show(user, "#/links/grand")
    page.locator(".controls").get_by_role("button", name="Disable").click()
    expect(page.get_by_role("dialog")).to_have_accessible_name(re.compile("Switch grand off?"))
    expect(page.get_by_role("dialog").get_by_role("button")).to_have_text(["Cancel", "Disable"])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_enough_contrast(
    links_of_each_status: HotelProcesses, browser: Browser, scheme: Any
) -> None:
    with open_page(browser, links_of_each_status.url, color_scheme=scheme) as user:
        expect(user.page.locator(".row")).to_have_count(5)
        links_of_each_status.control("ended", "disable")
        links_of_each_status.control("ended", "expire")
        expect(user.page.locator(".toast", has_text="Marked as expired")).to_be_visible()
        for view in VIEWS:
            contrasts = _show(user, view).evaluate(CONTRASTS)
            assert len(contrasts) > 10
            assert not [contrast for contrast in contrasts if contrast[1] < MIN_CONTRAST_RATIO], view


def test_no_view_scrolls_horizontally_on_a_phone(
    links_of_each_status: HotelProcesses, browser: Browser
) -> None:
    links_of_each_status.make_link(f"a-hotel-with-{'a' * 51}", host=f"{'a' * 60}.example")
    with open_page(browser, links_of_each_status.url, viewport={"width": 390, "height": 844}) as user:
        expect(user.page.locator(".row")).to_have_count(6)
        user.page.get_by_role("heading", name="a-hotel-with").get_by_role("link").click()
        _require_no_scrolling(user.page)
        for view in VIEWS[1:]:
            _require_no_scrolling(_show(user, view))
        user.navigate("#/")
        expect(user.page.locator(".row")).to_have_count(6)
        _require_no_scrolling(user.page)


def _require_no_scrolling(page: Page) -> None:
    wide, screen = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide <= screen == 390, page.url
