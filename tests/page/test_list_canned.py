"""Tests of the list of links with links that are whatever a test says: order, keyboard, widths, first run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Route, expect

from pmslink.web.auth.permissions import Role
from tests.page.browser import BrowserUser, open_page
from tests.page.canned_links import THREE_OUTAGES
from tests.page.canned_service import CannedService, ago, make_down_link, make_link
from tests.page.link_rows import expect_names, observe_rows, row, touched_rows

NAME_OF_64 = "the-airport-business-center-hotel-and-convention-park-terminal-2"
OFF = {"state": "DISABLED", "intent": "disabled", "in_sync": False, "attention": 1, "group": "off"}


@pytest.fixture
def user(browser: Browser, service: CannedService) -> Iterator[BrowserUser]:
    service.show(make_link("alpha"), make_link("beta"), make_link("gamma"))
    with open_page(browser, service.url) as user:
        expect_names(user.page, "alpha", "beta", "gamma")
        yield user


def look(name: str, **values: Any) -> dict[str, Any]:
    """Return a link that needs a look."""
    return make_link(name, attention=2, outages=THREE_OUTAGES, **values)


def test_a_change_touches_one_row_only(service: CannedService, user: BrowserUser) -> None:
    observe_rows(user.page)
    service.show(
        make_link("beta", outbox={"pending": 7, "unknown": 0, "refused": 0, "oldest": ago(minutes=1)})
    )
    expect(row(user.page, "beta")).to_contain_text("7 waiting")
    assert touched_rows(user.page) == ["beta"]


def test_a_link_that_moves_touches_no_other_row(service: CannedService, user: BrowserUser) -> None:
    observe_rows(user.page)
    service.show(look("gamma"))
    expect_names(user.page, "gamma", "alpha", "beta")
    assert set(touched_rows(user.page)) <= {"gamma", "the list"}  # beside it only the headings of groups


def test_the_order_stays_under_the_pointer(service: CannedService, user: BrowserUser) -> None:
    row(user.page, "alpha").hover()
    service.show(look("gamma"))
    expect(row(user.page, "gamma")).to_contain_text("Unstable")  # it changes in place
    with user.page.expect_response("**/links?*"):
        pass
    expect_names(user.page, "alpha", "beta", "gamma")
    user.page.mouse.move(5, 5)
    expect_names(user.page, "gamma", "alpha", "beta")


def test_the_order_stays_while_a_row_has_the_focus(service: CannedService, user: BrowserUser) -> None:
    user.page.locator(".name", has_text="beta").focus()
    with user.page.expect_response("**/links?*"):
        service.show(look("gamma"))
    expect(row(user.page, "gamma")).to_contain_text("Unstable")
    expect_names(user.page, "alpha", "beta", "gamma")
    user.page.get_by_role("searchbox").focus()
    expect_names(user.page, "gamma", "alpha", "beta")


def test_a_link_that_goes_down_comes_first_at_once(service: CannedService, user: BrowserUser) -> None:
    row(user.page, "alpha").hover()
    user.page.locator(".name", has_text="beta").focus()
    service.show(make_down_link("gamma"))
    expect_names(user.page, "gamma", "alpha", "beta")
    expect(user.page.locator(".name", has_text="beta")).to_be_focused()


def test_the_list_is_walked_and_opened_by_keys(service: CannedService, user: BrowserUser) -> None:
    focused = user.page.locator(".name:focus")
    for key, name in (
        ("j", "alpha"),
        ("j", "beta"),
        ("ArrowDown", "gamma"),
        ("ArrowDown", "gamma"),
        ("k", "beta"),
        ("ArrowUp", "alpha"),
        ("End", "gamma"),
        ("Home", "alpha"),
    ):
        user.page.keyboard.press(key)
        expect(focused).to_have_text(name)
    user.page.keyboard.press("/")
    expect(user.page.get_by_role("searchbox")).to_be_focused()
    user.page.keyboard.type("jk")
    expect(user.page.get_by_text("No link fits this filter.")).to_be_visible()
    user.page.keyboard.press("Escape")
    expect_names(user.page, "alpha", "beta", "gamma")
    user.page.get_by_role("heading", level=1).click()
    user.page.keyboard.press("j")
    expect(focused).to_have_text("alpha")
    user.page.keyboard.press("Enter")
    user.page.wait_for_url("**/#/links/alpha")


def test_n_begins_a_new_link(user: BrowserUser) -> None:
    user.page.get_by_role("heading", level=1).click()
    user.page.keyboard.press("n")
    user.page.wait_for_url("**/#/new")


@pytest.mark.parametrize("role", ["control", "desk", "view"])
def test_only_who_may_change_settings_can_add_a_link(
    service: CannedService, browser: Browser, role: Role
) -> None:
    service.role = role
    service.show(make_link("alpha"))
    with open_page(browser, service.url) as user:
        expect_names(user.page, "alpha")
        expect(user.page.get_by_role("link", name="Add a link")).to_have_count(int(role == "control"))


def test_the_first_run_says_how_to_begin(service: CannedService, browser: Browser) -> None:
    with open_page(browser, service.url) as user:
        expect(user.page.get_by_role("heading", name="Connect the first hotel")).to_be_visible()
        expect(user.page.locator(".counters")).to_be_hidden()
        expect(user.page.locator(".first").get_by_role("link", name="Add a link")).to_be_visible()
        service.show(make_link("alpha"))
        expect_names(user.page, "alpha")
        expect(user.page.locator(".first")).to_be_hidden()
        expect(user.page.locator(".counters")).to_be_visible()


def test_rows_that_are_loaded_for_long_are_bars(service: CannedService, browser: Browser) -> None:
    service.show(make_link("alpha"))
    with open_page(browser, "about:blank") as user:
        user.page_errors.expected_errors.append("request to")
        held: list[Route] = []
        user.page.route("**/api/v1/links?*", lambda route: held.append(route))
        user.page.goto(service.url)
        expect(user.page.locator(".loading .bar").first).to_be_visible()
        expect(user.page.locator(".links")).to_have_attribute("aria-busy", "true")
        for route in held:
            route.continue_()
        user.page.unroute("**/api/v1/links?*")
        expect_names(user.page, "alpha")
        expect(user.page.locator(".loading")).to_have_count(0)


def test_a_list_that_cannot_be_loaded_can_be_tried_again(service: CannedService, browser: Browser) -> None:
    service.show(make_link("alpha"))
    with open_page(browser, "about:blank") as user:
        user.page_errors.expected_errors += ["request to", "ERR_FAILED"]
        user.page.route("**/api/v1/links?*", lambda route: route.abort())
        user.page.goto(service.url)
        expect(user.page.get_by_text("The list cannot be loaded")).to_be_visible()
        user.page.unroute("**/api/v1/links?*")
        user.page.get_by_role("button", name="Try again").click()
        expect_names(user.page, "alpha")


def test_a_link_that_waits_for_its_pms_shows_its_port(service: CannedService, user: BrowserUser) -> None:
    settings = {**make_link("alpha")["settings"], "connect": "accept"}
    service.show(make_link("alpha", settings=settings))
    expect(row(user.page, "alpha")).to_contain_text("Port 5010, for 192.0.2.1 · any PMS")


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
@pytest.mark.parametrize("width", [1280, 1000, 768, 390, 320])
def test_nothing_is_wider_than_the_window(
    service: CannedService, browser: Browser, width: int, locale: str
) -> None:
    service.show(
        make_down_link(NAME_OF_64, host="pms.the-airport-business-center.example"),
        look("look", outbox={"pending": 12_000, "unknown": 1, "refused": 2, "oldest": ago(minutes=1)}),
        make_link("off", **OFF),
    )
    with open_page(browser, service.url, viewport={"width": width, "height": 800}, locale=locale) as user:
        expect(user.page.locator(".links .name")).to_have_count(3)
        for size in ("100%", "200%"):
            user.page.evaluate("(size) => { document.documentElement.style.fontSize = size }", size)
            assert user.page.evaluate("document.documentElement.scrollWidth") <= width, size


def test_an_outage_ages_each_second(service: CannedService, browser: Browser) -> None:
    service.show(make_down_link("alpha", down_since=ago(seconds=20)))
    with open_page(browser, service.url) as user:
        age = row(user.page, "alpha").locator("time")
        for _ in range(2):
            before = int(age.inner_text().removesuffix(" s"))
            expect(age).to_have_text(f"{before + 1} s")
