"""Tests of what a link needs, with a real service and a PMS: shown in the list and on the link's page."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from functools import partial

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.page.browser import BrowserUser
from tests.page.hotel_processes import HotelProcesses, require_success
from tests.process.server_processes import wait_until

HINT_TIMEOUT_S = 15.0
"""Seconds in which the hint about the framing is visible after the click that saves the link.

It is visible long before the start timeout of 30 s."""
CALL = {"type": "call", "room": "101", "dialled": "+49 89 1234", "duration": 61, "amount": 250}
TIME = r"\d\d:\d\d"


@pytest.fixture
def pages(hotel: HotelProcesses, user: BrowserUser) -> Iterator[tuple[Page, Page]]:
    """Return the page with the list of links, and another one with the form for the link `made`."""
    other = user.context.new_page()
    other.goto(f"{hotel.url}/#/new")
    expect(other.get_by_role("heading", level=1)).to_have_text("A new link")
    expect(user.page.locator(".row")).to_have_count(1)
    yield user.page, other
    other.close()


@pytest.fixture
def pms_port(hotel: HotelProcesses) -> int:
    return hotel.ports[1]


def _findings(page: Page) -> Locator:
    """Return the findings of the link `made`, in the list or on its own page."""
    return (
        page.locator(".row", has=page.get_by_role("link", name="made"))
        .or_(page.locator(".head"))
        .locator(".findings li")
    )


def _open_link(page: Page) -> None:
    page.evaluate("location.hash = '#/links/made'")
    expect(page.locator(".head h1")).to_have_text("made")


def _expect_finding(pages: tuple[Page, Page], text: str) -> None:
    """Check that the list and the link's page show this finding, without a click."""
    _open_link(pages[1])
    for page in pages:
        finding = _findings(page).filter(has_text=re.compile(text))
        expect(finding).to_have_count(1)
        expect(finding).to_be_visible()


@pytest.mark.parametrize("saved", ["new", "changed"])
def test_the_hint_about_lines_is_shown_within_3_s_of_saving_the_link(
    hotel: HotelProcesses, pages: tuple[Page, Page], pms_port: int, saved: str
) -> None:
    hotel.set_faults(pms_port, framing="crlf")
    overview, form = pages
    if saved == "changed":
        hotel.make_link("made", enabled=True)
        form.evaluate("location.hash = '#/links/made/settings'")
        expect(form.get_by_role("heading", level=1)).to_have_text("Settings of made")
        form.get_by_label("port").fill(str(pms_port))
    else:
        form.get_by_label("name", exact=True).fill("made")
        form.get_by_label("host").fill("127.0.0.1")
        form.get_by_label("port").fill(str(pms_port))
        form.get_by_label("profile").select_option("generic")
        form.get_by_label("enabled").select_option("yes")
    form.get_by_role("button", name="Save" if saved == "changed" else "Make the link").click()
    deadline = time.monotonic() + HINT_TIMEOUT_S
    for page in (overview, form):
        hint = _findings(page).get_by_role("link", name="framing = crlf would read it")
        expect(hint).to_be_visible(timeout=1000 * max(0.001, deadline - time.monotonic()))
        expect(_findings(page)).to_contain_text(
            [
                re.compile(
                    r"^23 bytes came, no STX … ETX: LS\|DA\d{6}\|TI\d{6}\| — framing = crlf would read it"
                )
            ]
        )


def test_the_suggested_framing_docks_the_link(
    hotel: HotelProcesses, pages: tuple[Page, Page], pms_port: int
) -> None:
    hotel.set_faults(pms_port, framing="crlf")
    hotel.make_link("made", pms_port, enabled=True)
    page = pages[0]
    page.get_by_role("link", name="framing = crlf would read it").click()
    expect(page.locator("#setting-framing")).to_have_value("crlf")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".head .marker")).to_have_text("ESTABLISHED")
    expect(_findings(page)).to_have_count(0)


def test_the_test_of_an_address_suggests_the_framing(
    hotel: HotelProcesses, pages: tuple[Page, Page], pms_port: int
) -> None:
    hotel.set_faults(pms_port, framing="crlf")
    form = pages[1]
    form.get_by_label("host").fill("127.0.0.1")
    form.get_by_label("port").fill(str(pms_port))
    form.get_by_label("name", exact=True).fill("made")
    form.get_by_label("profile").select_option("generic")
    form.get_by_role("button", name="Test without saving").click()
    step = form.locator('[data-step="link_start"]')
    expect(step).to_contain_text(re.compile(r"23 bytes came: LS\|DA\d{6}\|TI\d{6}\|··"))
    expect(step.locator(".advice")).to_contain_text("framing")
    step.get_by_role("button", name="Use framing = crlf").click()
    form.get_by_role("button", name="Test without saving").click()
    expect(form.locator(".trial .answer")).to_contain_text("All steps succeeded")


def test_a_posting_in_doubt_is_shown(hotel: HotelProcesses, pages: tuple[Page, Page], pms_port: int) -> None:
    hotel.make_docked_link("made", pms_port, answer_timeout=0.5, alive_interval=1, alive_timeout=3)
    hotel.set_faults(pms_port, pa_skip=1)
    hotel.enqueue_posting("made", **CALL)
    _expect_finding(pages, "1 posting in doubt: the PMS did not say whether it booked.")
    hotel.enqueue_posting("made", **CALL)
    _expect_finding(pages, f"The PMS does not answer postings: the next one goes out at {TIME}. 1 waiting.")
    expect(pages[0].locator(".row h2")).to_have_text(["made", "grand"])


def test_a_running_resync_is_shown_until_it_ends(
    hotel: HotelProcesses, pages: tuple[Page, Page], pms_port: int
) -> None:
    hotel.set_faults(pms_port, de_missing=True)
    hotel.make_link("made", pms_port, enabled=True)
    wait_until(lambda: (hotel.link("made")["held"] or {}).get("by") == "resync", "the resync has started")
    hotel.enqueue_posting("made", **CALL)
    _expect_finding(pages, rf"Resync since {TIME}, \d+ records? so far: nothing is sent .* 1 waiting.")
    hotel.send_record(pms_port, "DE|")
    for page in pages:
        expect(_findings(page)).to_have_count(0)


def test_a_night_audit_is_shown_until_it_ends(
    hotel: HotelProcesses, pages: tuple[Page, Page], pms_port: int
) -> None:
    hotel.make_docked_link("made", pms_port)
    hotel.call_desk("POST", "/audit/start", pms_port)
    _expect_finding(pages, f"Night audit since {TIME}: postings wait, nothing is lost.")
    hotel.enqueue_posting("made", **CALL)
    _expect_finding(pages, f"Night audit since {TIME}: postings wait, nothing is lost. 1 waiting.")
    hotel.call_desk("POST", "/audit/end", pms_port)
    for page in pages:
        expect(_findings(page)).to_have_count(0)


def test_records_that_are_not_understood_are_shown(
    hotel: HotelProcesses, pages: tuple[Page, Page], pms_port: int
) -> None:
    hotel.make_docked_link("made", pms_port)
    hotel.send_record(pms_port, "GI|G#1|GNNobody|")
    _expect_finding(pages, f"1 record not understood, last {TIME}: GI: ")
    record = pages[1].locator(".records li.not-understood")
    expect(record).to_have_count(1)
    expect(record.locator(".problem")).to_contain_text("Not understood: ")


def test_three_outages_in_an_hour_are_shown(
    hotel: HotelProcesses, pages: tuple[Page, Page], pms_port: int
) -> None:
    hotel.make_docked_link("made", pms_port, retry_initial=0.1, retry_max=1)
    for count in (1, 2, 3):
        require_success(hotel.pms.call("POST", f"/link/drop?port={pms_port}"))
        wait_until(partial(_is_back, hotel, count), "the link is back")
    cause = "lost within 10 s, three times in a row"
    _expect_finding(pages, rf"3 outages in the last hour, last {TIME}, \d+ s: {cause}")
    expect(pages[0].locator(".row h2")).to_have_text(["made", "grand"])
    expect(pages[0].locator(".row").first).to_have_attribute("data-mood", "look")


def _is_back(hotel: HotelProcesses, outages: int) -> bool:
    link = hotel.link("made")
    return bool(link["in_sync"] and link["outages"]["last_hour"] == outages)


def test_a_clock_that_is_off_is_shown(hotel: HotelProcesses, pages: tuple[Page, Page], pms_port: int) -> None:
    hotel.make_docked_link("made", pms_port, timezone="Pacific/Apia")
    _expect_finding(pages, "The clock of the PMS is .* hotel's local time: wake-ups .* — check timezone")
