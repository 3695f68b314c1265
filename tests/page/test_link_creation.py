"""Tests of a link that is created, enabled, changed and removed in the page, in a browser."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from tests.page.browser import BrowserUser
from tests.page.hotel_processes import HotelProcesses


def _interval(page: Page) -> Locator:
    page.get_by_role("link", name="Change settings").click()
    page.get_by_text("All settings").click()
    return page.get_by_label("alive_interval (seconds)")


def _save(page: Page) -> None:
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".head h1")).to_have_text("made")


def test_a_link_is_created_enabled_and_docks(hotel: HotelProcesses, user: BrowserUser) -> None:
    page = user.page
    page.get_by_role("link", name="Add a link").click()
    page.get_by_label("name", exact=True).fill("made")
    page.get_by_label("host").fill("127.0.0.1")
    page.get_by_label("port").fill(str(hotel.ports[1]))
    page.get_by_label("profile").select_option("generic")
    page.get_by_role("button", name="Make the link").click()

    expect(page.locator(".head h1")).to_have_text("made")
    expect(page.locator(".head .marker")).to_have_text("DISABLED")
    page.get_by_role("button", name="Enable").click()
    expect(page.locator(".head .marker")).to_have_text("ESTABLISHED")
    expect(page.locator(".head .sync")).to_have_text("in sync")
    assert page.url.endswith("#/links/made")


def test_a_setting_is_saved_and_reset_to_its_default_when_cleared(
    hotel: HotelProcesses, user: BrowserUser
) -> None:
    page = user.page
    hotel.make_link("made", charset="gbk")
    user.navigate("#/links/made")
    _interval(page).fill("7")
    _save(page)
    assert hotel.link("made")["settings"]["alive_interval"] == 7
    assert hotel.link("made")["settings"]["charset"] == "gbk"

    interval = _interval(page)
    expect(interval).to_have_value("7")
    interval.fill("")
    hotel.pbx.call("PATCH", "/api/v1/links/made", {"timezone": "Asia/Shanghai"})
    _save(page)
    settings = hotel.link("made")["settings"]
    assert settings["alive_interval"] == 30
    assert settings["timezone"] == "Asia/Shanghai"  # the change of another user is preserved
    interval = _interval(page)
    expect(interval).to_have_value("")
    expect(interval).to_have_attribute("placeholder", "default: 30")


def test_removing_a_link_needs_confirmation(hotel: HotelProcesses, user: BrowserUser) -> None:
    user.page_errors.expected_errors += ["404"]  # the page may request the link once more while it is removed
    page = user.page
    hotel.make_link("made")
    user.navigate("#/links/made")
    dialog = page.get_by_role("dialog")
    page.get_by_role("button", name="Remove the link").click()
    expect(dialog).to_contain_text("Remove the link made")
    dialog.get_by_role("button", name="Cancel").click()
    assert hotel.link("made")["name"] == "made"

    page.get_by_role("button", name="Remove the link").click()
    dialog.get_by_role("button", name="Remove the link").click()
    expect(page.locator(".row h2")).to_have_text(["grand"])
    assert page.url.endswith("#/")
    assert [link["name"] for link in hotel.pbx.call("GET", "/api/v1/links")["links"]] == ["grand"]


def test_removing_a_link_with_open_postings_asks_whether_to_discard_them(
    hotel: HotelProcesses, user: BrowserUser
) -> None:
    user.page_errors.expected_errors += ["409", "404"]
    page = user.page
    hotel.make_link("made")
    hotel.enqueue_posting("made", type="charge", room="101", amount=250)
    user.navigate("#/links/made")
    dialog = page.get_by_role("dialog")
    page.get_by_role("button", name="Remove the link").click()
    dialog.get_by_role("button", name="Remove the link").click()
    expect(dialog).to_contain_text("Give them up, and remove made?")
    dialog.get_by_role("button", name="Cancel").click()
    expect(page.locator(".one > .error")).to_contain_text("The outbox has unfinished postings.")
    page.get_by_role("button", name="Remove the link").click()
    dialog.get_by_role("button", name="Remove the link").click()
    expect(dialog).to_contain_text("Give them up, and remove made?")
    dialog.get_by_role("button", name="Remove the link").click()
    expect(page.locator(".row h2")).to_have_text(["grand"])


def test_a_link_that_another_user_removes_is_reported_missing(
    hotel: HotelProcesses, user: BrowserUser
) -> None:
    user.page_errors.expected_errors += ["404"]  # the page may request the link once more while it is removed
    hotel.make_link("made")
    user.navigate("#/links/made")
    expect(user.page.locator(".head h1")).to_have_text("made")
    hotel.remove_link("made")
    expect(user.page.get_by_text("There is no link made.")).to_be_visible()
    user.page.get_by_role("link", name="All links").click()
    expect(user.page.locator(".row h2")).to_have_text(["grand"])


def test_a_link_of_the_configuration_file_cannot_be_changed_in_the_page(user: BrowserUser) -> None:
    user.navigate("#/links/grand")
    expect(user.page.locator(".head h1")).to_have_text("grand")
    expect(user.page.get_by_role("button", name="Remove the link")).to_be_hidden()
    user.page.get_by_role("link", name="Settings").click()
    expect(user.page.locator(".note")).to_contain_text("is defined in the configuration file")
    expect(user.page.get_by_label("host")).to_be_disabled()
    expect(user.page.get_by_role("button", name="Save")).to_have_count(0)
