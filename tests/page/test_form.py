"""Tests of the form for a new link in a browser, and of its errors."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.page.browser import BrowserUser
from tests.page.hotel_processes import HotelProcesses


@pytest.fixture
def page(user: BrowserUser) -> Page:
    user.page.get_by_role("link", name="Add a link").click()
    expect(user.page.get_by_role("heading", level=1)).to_have_text("A new link")
    return user.page


def _field(page: Page, name: str) -> Locator:
    return page.locator(f"#setting-{name}")


def _fill(page: Page, name: str, port: int, profile: str = "generic", host: str = "127.0.0.1") -> None:
    for key, value in {"name": name, "host": host, "port": str(port)}.items():
        _field(page, key).fill(value)
    _field(page, "profile").select_option(profile)


def _make(page: Page) -> None:
    page.get_by_role("button", name="Make the link").click()


def _expect_error(page: Page, name: str, text: str) -> None:
    """Check that the field shows the error, and that a screen reader announces it."""
    expect(_field(page, name)).to_have_attribute("aria-invalid", "true")
    expect(_field(page, name)).to_have_accessible_description(re.compile(re.escape(text)))
    expect(page.locator(f"#setting-{name}-error")).to_be_visible()


def test_each_required_field_that_is_empty_shows_an_error(hotel: HotelProcesses, page: Page) -> None:
    _make(page)
    _expect_error(page, "name", "It must be 1 to 64 letters, digits, “-” and “_”.")
    _expect_error(page, "host", "It must be ")
    _expect_error(page, "port", "It must be a whole number from 1 to 65535.")
    _expect_error(page, "profile", 'It must be "generic" or "opera" or "suite8" or "protel".')
    expect(_field(page, "name")).to_be_focused()
    expect(page.locator("[aria-invalid]")).to_have_count(4)
    _fill(page, "made", 1)
    _make(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("made")


def test_an_invalid_value_shows_an_error_at_its_field(page: Page) -> None:
    _fill(page, "made", 70_000)
    page.get_by_text("All settings").click()
    _field(page, "alive_interval").fill("0")
    page.get_by_text("All settings").click()
    expect(_field(page, "alive_interval")).to_be_hidden()
    _make(page)
    _expect_error(page, "port", "It must be a whole number from 1 to 65535.")
    _field(page, "port").fill("1")
    _make(page)
    expect(_field(page, "port")).not_to_have_attribute("aria-invalid", "true")
    _expect_error(page, "alive_interval", "It must be a number of seconds from 0.1 to 86400.")
    expect(_field(page, "alive_interval")).to_be_focused()


INVALID_VALUES = (
    ("name", "the grand", "letters, digits"),
    ("timezone", "Mars/Base", "must be a time zone"),
    ("charset", "klingon", "must be a character set"),
    ("records", "GI = QQ", "must be"),
    ("records", "GI", "It must be"),
)


def test_an_error_of_the_service_is_shown_at_its_field(user: BrowserUser, page: Page) -> None:
    user.page_errors.expected_errors += ["400"]
    page.get_by_text("All settings").click()
    for name, value, error in INVALID_VALUES:
        _fill(page, "made", 1)
        _field(page, name).fill(value)
        _make(page)
        _expect_error(page, name, error)
        expect(page.locator("[aria-invalid]")).to_have_count(1)
        expect(_field(page, name)).to_be_focused()
        _field(page, name).fill("")


def test_a_name_that_exists_shows_an_error(user: BrowserUser, page: Page) -> None:
    user.page_errors.expected_errors += ["409"]
    _fill(page, "grand", 1)
    _make(page)
    expect(page.locator("form > .answer")).to_contain_text("The link name already exists.")
    expect(page.get_by_role("heading", level=1)).to_have_text("A new link")


def test_the_defaults_are_those_of_the_profile(page: Page) -> None:
    page.get_by_text("All settings").click()
    for profile, interval, alive_on in (("opera", "300", "any"), ("generic", "30", "LA")):
        _field(page, "profile").select_option(profile)
        expect(_field(page, "alive_interval")).to_have_attribute("placeholder", f"default: {interval}")
        expect(_field(page, "alive_on").locator("option:checked")).to_have_text(f"default: {alive_on}")


def test_all_settings_are_sent_as_entered(hotel: HotelProcesses, page: Page) -> None:
    _fill(page, "made", 4711, "protel")
    page.get_by_text("All settings").click()
    _field(page, "alive_interval").fill("1.5")
    _field(page, "send_limit").fill("7")
    _field(page, "describe").select_option(label="no")
    _field(page, "unanswered").select_option("resend")
    _field(page, "timezone").fill("Asia/Shanghai")
    _field(page, "records").fill("GI = RNG#GSGN\n\nGO=RNGS\n")
    _make(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("made")
    settings = hotel.link("made")["settings"]
    assert settings["alive_interval"] == 1.5
    assert settings["send_limit"] == 7
    assert settings["describe"] is False
    assert settings["unanswered"] == "resend"
    assert settings["timezone"] == "Asia/Shanghai"
    assert settings["records"] == {"GI": "RNG#GSGN", "GO": "RNGS"}


def test_cancel_creates_no_link(hotel: HotelProcesses, page: Page) -> None:
    _fill(page, "made", 1)
    page.get_by_role("link", name="Cancel").click()
    expect(page.locator(".row h2")).to_have_text(["grand"])


def test_a_connection_test_passes_all_steps(hotel: HotelProcesses, page: Page) -> None:
    _fill(page, "made", hotel.ports[1])
    page.get_by_role("button", name="Test without saving").click()
    steps = page.locator(".trial li")
    expect(page.locator(".trial .answer")).to_contain_text("All steps succeeded")
    expect(steps.locator("strong")).to_have_text(
        ["Name", "Connection", "Link start", "Link description", "Confirmation"]
    )
    expect(page.locator(".trial li[data-mood=good]")).to_have_count(5)
    expect(steps.first).to_contain_text("127.0.0.1 is an address")
    expect(page.get_by_role("button", name="Test without saving")).to_be_enabled()
    assert [link["name"] for link in hotel.pbx.call("GET", "/api/v1/links")["links"]] == ["grand"]


def test_a_failed_connection_test_shows_the_step_and_its_meaning(
    hotel: HotelProcesses, user: BrowserUser, page: Page
) -> None:
    _fill(page, "made", 1)
    page.get_by_role("button", name="Test without saving").click()
    connection = page.locator(".trial li[data-step=connect]")
    expect(connection).to_have_attribute("data-mood", "bad")
    expect(connection).to_contain_text("127.0.0.1:1 refused the connection")
    expect(page.locator(".trial li[data-step=resolve]")).to_have_attribute("data-mood", "good")
    expect(page.locator(".trial li[data-mood=off]")).to_contain_text(["not tried"] * 3)
    expect(page.locator(".trial .answer.error")).to_contain_text("Nothing takes the connection.")

    user.page_errors.expected_errors += ["409"]
    _field(page, "port").fill(str(hotel.ports[0]))
    page.get_by_role("button", name="Test without saving").click()
    expect(page.locator("form > .answer")).to_contain_text("The address is already in use.")
    expect(page.locator(".trial")).to_be_hidden()
