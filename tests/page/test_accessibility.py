"""Tests of accessibility beyond single views: all moods at once, dialogs, forced colours, reduced motion."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.page.accessibility import accessibility_violations
from tests.page.browser import BrowserUser, open_page
from tests.page.hotel_processes import HotelProcesses
from tests.page.link_rows import expect_counts, row
from tests.page.views import overflowing_elements

LONG_NAME = f"a-hotel-with-{'a' * 51}"


@pytest.fixture
def links_of_each_mood(hotel: HotelProcesses) -> HotelProcesses:
    """Return a hotel with a link for each mood: good, wait, bad, ended and off."""
    hotel.set_faults(hotel.ports[1], frozen=True)
    hotel.make_link(
        "waiting", hotel.ports[1], enabled=True, start_timeout=3600, retry_initial=3600, retry_max=3600
    )
    hotel.make_link("lost", enabled=True)
    hotel.make_link("off")
    hotel.make_link("ended")
    hotel.control("ended", "expire")
    return hotel


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_mood_has_enough_contrast_and_a_sign(
    links_of_each_mood: HotelProcesses, browser: Browser, scheme: Any
) -> None:
    with open_page(browser, links_of_each_mood.url, color_scheme=scheme, reduced_motion="reduce") as user:
        expect_counts(user.page, all=5, down=1, connecting=1, connected=1, off=2)
        assert accessibility_violations(user.page) == []
        for name, sign in {
            "waiting": "wait",
            "lost": "bad",
            "off": "off",
            "ended": "ended",
            "grand": "good",
        }.items():
            use = row(user.page, name).locator(".badge use")
            expect(use).to_have_attribute("href", f"{_signs(user)}#{sign}")


def _signs(user: BrowserUser) -> str:
    href = user.page.locator("#nav-links use").get_attribute("href")
    assert href is not None
    return href.partition("#")[0]


def test_a_confirmation_names_the_object_and_the_consequence(user: BrowserUser) -> None:
    user.navigate("#/links/grand")
    user.page.get_by_role("button", name="More").click()
    user.page.get_by_role("menuitem", name="Switch off…").click()
    dialog = user.page.get_by_role("dialog")
    expect(dialog).to_have_accessible_name("Switch grand off?")
    expect(dialog).to_contain_text("nothing is lost")
    expect(dialog.get_by_role("button")).to_have_text(["Cancel", "Switch off"])
    assert accessibility_violations(user.page) == []


def test_signs_keep_their_shapes_in_forced_colours(
    links_of_each_mood: HotelProcesses, browser: Browser
) -> None:
    with open_page(browser, links_of_each_mood.url, forced_colors="active") as user:
        sign = row(user.page, "lost").locator(".badge svg")
        expect(sign).to_be_visible()
        assert sign.evaluate("(svg) => getComputedStyle(svg).forcedColorAdjust") != "none"
        expect(row(user.page, "lost").locator(".marker")).to_have_text("EXPECTION")


def test_nothing_moves_when_the_reader_wants_no_motion(user: BrowserUser) -> None:
    user.page.emulate_media(reduced_motion="reduce")
    user.navigate("#/links/grand/rooms/101")
    expect(user.page.locator("aside.side")).to_be_visible()
    assert user.page.evaluate("document.getAnimations().length") == 0


def test_a_link_with_the_longest_name_fits_a_phone(hotel: HotelProcesses, browser: Browser) -> None:
    hotel.make_link(LONG_NAME, host=f"{'a' * 60}.example")
    with open_page(browser, hotel.url, viewport={"width": 320, "height": 640}) as user:
        expect(row(user.page, LONG_NAME)).to_be_visible()
        assert overflowing_elements(user.page) == []
        for tab in ("", "/rooms", "/outbox", "/history", "/records", "/settings"):
            user.navigate(f"#/links/{LONG_NAME}{tab}")
            expect(user.page.locator(".tabs [aria-current]")).to_be_visible()
            assert overflowing_elements(user.page) == [], tab
