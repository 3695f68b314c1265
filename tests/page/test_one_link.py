"""Tests of the view of one link in a browser."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.page.browser import BrowserUser
from tests.page.hotel_processes import HotelProcesses
from tests.process.server_processes import wait_until


def test_the_view_is_reached_from_the_list_and_links_back(hotel: HotelProcesses, user: BrowserUser) -> None:
    page = user.page
    page.get_by_role("searchbox").fill("gra")
    page.locator(".row").get_by_role("link", name="grand").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("grand")
    expect(page.locator(".head .address")).to_have_text(f"127.0.0.1:{hotel.ports[0]} · any PMS")
    expect(page.locator(".head")).to_contain_text("GI GO GC RE WR WC WA PS PA NS NE")
    page.get_by_role("link", name="All links").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Links")
    expect(page.get_by_role("searchbox")).to_have_value("gra")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("grand")


def test_link_checks_are_updated_while_the_state_is_unchanged(user: BrowserUser) -> None:
    user.navigate("#/links/grand")
    checked = user.page.locator(".facts div", has_text="Last check").locator("dd")
    before = checked.get_attribute("title")
    expect(checked).not_to_have_attribute("title", before or "")
    expect(checked).to_contain_text("ago")
    expect(user.page.locator(".facts div", has_text="Answered in").locator("dd")).to_contain_text("ms")


def test_the_list_polls_the_links(hotel: HotelProcesses, user: BrowserUser) -> None:
    user.page.clock.install()
    user.page.reload()
    checked = user.page.locator(".row dl div", has_text="Last check").locator("dd")
    expect(checked).to_contain_text("answered in")
    before = checked.get_attribute("title")
    then = _second_of_check(hotel)
    wait_until(lambda: _second_of_check(hotel) > then, "another check, in another second")
    user.page.clock.fast_forward(16_000)
    expect(checked).not_to_have_attribute("title", before or "")


def _second_of_check(hotel: HotelProcesses) -> str:
    checked: str = hotel.link()["alive"]["last_check"]
    return checked[: len("2026-11-25T07:00:00")]


def test_an_unknown_link_is_reported(user: BrowserUser) -> None:
    user.page_errors.expected_errors += ["404"]
    user.navigate("#/links/nowhere")
    expect(user.page.get_by_text("There is no link nowhere.")).to_be_visible()
