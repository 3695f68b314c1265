"""Tests of a link's controls in a browser: when they are enabled, confirmation, and results."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.page.browser import BrowserUser
from tests.page.hotel_processes import HotelProcesses
from tests.process.server_processes import wait_until


@pytest.fixture
def page(user: BrowserUser) -> Page:
    user.navigate("#/links/grand")
    expect(user.page.get_by_role("heading", level=1)).to_have_text("grand")
    return user.page


def _control(page: Page, name: str) -> Locator:
    return page.locator(".controls").get_by_role("button", name=name, exact=True)


def _expect_active(page: Page, *names: str) -> None:
    expect(page.locator(".controls button:not([aria-disabled])")).to_have_text(names)
    expect(page.locator(".controls button")).to_have_count(5)


def test_only_applicable_controls_are_enabled(hotel: HotelProcesses, page: Page) -> None:
    marker = page.locator(".head .marker")
    expect(marker).to_have_text("ESTABLISHED")
    _expect_active(page, "Resync", "Disconnect", "Disable", "Mark as expired")

    hotel.control("grand", "disconnect")
    expect(marker).to_have_text("CLOSED")
    _expect_active(page, "Enable", "Disable", "Mark as expired")

    hotel.control("grand", "disable")
    expect(marker).to_have_text("DISABLED")
    _expect_active(page, "Enable", "Mark as expired")

    hotel.control("grand", "expire")
    expect(marker).to_have_text("EXPIRED")
    _expect_active(page, "Enable", "Disable")


def test_a_link_with_an_ended_subscription_cannot_be_enabled(hotel: HotelProcesses, page: Page) -> None:
    hotel.make_link("ended", enabled=True, expires_at="2026-01-01T00:00:00Z")
    page.goto(f"{hotel.url}/#/links/ended")
    expect(page.locator(".head .marker")).to_have_text("EXPIRED")
    _expect_active(page, "Disable")
    expect(page.locator(".head")).to_contain_text("Renew the subscription")


def test_an_abnormal_link_can_be_redialled_at_once(hotel: HotelProcesses, page: Page) -> None:
    hotel.make_link("lost", enabled=True, retry_initial=3600, retry_max=3600)
    page.goto(f"{hotel.url}/#/links/lost")
    marker = page.locator(".head .marker")
    expect(marker).to_have_text("EXPECTION")
    _expect_active(page, "Redial now", "Disconnect", "Disable", "Mark as expired")
    _control(page, "Redial now").click()
    expect(page.locator(".controls .answer")).to_contain_text("Redial now: done.")
    expect(page.locator(".past tbody tr")).to_have_count(5)
    assert [transition["to"] for transition in hotel.transitions("lost")] == [
        "CLOSED",
        "WAIT_LS",
        "EXPECTION",
        "WAIT_LS",
        "EXPECTION",
    ]


def test_disconnect_needs_confirmation_and_reports_its_result(hotel: HotelProcesses, page: Page) -> None:
    dialog = page.get_by_role("dialog")
    _control(page, "Disconnect").click()
    expect(dialog).to_contain_text("Disconnect grand in good order (LE)?")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    _control(page, "Disconnect").click()
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()
    assert hotel.link()["state"] == "ESTABLISHED"

    _control(page, "Disconnect").click()
    dialog.get_by_role("button", name="Disconnect").click()
    expect(page.locator(".controls .answer")).to_contain_text("Disconnect: done. The link is")
    expect(page.locator(".head .marker")).to_have_text("CLOSED")
    expect(page.locator(".head")).to_contain_text("Disconnected by a user")
    assert hotel.link()["intent"] == "disconnected"


def test_enable_and_resync_need_no_confirmation(hotel: HotelProcesses, page: Page) -> None:
    hotel.control("grand", "disable")
    _control(page, "Enable").click()
    expect(page.locator(".controls .answer")).to_contain_text("Enable: done.")
    expect(page.locator(".head .marker")).to_have_text("ESTABLISHED")
    before = hotel.pbx.wait_until_state("ESTABLISHED")["resync"]["started"]
    _control(page, "Resync").click()
    expect(page.locator(".controls .answer")).to_have_text(
        "Resync: done. The link is ESTABLISHED (Link established)."
    )
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.locator(".head")).to_contain_text("records")
    # the page has the answer before the PMS has the request
    wait_until(lambda: hotel.link()["resync"]["started"] != before, "the PMS has begun another resync")


def test_a_control_that_no_longer_applies_shows_the_error(
    hotel: HotelProcesses, user: BrowserUser, page: Page
) -> None:
    user.page_errors.expected_errors += ["409"]
    _control(page, "Disconnect").click()
    hotel.control("grand", "expire")
    expect(page.locator(".head .marker")).to_have_text("EXPIRED")
    page.get_by_role("dialog").get_by_role("button", name="Disconnect").click()
    answer = page.locator(".controls .answer.error")
    expect(answer).to_contain_text(
        "This is not possible in the present state. grand is EXPIRED: there is nothing to disconnect."
    )
