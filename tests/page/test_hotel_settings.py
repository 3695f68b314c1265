"""Tests of the settings of rooms, phones, tariff and webhook in a browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.page.browser import BrowserUser
from tests.page.hotel_processes import HotelProcesses

SECRET = "correct horse battery staple"
TARIFF = """
rounding = 10
0043: price = 15, interval = 60, connection = 20, call_type = N

*: interval=30,price=40
"""


def _field(page: Page, name: str) -> Locator:
    return page.locator(f"#setting-{name}")


def _change(user: BrowserUser) -> Page:
    user.navigate("#/links/made")
    user.page.get_by_role("link", name="Change settings").click()
    user.page.get_by_text("All settings").click()
    return user.page


def _save(page: Page) -> None:
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".head h1")).to_have_text("made")


def _expect_error(page: Page, name: str, text: str) -> None:
    expect(_field(page, name)).to_have_attribute("aria-invalid", "true")
    expect(_field(page, name)).to_have_accessible_description(re.compile(re.escape(text)))


def test_multi_line_settings_are_saved_and_shown_again(hotel: HotelProcesses, user: BrowserUser) -> None:
    hotel.make_link("made")
    page = _change(user)
    _field(page, "extensions").select_option("prefix")
    _field(page, "extension_prefix").fill("7")
    _field(page, "status_codes").fill("*61 = 1\n0=2")
    _field(page, "tariff").fill(TARIFF)
    _field(page, "wake_up_attempts").fill("5")
    _save(page)
    settings = hotel.link("made")["settings"]
    assert (settings["extensions"], settings["extension_prefix"]) == ("prefix", "7")
    assert settings["status_codes"] == {"*61": 1, "0": 2}
    assert settings["wake_up_attempts"] == 5
    national = {"prefix": "0043", "price": 15, "interval": 60, "connection": 20, "free": 0, "call_type": "N"}
    others = {"prefix": "", "price": 40, "interval": 30, "connection": 0, "free": 0, "call_type": None}
    assert settings["tariff"] == {"rounding": 10, "rates": [national, others]}

    page = _change(user)
    expect(_field(page, "tariff")).to_have_value(
        "rounding = 10\n"
        "0043: price = 15, interval = 60, connection = 20, call_type = N\n"
        "*: price = 40, interval = 30"
    )
    expect(_field(page, "status_codes")).to_have_value(re.compile(r"^\*61 = 1$", re.MULTILINE))
    _field(page, "tariff").fill("")
    _save(page)
    settings = hotel.link("made")["settings"]
    assert (settings["tariff"], settings["status_codes"]) == (None, {"*61": 1, "0": 2})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("tariff", "0043 price 15"),
        ("tariff", "0043: price = 15, price = 16, interval = 60"),
        ("tariff", "rounding = 5\nrounding = 6\n*: price = 1, interval = 1"),
        ("tariff", "price = 15, interval = 60"),
        ("status_codes", "*61"),
        ("status_codes", "*61 = 1\n*61 = 2"),
    ],
)
def test_an_invalid_line_shows_an_error_at_once(
    hotel: HotelProcesses, user: BrowserUser, name: str, text: str
) -> None:
    hotel.make_link("made")
    page = _change(user)
    _field(page, name).fill(text)
    page.get_by_role("button", name="Save").click()
    _expect_error(page, name, "It must be a line for each")
    expect(page.locator("[aria-invalid]")).to_have_count(1)


INVALID_LINES = (
    ("tariff", "*: price = 1.5, interval = 60", 'tariff.rates.1.price = "1.5": must be a whole number'),
    ("tariff", "+43: price = 1, interval = 1", 'tariff.rates.1.prefix = "+43": must be text'),
    ("tariff", "*: price = 1", "tariff.rates.1.interval is missing"),
    ("tariff", "rounding = 5", "tariff.rates = []: must be a list"),
    ("status_codes", "*61 = 100", 'status_codes."*61" = 100: must be a whole number'),
    ("extension_prefix", "7-", "must be text of 1 to 16 digits"),
    ("webhook_url", "https://pbx.example/", "webhook_secret is missing"),
    ("webhook_secret", SECRET, "webhook_url is missing"),
)


def test_an_error_of_the_service_is_shown_at_its_field(hotel: HotelProcesses, user: BrowserUser) -> None:
    user.page_errors.expected_errors += ["400"]
    hotel.make_link("made")
    page = _change(user)
    for name, text, error in INVALID_LINES:
        _field(page, name).fill(text)
        page.get_by_role("button", name="Save").click()
        at = error.split(" ")[0] if "is missing" in error and "rates" not in error else name
        _expect_error(page, at, error)
        expect(page.locator("[aria-invalid]")).to_have_count(1)
        _field(page, name).fill("")


def test_a_secret_is_not_shown_and_stays_until_it_is_replaced(
    hotel: HotelProcesses, user: BrowserUser
) -> None:
    hotel.make_link("made", webhook_url="https://pbx.example/", webhook_secret=SECRET)
    page = _change(user)
    secret = _field(page, "webhook_secret")
    expect(secret).to_have_attribute("type", "password")
    expect(secret).to_have_value("***")
    _field(page, "webhook_url").fill("https://pbx.example/other")
    _save(page)
    settings = hotel.link("made")["settings"]
    assert (settings["webhook_url"], settings["webhook_secret"]) == ("https://pbx.example/other", "***")

    page = _change(user)
    secret = _field(page, "webhook_secret")
    secret.press("End")
    secret.press_sequentially("another one, as long")  # replaces the placeholder of the old secret
    expect(secret).to_have_value("another one, as long")
    _save(page)

    page = _change(user)
    for name in ("webhook_url", "webhook_secret"):
        _field(page, name).fill("")
    _save(page)
    assert hotel.link("made")["settings"]["webhook_secret"] is None


def test_a_connection_test_runs_without_the_secret(hotel: HotelProcesses, user: BrowserUser) -> None:
    hotel.make_link("made", hotel.ports[1], webhook_url="https://pbx.example/", webhook_secret=SECRET)
    page = _change(user)
    page.get_by_role("button", name="Test without saving").click()
    expect(page.locator(".trial .answer")).to_contain_text("All steps succeeded")


def test_an_empty_field_shows_an_example(hotel: HotelProcesses, user: BrowserUser) -> None:
    hotel.make_link("made")
    page = _change(user)
    for name, example in (("tariff", "0043: price = 15, interval = 60"), ("status_codes", "*61 = 1")):
        expect(_field(page, name)).to_have_attribute("placeholder", re.compile(re.escape(example)))
