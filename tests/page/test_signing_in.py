"""Tests of signing in and of the roles in the page, in a browser, with a service that has tokens."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import field, frozen
from playwright.sync_api import Browser, Page, expect

from tests.page.browser import BrowserUser, open_page
from tests.page.hotel_processes import HotelProcesses
from tests.process.server_processes import BIN_DIR, free_ports, run_service

WHOSE = {"control": "control", "view": "view", "pbx": "pbx", "lost": "control"}
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


def _sign_in(page: Page, token: str) -> None:
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Sign in").click()


def _signed_in(protected_service: ProtectedService, user: BrowserUser, role: str) -> Page:
    _sign_in(user.page, protected_service.tokens[role])
    expect(user.page.locator(".row h2")).to_have_text(["grand"])
    return user.page


def test_every_address_requires_a_token(
    protected_service: ProtectedService, signed_out_user: BrowserUser
) -> None:
    page = signed_out_user.page
    token = page.get_by_label("Token")
    for hash in ("#/links/grand", "#/new"):
        page.goto(f"{protected_service.url}/{hash}")
        expect(token).to_be_visible()
        expect(page.locator("main")).not_to_contain_text("grand")
    expect(token).to_have_attribute("type", "password")
    _sign_in(page, "not a token")
    expect(page.get_by_role("alert")).to_have_text("The token is not valid.")
    expect(token).to_be_focused()
    expect(token).to_have_value("")


def test_sign_in_opens_the_requested_view_and_survives_a_reload(
    protected_service: ProtectedService, signed_out_user: BrowserUser
) -> None:
    page = signed_out_user.page
    page.goto(f"{protected_service.url}/#/links/grand")
    page.get_by_label("Token").focus()
    page.keyboard.type(protected_service.tokens["control"])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("grand")
    expect(page.locator("#main")).to_be_focused()
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("grand")


def test_role_control_has_the_controls_and_sees_guest_names(
    protected_service: ProtectedService, signed_out_user: BrowserUser
) -> None:
    page = _signed_in(protected_service, signed_out_user, "control")
    expect(page.locator("#header")).to_contain_text("the-control (may control)")
    expect(page.get_by_role("link", name="Add a link")).to_be_visible()
    signed_out_user.navigate("#/links/grand")
    controls = page.locator(".controls")
    controls.get_by_role("button", name="Resync").click()
    expect(controls.locator(".answer")).to_contain_text("Resync: done.")
    page.get_by_label("Type of record").select_option("GI")
    page.get_by_label("Show guest names").check()
    expect(page.locator(".records .part[title=GN]").first).not_to_contain_text("•••")


def test_role_view_cannot_change_anything_and_sees_no_guest_names(
    protected_service: ProtectedService, signed_out_user: BrowserUser
) -> None:
    page = _signed_in(protected_service, signed_out_user, "view")
    expect(page.get_by_role("link", name="Add a link")).to_have_count(0)
    signed_out_user.navigate("#/links/grand")
    expect(page.locator(".controls button")).to_have_count(5)
    expect(page.locator(".controls button:not([aria-disabled])")).to_have_count(0)
    expect(page.locator(".controls button").first).to_have_attribute(
        "title", "Your role may look, and change nothing."
    )
    expect(page.get_by_role("button", name="Remove the link")).to_have_count(0)
    names = page.get_by_label("Guest names are hidden from your role")
    expect(names).to_be_disabled()
    page.get_by_label("Type of record").select_option("GI")
    expect(page.locator(".records .part[title=GN]").first).to_contain_text("•••")
    signed_out_user.navigate("#/links/grand/rooms")
    expect(page.get_by_label("Guest names are hidden from your role")).to_be_disabled()
    expect(page.locator(".guest").first).to_have_text("•••")
    assert set(page.locator(".guest").all_text_contents()) == {"•••"}
    signed_out_user.navigate("#/new")
    expect(page.get_by_label("host")).to_be_disabled()
    expect(page.get_by_role("button", name="Make the link")).to_have_count(0)


def test_role_pbx_sees_the_links_and_only_what_it_may_read(
    protected_service: ProtectedService, signed_out_user: BrowserUser
) -> None:
    page = _signed_in(protected_service, signed_out_user, "pbx")
    expect(page.locator("#header")).to_contain_text("the-pbx (a PBX)")
    expect(page.locator(".row .marker")).to_have_text("ESTABLISHED")
    signed_out_user.navigate("#/links/grand")
    expect(page.locator(".outbox")).to_contain_text("There is nothing here.")
    expect(page.locator(".past, .trace")).to_have_count(0)
    signed_out_user.navigate("#/links/grand/rooms")
    page.get_by_label("Show guest names").check()
    expect(page.locator(".guest").first).not_to_have_text("•••")
    signed_out_user.navigate("#/links/grand")
    expect(page.locator(".controls button:not([aria-disabled])")).to_have_count(0)


def test_sign_out_requires_a_token_again(
    protected_service: ProtectedService, signed_out_user: BrowserUser
) -> None:
    page = _signed_in(protected_service, signed_out_user, "control")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Token")).to_be_visible()
    expect(page.locator(".row, #sign-out")).to_have_count(0)
    page.reload()
    expect(page.get_by_label("Token")).to_be_visible()


def test_removing_the_token_signs_the_user_out_at_once(
    protected_service: ProtectedService, signed_out_user: BrowserUser
) -> None:
    signed_out_user.page_errors.expected_errors += ["net::ERR_"]  # the stream is cut off
    _signed_in(protected_service, signed_out_user, "lost")
    protected_service.token("remove", "the-lost")
    expect(signed_out_user.page.get_by_label("Token")).to_be_visible()
    expect(signed_out_user.page.get_by_role("dialog")).to_have_accessible_name("Sign in")
    signed_out_user.page.keyboard.press("Escape")
    expect(signed_out_user.page.get_by_label("Token")).to_be_visible()
    page = _signed_in(protected_service, signed_out_user, "view")
    expect(page.locator("#header")).to_contain_text("the-view (may look)")
    expect(page.get_by_role("link", name="Add a link")).to_have_count(0)


def test_no_view_scrolls_horizontally_on_a_phone(
    protected_service: ProtectedService, browser: Browser
) -> None:
    with open_page(
        browser, protected_service.url, viewport={"width": 390, "height": 844}, locale="zh-CN"
    ) as user:
        user.page_errors.expected_errors += [UNAUTHORIZED]
        expect(user.page.get_by_role("heading", level=1)).to_have_text("登录")
        wide, screen = user.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide <= screen == 390
