"""Tests of signing in, and of what each role gets to see, in a browser, with a service that has tokens."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import field, frozen
from playwright.sync_api import Browser, Page, expect

from tests.page.browser import BrowserUser, open_page
from tests.page.hotel_processes import HotelProcesses
from tests.page.views import overflowing_elements
from tests.process.server_processes import BIN_DIR, free_ports, run_service

WHOSE = {"control": "control", "view": "view", "pbx": "pbx", "lost": "control", "desk": "desk"}
UNAUTHORIZED = "401"  # the console error for an invalid or a missing token


@frozen
class ProtectedService:
    """A service with a token for each role, and a link docked to a PMS."""

    url: str
    folder: Path
    tokens: dict[str, str] = field(factory=dict)

    def token(self, *arguments: str) -> str:
        command = [str(BIN_DIR / "pmslink"), "token", *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=True)
        return done.stdout.strip()


@pytest.fixture(scope="module")
def protected_service(
    shared_hotel: HotelProcesses, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ProtectedService]:
    (port,) = free_ports(1)
    protected_service = ProtectedService(
        f"http://127.0.0.1:{port}", tmp_path_factory.mktemp("protected_service")
    )
    for whose, role in WHOSE.items():
        protected_service.tokens[whose] = protected_service.token("add", f"the-{whose}", "--role", role)
    with run_service(protected_service.folder, shared_hotel.ports[-1], port):
        yield protected_service


@pytest.fixture
def signed_out_user(browser: Browser, protected_service: ProtectedService) -> Iterator[BrowserUser]:
    with open_page(browser, protected_service.url) as user:
        user.page_errors.expected_errors += [UNAUTHORIZED]
        expect(user.page.get_by_role("heading", level=1)).to_have_text("Sign in")
        yield user


def _fill_in(page: Page, name: str, token: str) -> None:
    page.get_by_label("Name of the token").fill(name)
    page.get_by_label("Token", exact=True).fill(token)


def _sign_out_over_a_form(protected_service: ProtectedService, user: BrowserUser) -> Page:
    """Sign out while another tab has a form that is half filled in; return that tab."""
    user.page_errors.expected_errors += ["net::ERR_"]  # the stream is cut off
    _sign_in(protected_service, user.page, "control")
    other = user.context.new_page()
    other.goto(f"{protected_service.url}/#/new")
    other.get_by_label("PMS host").fill("pms.example")
    _sign_out(user.page)
    return other


def _sign_in(protected_service: ProtectedService, page: Page, whose: str) -> None:
    _fill_in(page, f"the-{whose}", protected_service.tokens[whose])
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#sign-in")).to_be_hidden()


def _sign_out(page: Page) -> None:
    page.locator("#person").click()
    page.get_by_role("menuitem", name="Sign out").click()


def test_every_address_requires_a_token_and_opens_with_one(
    protected_service: ProtectedService, signed_out_user: BrowserUser
) -> None:
    page = signed_out_user.page
    for hash in ("#/links/grand/settings", "#/new"):
        page.goto(f"{protected_service.url}/{hash}")
        expect(page.get_by_role("dialog", name="Sign in")).to_be_visible()
        expect(page).to_have_title("Sign in – pmslink")
        expect(page.locator("main")).not_to_contain_text("grand")
    _sign_in(protected_service, page, "control")
    expect(page.get_by_role("heading", level=1)).to_have_text("New link")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("New link")


def test_a_browser_may_store_name_and_token(signed_out_user: BrowserUser) -> None:
    page = signed_out_user.page
    expect(page.get_by_label("Name of the token")).to_have_attribute("autocomplete", "username")
    token = page.get_by_label("Token", exact=True)
    expect(token).to_have_attribute("autocomplete", "current-password")
    expect(token).to_have_attribute("type", "password")
    page.get_by_role("button", name="Show").click()
    expect(token).to_have_attribute("type", "text")
    page.get_by_role("button", name="Hide").click()
    expect(token).to_have_attribute("type", "password")


def test_a_wrong_token_says_how_many_attempts_are_left(
    protected_service: ProtectedService, signed_out_user: BrowserUser
) -> None:
    page = signed_out_user.page
    token = page.get_by_label("Token", exact=True)
    _fill_in(page, "the-control", "not a token")
    page.keyboard.press("Enter")
    error = page.get_by_role("alert")
    expect(error).to_have_text(re.compile(r"^Name and token do not fit\. \d attempts are left\.$"))
    before = int(re.findall(r"\d", error.inner_text())[0])
    expect(token).to_be_focused()
    expect(token).to_have_attribute("aria-invalid", "true")
    expect(token).to_have_accessible_description(error.inner_text())
    _fill_in(page, "the-view", protected_service.tokens["control"])  # the token is another's
    page.keyboard.press("Enter")
    expect(error).to_contain_text(str(before - 1))
    _fill_in(page, "the-control", protected_service.tokens["control"])
    page.keyboard.press("Enter")
    expect(page.locator("#sign-in")).to_be_hidden()
    expect(page.locator("#main")).to_be_focused()


def test_the_language_can_be_chosen_before_signing_in(signed_out_user: BrowserUser) -> None:
    page = signed_out_user.page
    page.locator("#sign-in").get_by_role("button", name="简体中文").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("登录")
    expect(page.get_by_label("令牌名称")).to_be_visible()
    page.locator("#sign-in").get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_signing_out_in_one_tab_asks_in_both(
    protected_service: ProtectedService, signed_out_user: BrowserUser
) -> None:
    page = signed_out_user.page
    other = _sign_out_over_a_form(protected_service, signed_out_user)
    for one in (page, other):
        expect(one.get_by_role("dialog", name="Sign in")).to_be_visible()
    other.keyboard.press("Escape")
    _sign_in(protected_service, other, "control")
    expect(other.get_by_label("PMS host")).to_have_value("pms.example")  # it is the same person


def test_another_language_for_signing_in_is_that_of_the_view_behind(
    protected_service: ProtectedService, signed_out_user: BrowserUser
) -> None:
    other = _sign_out_over_a_form(protected_service, signed_out_user)
    other.locator("#sign-in").get_by_role("button", name="简体中文").click()
    expect(other.locator("#sign-in h1")).to_have_text("登录")
    other.locator("#token-name").fill("the-control")
    other.locator("#token").fill(protected_service.tokens["control"])
    other.keyboard.press("Enter")
    expect(other.locator("main h1")).to_have_text("新链路")
    expect(other.get_by_label("PMS 主机")).to_have_value("pms.example")
    expect(other.locator("#nav-links")).to_have_text("链路")


def test_the_view_about_the_service_is_there_after_signing_in(
    protected_service: ProtectedService, signed_out_user: BrowserUser
) -> None:
    page = signed_out_user.page
    _sign_in(protected_service, page, "control")
    page.locator("#bell button").click()
    expect(page.locator(".drawer")).to_be_visible()
    signed_out_user.navigate("#/about")
    expect(page.locator("main")).to_contain_text("Writable")
    page.locator("#bell button").click()
    expect(page.locator(".drawer")).to_be_visible()
    signed_out_user.page_errors.expected_errors += ["net::ERR_"]  # the stream is cut off
    _sign_out(page)
    expect(page.get_by_role("dialog", name="Sign in")).to_be_visible()
    expect(page.locator(".drawer")).to_have_count(0)
    _sign_in(protected_service, page, "view")
    expect(page.locator("main")).to_contain_text("Writable")


def test_removing_the_token_signs_the_user_out_at_once(
    protected_service: ProtectedService, signed_out_user: BrowserUser
) -> None:
    signed_out_user.page_errors.expected_errors += ["net::ERR_"]  # the stream is cut off
    page = signed_out_user.page
    _sign_in(protected_service, page, "lost")
    protected_service.token("remove", "the-lost")
    expect(page.get_by_role("dialog", name="Sign in")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Sign in")).to_be_visible()
    _sign_in(protected_service, page, "view")
    expect(page.locator("#person")).to_have_accessible_name("the-view, Read only")


@pytest.mark.parametrize("whose", ["view", "pbx", "desk"])
def test_only_the_role_control_changes_settings(
    protected_service: ProtectedService, signed_out_user: BrowserUser, whose: str
) -> None:
    page = signed_out_user.page
    _sign_in(protected_service, page, whose)
    signed_out_user.navigate("#/new")
    expect(page.locator("main")).to_contain_text("Your role cannot change settings.")
    expect(page.locator("main :is(input, select, textarea)")).to_have_count(0)
    signed_out_user.navigate("#/links/grand/settings")
    expect(page.locator("#setting-host")).to_be_disabled()
    expect(page.locator(".settings :is(input, select, textarea):enabled")).to_have_count(0)
    expect(page.locator(".savebar")).to_have_count(0)


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_the_form_fits_a_small_phone(
    protected_service: ProtectedService, browser: Browser, locale: str
) -> None:
    with open_page(
        browser, protected_service.url, viewport={"width": 320, "height": 640}, locale=locale
    ) as user:
        user.page_errors.expected_errors += [UNAUTHORIZED]
        user.page.locator("#token-name").fill("front-desk")
        user.page.locator("#token").fill("not a token")
        user.page.keyboard.press("Enter")
        expect(user.page.locator("#token-error")).to_be_visible()
        assert overflowing_elements(user.page) == []
