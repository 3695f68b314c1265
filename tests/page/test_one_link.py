"""Tests of the frame of one link: verdict, tabs, titles, and what is shown of a link that is missing."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.page.browser import BrowserUser, open_page, wait_for_stream
from tests.page.canned_links import DOUBT, NOT_UNDERSTOOD
from tests.page.canned_service import CannedService, ago, make_down_link, make_link
from tests.page.hotel_processes import HotelProcesses
from tests.process.server_processes import wait_until

COUNT_MUTATIONS = """
() => {
  window.mutations = [];
  const isClock = ({ target }) => {
    const element = target.nodeType === Node.TEXT_NODE ? target.parentElement : target;
    return element?.closest(".verdict h2, .countdown, .facts dd, .axis, .timeline, time") !== null;
  };
  const observer = new MutationObserver((all) => window.mutations.push(...all.filter((one) => !isClock(one))
    .map(({ type, target }) => `${type} ${target.nodeName} ${target.className}`)));
  observer.observe(document.querySelector("main"), {
    attributes: true, characterData: true, childList: true, subtree: true,
  });
}
"""


@pytest.fixture
def canned_user(browser: Browser, service: CannedService) -> Iterator[BrowserUser]:
    with open_page(browser, service.url) as user:
        yield user


def open_link(user: BrowserUser, name: str, tab: str = "") -> Page:
    user.navigate(f"#/links/{name}{tab}")
    expect(user.page.get_by_role("heading", level=1)).to_have_text(name)
    expect(user.page.locator(".tabs")).to_be_visible()
    return user.page


def test_the_view_names_the_link_its_address_and_its_product(
    hotel: HotelProcesses, user: BrowserUser
) -> None:
    page = open_link(user, "grand")
    expect(page.locator(".title .quiet")).to_have_text(f"127.0.0.1:{hotel.ports[0]} · any PMS")
    page.locator(".crumbs").get_by_role("link", name="Links").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Links")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("grand")


def test_a_link_that_is_down_says_why_since_when_and_what_goes_on(
    service: CannedService, canned_user: BrowserUser
) -> None:
    outbox = {"pending": 12, "unknown": 0, "refused": 0, "oldest": ago(hours=1)}
    retry = {"attempt": 391, "next_at": ago(seconds=-100)}
    service.show(make_down_link("seaside", down_since=ago(hours=3, seconds=30), retry=retry, outbox=outbox))
    page = open_link(canned_user, "seaside")
    verdict = page.locator(".verdict")
    expect(verdict).to_have_attribute("data-mood", "bad")
    expect(verdict.get_by_role("heading")).to_have_text(
        "Link down for 3 h: 192.0.2.1:5010 refuses the connection."
    )
    expect(verdict.locator(".do")).to_contain_text(
        "Check the port (5010) in the settings, and ask the hotel whether"
    )
    expect(verdict.locator(".marker")).to_have_text("EXPECTION")
    expect(verdict.locator(".countdown")).to_have_text(re.compile(r"Dialling again in \d+ s, attempt 391"))
    expect(verdict.locator(".mean li")).to_have_text(
        [
            "Meanwhile:",
            "wake-ups ring",
            "check in and out by hand",
            "12 postings wait, none is lost",
            "rooms are as the PMS last told",
        ]
    )
    service.answers["POST links/seaside/enable"] = service.links["seaside"]
    verdict.get_by_role("button", name="Dial now").click()
    expect(page.locator(".answer")).to_have_text("Done. The link is now: Link down (EXPECTION).")
    assert ("POST links/seaside/enable", None) in service.requests


def test_the_verdict_is_one_line_beside_the_overview_and_absent_for_a_link_that_is_well(
    service: CannedService, canned_user: BrowserUser
) -> None:
    service.show(make_link("lakehouse"), make_down_link("seaside"))
    page = open_link(canned_user, "lakehouse")
    verdict = page.locator(".verdict")
    expect(verdict.get_by_role("heading")).to_have_text("Connected for 3 h")
    page.locator(".tabs").get_by_role("link", name="Phones").click()
    expect(verdict).to_be_hidden()
    open_link(canned_user, "seaside", "/phones")
    expect(verdict).to_have_class("verdict slim")
    expect(verdict.locator(".do")).to_be_hidden()
    expect(verdict.locator(".mean")).to_be_hidden()
    expect(verdict.get_by_role("button", name="Dial now")).to_be_visible()


def test_the_remedy_leads_to_its_tab(service: CannedService, canned_user: BrowserUser) -> None:
    hint = {"code": "sync_on", "params": {"setting": "sync_on", "value": "any"}}
    cause = {"code": "never_confirmed", "params": {"seconds": 10, "value": "any"}}
    service.show(
        make_link("decide", attention=3, outbox=DOUBT),
        make_link("odd", attention=2, not_understood=NOT_UNDERSTOOD),
        make_link(
            "guest", attention=3, failed_wake_ups={"count": 1, "last_at": ago(hours=1), "last_room": "214"}
        ),
        make_down_link("confirm", cause=cause, hints=[hint]),
        make_down_link("refused"),
        make_down_link("lost", cause={"code": "lost", "params": {"detail": "the PMS closed it"}}),
    )
    addresses = {
        "decide": "decide/outbox",
        "odd": "odd/records?odd=1",
        "guest": "guest/rooms/214",
        "confirm": "confirm/settings?hint=sync_on",
        "refused": "refused/settings",
    }
    for name, address in addresses.items():
        page = open_link(canned_user, name)
        expect(page.locator(".verdict .do a")).to_have_attribute("href", f"#/links/{address}")
    page = open_link(canned_user, "lost")
    expect(page.locator(".verdict .do")).to_contain_text("Check the network")
    expect(page.locator(".verdict .do a[href]")).to_have_count(0)


def test_a_redial_that_is_established_shows_the_step_that_failed_last(
    service: CannedService, canned_user: BrowserUser
) -> None:
    started = {"code": "started", "params": {"record": "LS"}}
    failure = {"code": "never_confirmed", "params": {"seconds": 10, "value": "any"}}
    retry = {"attempt": 3, "next_at": None}
    service.show(make_down_link("seaside", state="ESTABLISHED", cause=started, failure=failure, retry=retry))
    page = open_link(canned_user, "seaside")
    step = page.locator(".path li").last
    expect(step).to_have_attribute("data-mood", "bad")
    expect(step).to_contain_text("no LA in time")
    expect(page.locator(".verdict").get_by_role("heading")).to_contain_text("does not confirm")
    expect(page.get_by_text("Resync begins when the link is in sync.")).to_be_visible()
    expect(page.locator("[data-fact=odd] a[href]")).to_have_count(0)


def test_colour_follows_the_outage_and_not_the_dial(service: CannedService, canned_user: BrowserUser) -> None:
    retry = {"attempt": 3, "next_at": None}
    service.show(make_down_link("seaside", retry=retry))
    page = open_link(canned_user, "seaside")
    for state in ("WAIT_LS", "CLOSED", "EXPECTION", "ESTABLISHED"):
        service.show(make_down_link("seaside", state=state, retry=retry))
        expect(page.locator(".verdict .marker")).to_have_text(state)
        expect(page.locator(".verdict")).to_have_attribute("data-mood", "bad")
        expect(page).to_have_title("seaside: link down – pmslink")


def test_a_link_that_is_off_can_be_enabled(hotel: HotelProcesses, user: BrowserUser) -> None:
    hotel.make_link("made")
    page = open_link(user, "made")
    expect(page.locator(".verdict")).to_have_attribute("data-mood", "off")
    expect(page.locator(".path")).to_be_hidden()
    page.locator(".verdict").get_by_role("button", name="Enable").click()
    wait_until(lambda: hotel.link("made")["intent"] == "enabled", "the link is enabled")
    expect(page.locator(".verdict").get_by_role("button", name="Enable")).to_be_hidden()


def test_an_ended_subscription_has_to_be_renewed_first(hotel: HotelProcesses, user: BrowserUser) -> None:
    hotel.make_link("ended", enabled=True, expires_at="2026-01-01T00:00:00Z")
    page = open_link(user, "ended")
    expect(page.locator(".verdict")).to_have_attribute("data-mood", "ended")
    expect(page.locator(".verdict .do")).to_have_text(
        "Renew it, set the new end date in the settings, then enable the link."
    )
    expect(page.locator(".verdict").get_by_role("button", name="Enable")).to_be_hidden()


def test_tabs_have_addresses_titles_and_counts(service: CannedService, canned_user: BrowserUser) -> None:
    outbox = {**DOUBT, "pending": 12, "refused": 2}
    service.show(make_link("grand", attention=3, outbox=outbox, not_understood=NOT_UNDERSTOOD))
    page = open_link(canned_user, "grand")
    expect(page).to_have_title("grand: decision needed – pmslink")
    tabs = page.locator(".tabs")
    expect(tabs.get_by_role("link", name="Outbox (12 waiting) (3 to decide)")).to_be_visible()
    expect(tabs.get_by_role("link", name="Records (3 not understood)")).to_be_visible()
    expect(tabs.locator("[aria-current=page]")).to_have_text("Overview")
    for key, tab in (("4", "History"), ("5", "Records"), ("6", "Phones"), ("1", "Overview")):
        page.keyboard.press(key)
        expect(tabs.locator("[aria-current=page]")).to_contain_text(tab)
    page.keyboard.press("4")
    expect(page).to_have_url(re.compile("#/links/grand/history$"))
    expect(page).to_have_title("grand · History – pmslink")
    page.reload()
    expect(tabs.locator("[aria-current=page]")).to_have_text("History")
    page.go_back()
    expect(page).to_have_title("grand: decision needed – pmslink")


def test_digits_that_are_typed_into_a_field_choose_no_tab(
    service: CannedService, canned_user: BrowserUser
) -> None:
    service.show(make_link("grand"))
    page = open_link(canned_user, "grand", "/records")
    expect(page.get_by_role("searchbox")).to_be_visible()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("101")
    expect(page.get_by_role("searchbox")).to_have_value("101")
    expect(page.locator(".tabs [aria-current=page]")).to_have_text("Records")


def test_on_a_phone_the_chosen_tab_is_scrolled_into_sight(browser: Browser, service: CannedService) -> None:
    service.show(make_link("grand"))
    with open_page(browser, service.url, viewport={"width": 320, "height": 640}) as user:
        page = open_link(user, "grand", "/phones")
        expect(page.locator(".tabs [aria-current=page]")).to_be_in_viewport(ratio=0.9)
        assert page.evaluate("document.documentElement.scrollWidth") == 320


def test_a_role_that_reads_only_is_told_so(service: CannedService, canned_user: BrowserUser) -> None:
    service.role = "view"
    service.show(make_down_link("seaside"))
    canned_user.page.reload()
    page = open_link(canned_user, "seaside")
    expect(page.locator(".verdict").get_by_role("button")).to_have_count(0)
    expect(page.get_by_role("button", name="Resync")).to_have_attribute("aria-disabled", "true")
    expect(page.get_by_role("button", name="Resync")).to_have_attribute("title", "Your role is read only.")
    page.get_by_role("button", name="More").click()
    items = page.get_by_role("menuitem")
    expect(items).to_have_count(5)
    for item in items.all():
        expect(item).to_have_attribute("aria-disabled", "true")
        expect(item).to_contain_text("Your role is read only.")
    expect(page.locator(".tabs").get_by_role("link", name="Phones")).to_have_count(0)


def test_an_unknown_link_is_reported(user: BrowserUser) -> None:
    user.page_errors.expected_errors += ["404"]
    user.navigate("#/links/nowhere")
    expect(user.page.get_by_text("There is no link of this name.")).to_be_visible()
    user.page.get_by_role("link", name="All links").click()
    expect(user.page.get_by_role("heading", level=1)).to_have_text("Links")


def test_a_link_that_somebody_removes_is_reported(hotel: HotelProcesses, user: BrowserUser) -> None:
    user.page_errors.expected_errors += ["404"]
    hotel.make_link("made")
    page = open_link(user, "made")
    hotel.remove_link("made")
    expect(page.get_by_text("There is no link of this name.")).to_be_visible()


def test_what_did_not_change_is_not_touched(hotel: HotelProcesses, user: BrowserUser) -> None:
    """S10: an unchanged state changes nothing."""
    hotel.make_docked_link("made", hotel.ports[1], alive_interval=3600)
    hotel.control("made", "enable")  # answered after the stream has told how the link docked
    user.page.reload()
    wait_for_stream(user.page)
    page = open_link(user, "made")
    expect(page.locator(".timeline rect[data-kind=in_sync]")).to_be_visible()
    expect(page.locator(".timeline + .under .push")).not_to_be_empty()
    page.evaluate(COUNT_MUTATIONS)
    for _ in range(3):
        hotel.control("made", "enable")
    received = page.locator("[data-fact=received] dd")
    before = received.inner_text()
    expect(received).not_to_have_text(before)  # the page is alive, and has loaded the link anew
    assert page.evaluate("window.mutations") == []


def test_link_checks_are_updated_while_the_state_is_unchanged(user: BrowserUser) -> None:
    page = open_link(user, "grand")
    checked = page.locator("[data-fact=check] dd")
    before = checked.get_attribute("title")
    expect(checked).not_to_have_attribute("title", before or "")
    expect(checked).to_contain_text("ago")
    expect(page.locator("[data-fact=rtt] dd")).to_contain_text("ms")
