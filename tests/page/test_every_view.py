"""Tests of all views of the page: titles, widths, names for screen readers, and texts."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.page.accessibility import accessibility_violations
from tests.page.browser import BrowserUser, open_page
from tests.page.hotel_processes import HotelProcesses
from tests.page.views import VIEWS, PageView, open_view, overflowing_elements

NAMELESS_ROLES = "button|link|textbox|searchbox|combobox|spinbutton|checkbox|switch|dialog|img|region|table"
NAMELESS = re.compile(rf"^\s*- '?(?:{NAMELESS_ROLES})(?: \[[^\]]*\])*'?:?$", re.MULTILINE)
NOT_A_TEXT = re.compile(r"\{\w*\}|undefined|NaN|\[object|Invalid Date")
TRANSLATION_KEY = re.compile(
    r"\b(?:nav|header|list|count|col|why|do|link|mean|tab|path|fact|hints?|card|rooms?|cmp|hk|out|hist|rec|set"
    r"|setting|help|opt|err|unit|test|note|sign|first|off|ask|held|state|error|outbox|theme|keys)\.[a-z_]\w*"
)
LONG_NAME = "airport-business-center-terminal-2-east-wing-conference-hotel-64"
ALL_TEXT = """
() => {
  const texts = [document.body.textContent];
  for (const name of ["aria-label", "title", "placeholder"])
    for (const element of document.body.querySelectorAll(`[${name}]`)) texts.push(element.getAttribute(name));
  return texts.join("\\n");
}
"""


def test_each_view_has_a_title_and_survives_reload_and_back(user: BrowserUser) -> None:
    for view in VIEWS:
        open_view(user, view)
        user.page.reload()
        expect(user.page.locator(view.complete).first).to_be_visible()
        expect(user.page).to_have_title(re.compile(re.escape(view.title)))
    user.page.go_back()
    user.page.go_back()
    expect(user.page.get_by_role("heading", level=1)).to_be_visible()


@pytest.mark.parametrize("width", [1280, 768, 390, 320])
def test_no_view_is_wider_than_the_window(hotel: HotelProcesses, browser: Browser, width: int) -> None:
    hotel.make_link(LONG_NAME)
    for locale in ("en-GB", "zh-CN"):
        size = {"width": width, "height": 800}
        with open_page(browser, hotel.url, locale=locale, viewport=size) as user:
            for view in VIEWS:
                open_view(user, view)
                assert overflowing_elements(user.page) == [], (view.hash, locale)


def test_no_view_is_wider_than_the_window_with_text_of_200_percent(
    hotel: HotelProcesses, browser: Browser
) -> None:
    with open_page(browser, hotel.url) as user:
        for view in VIEWS:
            open_view(user, view)
            user.page.evaluate("document.documentElement.style.fontSize = '200%'")
            assert overflowing_elements(user.page) == [], view.hash


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_no_view_shows_a_key_or_an_empty_value(hotel: HotelProcesses, browser: Browser, locale: str) -> None:
    hotel.make_link("lost", enabled=True)
    hotel.enqueue_posting("grand", type="minibar", room="101", article="1", count=1)
    hotel.call_rooms("PUT", "101/status", {"status": 3}, link="grand")
    with open_page(browser, hotel.url, locale=locale) as user:
        for view in VIEWS:
            open_view(user, view)
            text = user.page.evaluate(ALL_TEXT)
            assert NOT_A_TEXT.findall(text) == [], view.hash
            assert set(TRANSLATION_KEY.findall(text)) == set(), view.hash


def test_each_view_names_its_elements_for_screen_readers(user: BrowserUser) -> None:
    for view in VIEWS:
        open_view(user, view)
        snapshot = user.page.locator("body").aria_snapshot()
        assert NAMELESS.findall(snapshot) == [], view.hash


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_view_has_a_fault_of_accessibility(
    hotel: HotelProcesses, browser: Browser, locale: str, scheme: str
) -> None:
    hotel.make_link("lost", enabled=True)
    hotel.enqueue_posting("grand", type="minibar", room="101", article="1", count=1)
    lost = PageView("#/links/lost", "", ".verdict[data-mood=bad]")
    found = {}
    with open_page(browser, hotel.url, locale=locale, color_scheme=scheme, reduced_motion="reduce") as user:
        for view in (*VIEWS, lost):
            open_view(user, view)
            found[view.hash] = accessibility_violations(user.page)
    assert {view: faults for view, faults in found.items() if faults} == {}
