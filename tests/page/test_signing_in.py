"""Who may do what in the page, in a real browser, where the service has tokens."""

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
WRONG = "401"  # what the browser notes in its console about a wrong token, or about none


@frozen
class Guarded:
    """A service with a token for each role, docked to a PMS."""

    url: str
    folder: Path
    tokens: dict[str, str] = field(factory=dict)

    def token(self, *arguments: str) -> str:
        command = [str(BIN_DIR / "pmslink"), "token", *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=True)
        return done.stdout.strip()


@pytest.fixture(scope="module")
def guarded(shared_hotel: HotelProcesses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    (port,) = free_ports(1)
    guarded = Guarded(f"http://127.0.0.1:{port}", tmp_path_factory.mktemp("guarded"))
    for whose, role in WHOSE.items():
        guarded.tokens[whose] = guarded.token("add", f"the-{whose}", "--role", role)
    with run_service(guarded.folder, shared_hotel.ports[-1], port):
        yield guarded


@pytest.fixture
def stranger(browser: Browser, guarded: Guarded) -> Iterator[BrowserUser]:
    with open_page(browser, guarded.url) as person:
        person.page_errors.expected_errors += [WRONG]
        expect(person.page.get_by_role("heading", level=1)).to_have_text("Sign in")
        yield person


def _sign_in(page: Page, token: str) -> None:
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Sign in").click()


def _signed_in(guarded: Guarded, person: BrowserUser, role: str) -> Page:
    _sign_in(person.page, guarded.tokens[role])
    expect(person.page.locator(".row h2")).to_have_text(["grand"])
    return person.page


def test_a_stranger_is_asked_for_a_token_whatever_the_address(
    guarded: Guarded, stranger: BrowserUser
) -> None:
    page = stranger.page
    token = page.get_by_label("Token")
    for hash in ("#/links/grand", "#/new"):
        page.goto(f"{guarded.url}/{hash}")
        expect(token).to_be_visible()
        expect(page.locator("main")).not_to_contain_text("grand")
    expect(token).to_have_attribute("type", "password")
    _sign_in(page, "not a token")
    expect(page.get_by_role("alert")).to_have_text("The token is not valid.")
    expect(token).to_be_focused()
    expect(token).to_have_value("")


def test_signing_in_leads_to_what_was_asked_for_and_lasts_over_a_reload(
    guarded: Guarded, stranger: BrowserUser
) -> None:
    page = stranger.page
    page.goto(f"{guarded.url}/#/links/grand")
    page.get_by_label("Token").focus()
    page.keyboard.type(guarded.tokens["control"])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("grand")
    expect(page.locator("#main")).to_be_focused()
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("grand")


def test_who_controls_uses_the_controls_and_sees_names(guarded: Guarded, stranger: BrowserUser) -> None:
    page = _signed_in(guarded, stranger, "control")
    expect(page.locator("#header")).to_contain_text("the-control (may control)")
    expect(page.get_by_role("link", name="Add a link")).to_be_visible()
    stranger.navigate("#/links/grand")
    controls = page.locator(".controls")
    controls.get_by_role("button", name="Resync").click()
    expect(controls.locator(".answer")).to_contain_text("Resync: done.")
    page.get_by_label("Type of record").select_option("GI")
    page.get_by_label("Show guest names").check()
    expect(page.locator(".records .part[title=GN]").first).not_to_contain_text("•••")


def test_who_looks_changes_nothing_and_sees_no_names(guarded: Guarded, stranger: BrowserUser) -> None:
    page = _signed_in(guarded, stranger, "view")
    expect(page.get_by_role("link", name="Add a link")).to_have_count(0)
    stranger.navigate("#/links/grand")
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
    stranger.navigate("#/links/grand/rooms")
    expect(page.get_by_label("Guest names are hidden from your role")).to_be_disabled()
    expect(page.locator(".guest").first).to_have_text("•••")
    assert set(page.locator(".guest").all_text_contents()) == {"•••"}
    stranger.navigate("#/new")
    expect(page.get_by_label("host")).to_be_disabled()
    expect(page.get_by_role("button", name="Make the link")).to_have_count(0)


def test_a_pbx_sees_how_links_are_and_is_shown_nothing_that_is_not_for_it(
    guarded: Guarded, stranger: BrowserUser
) -> None:
    page = _signed_in(guarded, stranger, "pbx")
    expect(page.locator("#header")).to_contain_text("the-pbx (a PBX)")
    expect(page.locator(".row .marker")).to_have_text("ESTABLISHED")
    stranger.navigate("#/links/grand")
    expect(page.locator(".outbox")).to_contain_text("There is nothing here.")
    expect(page.locator(".past, .trace")).to_have_count(0)
    stranger.navigate("#/links/grand/rooms")
    page.get_by_label("Show guest names").check()
    expect(page.locator(".guest").first).not_to_have_text("•••")
    stranger.navigate("#/links/grand")
    expect(page.locator(".controls button:not([aria-disabled])")).to_have_count(0)


def test_who_signs_out_is_asked_for_a_token_again(guarded: Guarded, stranger: BrowserUser) -> None:
    page = _signed_in(guarded, stranger, "control")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Token")).to_be_visible()
    expect(page.locator(".row, #sign-out")).to_have_count(0)
    page.reload()
    expect(page.get_by_label("Token")).to_be_visible()


def test_who_loses_the_token_is_asked_for_one_without_doing_anything(
    guarded: Guarded, stranger: BrowserUser
) -> None:
    stranger.page_errors.expected_errors += ["net::ERR_"]  # the stream is cut off
    _signed_in(guarded, stranger, "lost")
    guarded.token("remove", "the-lost")
    expect(stranger.page.get_by_label("Token")).to_be_visible()
    expect(stranger.page.get_by_role("dialog")).to_have_accessible_name("Sign in")
    stranger.page.keyboard.press("Escape")
    expect(stranger.page.get_by_label("Token")).to_be_visible()
    page = _signed_in(guarded, stranger, "view")
    expect(page.locator("#header")).to_contain_text("the-view (may look)")
    expect(page.get_by_role("link", name="Add a link")).to_have_count(0)


def test_nothing_scrolls_sideways_on_a_phone(guarded: Guarded, browser: Browser) -> None:
    with open_page(browser, guarded.url, viewport={"width": 390, "height": 844}, locale="zh-CN") as person:
        person.page_errors.expected_errors += [WRONG]
        expect(person.page.get_by_role("heading", level=1)).to_have_text("登录")
        wide, screen = person.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide <= screen == 390
