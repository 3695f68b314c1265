"""Tests of the page in a browser during and after an outage of the service."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.page.browser import BrowserUser, open_page
from tests.page.hotel_processes import HotelProcesses
from tests.process.server_processes import free_ports, run_service


def test_changes_during_an_outage_are_shown_after_it_without_a_reload(
    hotel: HotelProcesses, user: BrowserUser
) -> None:
    user.page_errors.expected_errors += ["ERR_INTERNET_DISCONNECTED"]
    hotel.make_link("made")
    row = user.page.locator(".row", has_text="made")
    notice = user.page.locator(".notice.offline")
    expect(row.locator(".marker")).to_have_text("DISABLED")
    expect(notice).to_be_hidden()
    _mark(user)

    user.context.set_offline(True)
    # at once, and not only when a heartbeat of the stream (15 s) is missing
    expect(notice).to_contain_text("The service has not been reachable since", timeout=10_000)
    expect(user.page.locator("main")).to_have_css("filter", "grayscale(1)")
    hotel.control("made", "expire")
    expect(row.locator(".marker")).to_have_text("DISABLED")
    expect(user.page.locator(".toast")).to_have_count(0)

    user.context.set_offline(False)
    expect(row.locator(".marker")).to_have_text("EXPIRED")
    expect(user.page.locator(".toast")).to_contain_text("DISABLED → EXPIRED")
    expect(notice).to_be_hidden()
    expect(user.page.locator("main")).to_have_css("filter", "none")
    _require_not_reloaded(user)


def test_links_created_and_removed_during_an_outage_are_shown_correctly_after_it(
    hotel: HotelProcesses, user: BrowserUser
) -> None:
    user.page_errors.expected_errors += ["ERR_INTERNET_DISCONNECTED"]
    hotel.make_link("old")
    names = user.page.locator(".row h2")
    expect(names).to_have_text(["old", "grand"])
    user.context.set_offline(True)
    expect(user.page.locator(".notice.offline")).to_be_visible()
    hotel.remove_link("old")
    hotel.make_link("new")
    user.context.set_offline(False)
    expect(names).to_have_text(["new", "grand"])


def test_a_control_that_cannot_be_sent_shows_an_error(hotel: HotelProcesses, user: BrowserUser) -> None:
    user.page_errors.expected_errors += ["ERR_INTERNET_DISCONNECTED"]
    hotel.make_link("made")
    user.navigate("#/links/made")
    enable = user.page.get_by_role("button", name="Enable")
    expect(enable).to_be_enabled()
    user.context.set_offline(True)
    enable.click()
    expect(user.page.locator(".controls .answer")).to_contain_text("The service did not answer.")


def test_the_page_reconnects_to_a_restarted_service(
    hotel: HotelProcesses, browser: Browser, tmp_path: Path
) -> None:
    (port,) = free_ports(1)
    pms = hotel.ports[1]
    with run_service(tmp_path, pms, port) as pbx, open_page(browser, f"http://127.0.0.1:{port}") as user:
        user.page_errors.expected_errors += ["net::ERR_"]
        marker = user.page.locator(".row .marker")
        notice = user.page.locator(".notice.offline")
        pbx.wait_until_state("ESTABLISHED")
        expect(marker).to_have_text("ESTABLISHED")
        _mark(user)
        pbx.kill()
        expect(notice).to_be_visible()
        hotel.set_faults(pms, frozen=True)
        with run_service(tmp_path, pms, port):
            expect(notice).to_be_hidden()
            expect(marker).to_have_text("EXPECTION")
            expect(user.page.locator(".row")).to_contain_text("sent no link start (LS) within 3 s")
            hotel.set_faults(pms, frozen=False)
            expect(marker).to_have_text("ESTABLISHED")
        _require_not_reloaded(user)


def test_the_page_waits_for_a_service_that_does_not_answer_yet(user: BrowserUser) -> None:
    user.page_errors.expected_errors += ["502"]
    for path, notice in (("**/api/v1/**", ".notice.offline"), ("**/known.json", "#starting")):
        user.page.route(path, lambda route: route.fulfill(status=502, body="the proxy is alone"))
        user.page.reload()
        expect(user.page.locator(notice)).to_be_visible()
        user.page.unroute(path)
        expect(user.page.locator(".row h2")).to_have_text(["grand"])
        expect(user.page.locator(notice)).to_be_hidden()


def _mark(user: BrowserUser) -> None:
    user.page.evaluate("window.marker = 1")


def _require_not_reloaded(user: BrowserUser) -> None:
    assert user.page.evaluate("window.marker") == 1
