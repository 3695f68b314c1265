"""Tests of the frame of one link with invented links: failures, words, colours, and where a tab begins."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.page.browser import BrowserUser, open_page
from tests.page.canned_service import CannedService, make_down_link, make_link


@pytest.fixture
def service(service: CannedService) -> CannedService:
    service.show(make_link("grand"), make_down_link("seaside"))
    return service


@pytest.fixture
def user(browser: Browser, service: CannedService) -> Iterator[BrowserUser]:
    with open_page(browser, service.url) as user:
        user.navigate("#/links/grand")
        expect(user.page.get_by_role("heading", level=1)).to_have_text("grand")
        expect(user.page.locator(".path")).to_be_visible()
        yield user


@pytest.mark.parametrize(
    ("tab", "file", "complete"),
    [
        ("phones", "**/views/phones.js", ".tab h2"),
        ("settings", "**/known.json", "#setting-host"),
        ("records", "**/known.json", ".recs"),
    ],
)
def test_a_tab_that_cannot_be_loaded_says_so_and_is_tried_again(
    user: BrowserUser, tab: str, file: str, complete: str
) -> None:
    page = user.page
    user.page_errors.expected_errors += ["ERR_FAILED"]
    page.route(file, lambda route: route.abort())
    user.navigate(f"#/links/grand/{tab}")
    expect(page.locator(".load-failure")).to_contain_text("Failed to fetch")
    expect(page.locator(".load-failure").get_by_role("button", name="Reload")).to_be_visible()
    page.unroute(file)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(complete).first).to_be_attached()
    expect(page.locator(".load-failure")).to_have_count(0)


def test_a_link_that_could_not_be_loaded_is_loaded_later(user: BrowserUser) -> None:
    page = user.page
    user.page_errors.expected_errors += ["502"]
    page.clock.install()
    page.route("**/api/v1/links/grand", lambda route: route.fulfill(status=502, body="the proxy is alone"))
    page.reload()
    expect(page.locator(".missing")).to_be_visible()
    page.unroute("**/api/v1/links/grand")
    page.clock.run_for(11_000)
    expect(page.locator(".path")).to_be_visible()


def test_a_link_to_which_the_pms_dials_does_not_dial(service: CannedService, user: BrowserUser) -> None:
    down = make_down_link("seaside", retry={"attempt": 3, "next_at": None}, state="WAIT_LS")
    service.show(down)
    user.navigate("#/links/seaside")
    verdict = user.page.locator(".verdict")
    expect(verdict.locator(".countdown")).to_have_text("Dialling, attempt 3")
    expect(verdict.get_by_role("button", name="Dial now")).to_be_visible()
    service.show({**down, "settings": {**down["settings"], "connect": "accept"}})
    expect(verdict.locator(".countdown")).to_have_text("Waiting for the PMS to dial in")
    expect(verdict.get_by_role("button", name="Dial now")).to_be_hidden()


def test_only_the_last_button_of_a_question_is_red(page: Page) -> None:
    page.locator("#more").click()
    remove, copy = (page.get_by_role("menuitem", name=name) for name in ("Remove", "Copy"))
    color = copy.evaluate("(element) => getComputedStyle(element).color")
    expect(remove).to_have_css("color", color)
    remove.click()
    expect(page.get_by_role("dialog").get_by_role("button").last).to_have_class("fill-danger")


def test_the_interface_for_programs_and_the_shortcuts_are_found(user: BrowserUser) -> None:
    page = user.page
    page.locator("#person").click()
    api = page.get_by_role("menuitem", name="Interface for programs (API)")
    expect(api).to_have_attribute("href", "openapi.json")
    page.get_by_role("menuitem", name="About this service").click()
    expect(page.locator("main").get_by_role("link", name="Interface for programs (API)")).to_be_visible()
    expect(page.locator("main dl.keys")).to_contain_text("search of this view")
    expect(page.get_by_role("switch", name="Single-key shortcuts")).to_be_checked()


def test_a_tab_begins_at_its_beginning(user: BrowserUser) -> None:
    page = user.page
    page.set_viewport_size({"width": 1280, "height": 300})
    user.navigate("#/links/grand/settings")
    expect(page.locator("#setting-host")).to_be_visible()
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    assert page.evaluate("scrollY") > 300
    page.keyboard.press("1")
    expect(page.locator(".path")).to_be_visible()
    expect(page.locator(".tabs")).to_be_in_viewport()
    assert page.evaluate("scrollY") == 0
