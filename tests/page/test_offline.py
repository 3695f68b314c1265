"""Tests of the page in a browser during and after an outage of the service."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.page.browser import BrowserUser, open_page
from tests.page.hotel_processes import HotelProcesses
from tests.page.link_rows import expect_names, row
from tests.process.server_processes import free_ports, run_service

STRIP = "#strip [data-kind=offline], #strip[data-kind=offline] .strip"


def test_changes_during_an_outage_are_shown_after_it_without_a_reload(
    hotel: HotelProcesses, user: BrowserUser
) -> None:
    user.page_errors.expected_errors += ["ERR_INTERNET_DISCONNECTED"]
    hotel.make_link("made")
    marker = row(user.page, "made").locator(".marker")
    strip = user.page.locator(STRIP)
    expect(marker).to_have_text("DISABLED")
    expect(strip).to_be_hidden()
    _mark(user)

    user.context.set_offline(True)
    # at once, and not only when a heartbeat of the stream (15 s) is missing
    expect(strip).to_contain_text("The service has not answered for", timeout=10_000)
    expect(user.page).to_have_title(re.compile(r"^\(offline\) Links"))
    expect(user.page.locator("main")).to_have_css("filter", "grayscale(1)")
    hotel.control("made", "expire")
    expect(marker).to_have_text("DISABLED")

    user.context.set_offline(False)
    expect(marker).to_have_text("EXPIRED")
    expect(strip).to_be_hidden()
    expect(user.page).to_have_title(re.compile(r"^Links"))
    expect(user.page.locator("main")).to_have_css("filter", "none")
    _require_not_reloaded(user)


def test_links_created_and_removed_during_an_outage_are_shown_correctly_after_it(
    hotel: HotelProcesses, user: BrowserUser
) -> None:
    user.page_errors.expected_errors += ["ERR_INTERNET_DISCONNECTED"]
    hotel.make_link("old")
    expect_names(user.page, "grand", "old")
    user.context.set_offline(True)
    expect(user.page.locator(STRIP)).to_be_visible()
    hotel.remove_link("old")
    hotel.make_link("new")
    user.context.set_offline(False)
    expect_names(user.page, "grand", "new")


def test_the_page_reconnects_to_a_restarted_service(
    hotel: HotelProcesses, browser: Browser, tmp_path: Path
) -> None:
    (port,) = free_ports(1)
    pms = hotel.ports[1]
    with run_service(tmp_path, pms, port) as pbx, open_page(browser, f"http://127.0.0.1:{port}") as user:
        user.page_errors.expected_errors += ["net::ERR_"]
        link = user.page.locator(".links .r:not(.h)").first
        marker = link.locator(".marker")
        strip = user.page.locator(STRIP)
        pbx.wait_until_state("ESTABLISHED")
        expect(marker).to_have_text("ESTABLISHED")
        _mark(user)
        pbx.kill()
        expect(strip).to_be_visible()
        hotel.set_faults(pms, frozen=True)
        with run_service(tmp_path, pms, port):
            expect(strip).to_be_hidden()
            expect(marker).to_have_text("EXPECTION")
            expect(link).to_contain_text("(LS)")
            hotel.set_faults(pms, frozen=False)
            expect(marker).to_have_text("ESTABLISHED")
        _require_not_reloaded(user)


def test_the_page_waits_for_a_service_that_does_not_answer_yet(user: BrowserUser) -> None:
    user.page_errors.expected_errors += ["502"]
    for path, place in (("**/api/v1/**", STRIP), ("**/texts/*.json", "#starting")):
        user.page.route(path, lambda route: route.fulfill(status=502, body="the proxy is alone"))
        user.page.reload()
        expect(user.page.locator(place)).to_be_visible()
        user.page.unroute(path)
        expect_names(user.page, "grand")
        expect(user.page.locator(place)).to_be_hidden()


def _mark(user: BrowserUser) -> None:
    user.page.evaluate("window.marker = 1")


def _require_not_reloaded(user: BrowserUser) -> None:
    assert user.page.evaluate("window.marker") == 1
