"""The page in a real browser while it cannot reach the service, and when it can again."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.page.browser import Person, somebody
from tests.page.hotel_processes import Hotel
from tests.process.server_processes import free_ports, service


def test_who_was_offline_is_told_what_was_missed_without_a_reload(hotel: Hotel, person: Person) -> None:
    person.watched.expected += ["ERR_INTERNET_DISCONNECTED"]
    hotel.make("made")
    row = person.page.locator(".row", has_text="made")
    notice = person.page.locator(".notice.offline")
    expect(row.locator(".marker")).to_have_text("DISABLED")
    expect(notice).to_be_hidden()
    _mark(person)

    person.context.set_offline(True)
    expect(notice).to_contain_text("The service has not been reachable since", timeout=2_000)
    expect(person.page.locator("main")).to_have_css("filter", "grayscale(1)")
    hotel.control("made", "expire")
    expect(row.locator(".marker")).to_have_text("DISABLED")
    expect(person.page.locator(".toast")).to_have_count(0)

    person.context.set_offline(False)
    expect(row.locator(".marker")).to_have_text("EXPIRED")
    expect(person.page.locator(".toast")).to_contain_text("DISABLED → EXPIRED")
    expect(notice).to_be_hidden()
    expect(person.page.locator("main")).to_have_css("filter", "none")
    _require_not_reloaded(person)


def test_links_that_were_made_and_removed_meanwhile_are_so_afterwards(hotel: Hotel, person: Person) -> None:
    person.watched.expected += ["ERR_INTERNET_DISCONNECTED"]
    hotel.make("old")
    names = person.page.locator(".row h2")
    expect(names).to_have_text(["grand", "old"])
    person.context.set_offline(True)
    expect(person.page.locator(".notice.offline")).to_be_visible()
    hotel.remove("old")
    hotel.make("new")
    person.context.set_offline(False)
    expect(names).to_have_text(["grand", "new"])


def test_a_control_that_cannot_be_sent_says_so(hotel: Hotel, person: Person) -> None:
    person.watched.expected += ["ERR_INTERNET_DISCONNECTED"]
    hotel.make("made")
    person.go("#/links/made")
    enable = person.page.get_by_role("button", name="Enable")
    expect(enable).to_be_enabled()
    person.context.set_offline(True)
    enable.click()
    expect(person.page.locator(".controls .answer")).to_contain_text("The service did not answer.")


def test_the_page_comes_back_by_itself_to_a_service_that_was_killed(
    hotel: Hotel, browser: Browser, tmp_path: Path
) -> None:
    (port,) = free_ports(1)
    pms = hotel.ports[1]
    with service(tmp_path, pms, port) as pbx, somebody(browser, f"http://127.0.0.1:{port}") as person:
        person.watched.expected += ["net::ERR_"]
        marker = person.page.locator(".row .marker")
        notice = person.page.locator(".notice.offline")
        pbx.until_state("ESTABLISHED")
        expect(marker).to_have_text("ESTABLISHED")
        _mark(person)
        pbx.kill()
        expect(notice).to_be_visible()
        hotel.fault(pms, frozen=True)
        with service(tmp_path, pms, port):
            expect(notice).to_be_hidden()
            expect(marker).to_have_text("EXPECTION")
            expect(person.page.locator(".row")).to_contain_text("no link start (LS) came within 3 s")
            hotel.fault(pms, frozen=False)
            expect(marker).to_have_text("ESTABLISHED")
        _require_not_reloaded(person)


def test_a_service_that_does_not_answer_yet_is_waited_for(person: Person) -> None:
    person.watched.expected += ["502"]
    for path, told in (("**/api/v1/**", ".notice.offline"), ("**/known.json", "#starting")):
        person.page.route(path, lambda route: route.fulfill(status=502, body="the proxy is alone"))
        person.page.reload()
        expect(person.page.locator(told)).to_be_visible()
        person.page.unroute(path)
        expect(person.page.locator(".row h2")).to_have_text(["grand"])
        expect(person.page.locator(told)).to_be_hidden()


def _mark(person: Person) -> None:
    person.page.evaluate("window.marker = 1")


def _require_not_reloaded(person: Person) -> None:
    assert person.page.evaluate("window.marker") == 1
