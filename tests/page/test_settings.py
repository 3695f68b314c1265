"""Tests of the settings of a link in a browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.page.browser import BrowserUser, open_page
from tests.page.hotel_processes import HotelProcesses, require_success
from tests.page.setting_forms import expect_error, field, open_settings, save
from tests.page.views import overflowing_elements
from tests.process.server_processes import wait_until

SECRET = "correct horse battery staple"
TARIFF = """
rounding = 10
0043: price = 15, interval = 60, connection = 20, call_type = N

*: interval=30,price=40
"""


@pytest.fixture
def page(hotel: HotelProcesses, user: BrowserUser) -> Page:
    """Return the page at the settings of the link `made`, which is not enabled."""
    hotel.make_link("made", alive_interval=60)
    return open_settings(user)


def test_each_setting_has_a_label_a_help_and_its_key_and_no_key_is_a_label(page: Page) -> None:
    fields = page.locator(".field").all()
    assert len(fields) > 40
    for one in fields:
        name = one.get_attribute("data-setting") or ""
        label = one.locator("label").inner_text().removesuffix(" *")
        assert label
        assert label != name
        assert "_" not in label
        expect(one.locator(".key")).to_have_text(name)
        assert len(one.locator(".help").inner_text()) > len(name) + 5
        expect(field(page, name)).to_have_accessible_name(re.compile(re.escape(label)))


def test_a_change_is_marked_counted_and_saved_alone(hotel: HotelProcesses, page: Page) -> None:
    bar = page.locator(".savebar")
    expect(bar.get_by_role("button", name="Save")).to_be_disabled()
    expect(page.locator(".changed")).to_have_count(0)
    field(page, "answer_timeout").fill("45")
    field(page, "unanswered").select_option(label="Send again (may book twice)")
    expect(bar).to_contain_text("2 changes")
    expect(page.locator(".changed")).to_have_count(2)
    field(page, "unanswered").select_option(label="Ask a person")
    expect(bar).to_contain_text("1 change")
    with page.expect_request("**/api/v1/links/made") as request:
        save(page)
    assert request.value.post_data_json == {"answer_timeout": 45}
    expect(page.locator(".changed")).to_have_count(0)
    assert hotel.link("made")["settings"]["answer_timeout"] == 45


def test_back_to_the_default_sends_null(hotel: HotelProcesses, page: Page) -> None:
    interval = page.locator("[data-setting=alive_interval]")
    expect(interval.locator(".help")).to_contain_text("Default: 30 s")
    interval.get_by_role("button", name="Back to the default").click()
    expect(field(page, "alive_interval")).to_have_value("30")
    expect(interval.get_by_role("button", name="Back to the default")).to_have_count(0)
    with page.expect_request("**/api/v1/links/made") as request:
        save(page)
    assert request.value.post_data_json == {"alive_interval": None}


def test_discard_brings_back_what_is_saved(page: Page) -> None:
    field(page, "alive_timeout").fill("0")
    page.get_by_role("button", name="Save", exact=True).click()
    expect_error(page, "alive_timeout", "It must be a number of seconds from 0.1 to 86400.")
    page.get_by_role("button", name="Discard").click()
    expect(field(page, "alive_timeout")).to_have_value("3")
    expect(page.locator("[aria-invalid=true], .changed")).to_have_count(0)


def test_the_group_of_a_wrong_field_has_a_mark(page: Page) -> None:
    groups = page.get_by_role("navigation", name="Settings")
    field(page, "alive_timeout").fill("never")
    field(page, "retry_initial").fill("50")
    page.get_by_role("button", name="Save", exact=True).click()
    expect_error(page, "alive_timeout", "It must be a number of seconds from 0.1 to 86400.")
    expect(groups.locator("a", has_text="Link checks").locator(".pill")).to_be_visible()
    expect(groups.locator(".pill:visible")).to_have_count(1)
    field(page, "alive_timeout").fill("4")
    page.get_by_role("button", name="Save", exact=True).click()
    expect_error(page, "retry_max", "It must be at least the first wait, 50 s.")
    expect(field(page, "retry_max")).to_be_focused()
    expect(page.locator(".savebar")).to_contain_text("Check the marked fields.")


def test_the_bar_says_when_saving_closes_the_link(hotel: HotelProcesses, user: BrowserUser) -> None:
    hotel.make_link("made", enabled=True)
    page = open_settings(user)
    field(page, "alive_timeout").fill("4")
    expect(page.locator(".savebar")).not_to_contain_text("closes")
    field(page, "port").fill("2")
    field(page, "framing").select_option(label="A line each")
    expect(page.locator(".savebar")).to_contain_text(
        "Saving closes the link for a moment: Port, Records end with changed."
    )


def test_another_product_brings_its_defaults(hotel: HotelProcesses, user: BrowserUser) -> None:
    hotel.make_link("made", alive_timeout=3)  # as given as it is the default of this product
    page = open_settings(user)
    field(page, "profile").select_option("opera")
    expect(field(page, "alive_timeout")).to_have_value("30")
    save(page)
    link = hotel.link("made")
    assert (link["profile"], link["settings"]["alive_timeout"]) == ("opera", 30)


def test_groups_have_addresses(hotel: HotelProcesses, user: BrowserUser) -> None:
    hotel.make_link("made")
    page = open_settings(user, query="?group=webhook")
    heading = page.get_by_role("heading", name="Events to your program")
    expect(heading).to_be_focused()
    expect(heading).to_be_in_viewport()
    page.get_by_role("navigation", name="Settings").get_by_role("link", name="Link checks").click()
    expect(page).to_have_url(re.compile(r"#/links/made/settings\?group=checks$"))
    expect(page.get_by_role("heading", name="Link checks")).to_be_focused()


def test_settings_of_several_lines_are_saved_and_shown_again(hotel: HotelProcesses, page: Page) -> None:
    field(page, "extensions").select_option(label="Prefix before the room")
    field(page, "extension_prefix").fill("7")
    field(page, "status_codes").fill("*61 = 1\n0=2")
    field(page, "tariff").fill(TARIFF)
    save(page)
    settings = hotel.link("made")["settings"]
    assert (settings["extensions"], settings["extension_prefix"]) == ("prefix", "7")
    assert settings["status_codes"] == {"*61": 1, "0": 2}
    national = {"prefix": "0043", "price": 15, "interval": 60, "connection": 20, "free": 0, "call_type": "N"}
    others = {"prefix": "", "price": 40, "interval": 30, "connection": 0, "free": 0, "call_type": None}
    assert settings["tariff"] == {"rounding": 10, "rates": [national, others]}
    page.reload()
    expect(field(page, "tariff")).to_have_value(
        "rounding = 10\n"
        "0043: price = 15, interval = 60, connection = 20, call_type = N\n"
        "*: price = 40, interval = 30"
    )
    field(page, "tariff").fill("")
    save(page)
    assert hotel.link("made")["settings"]["tariff"] is None


INVALID_LINES = (
    ("tariff", "0043 price 15", "tariff", "It must be a line for each rate"),
    ("tariff", "0043: price = 15, price = 16, interval = 60", "tariff", "It must be a line for each rate"),
    ("tariff", "rounding = 5\nrounding = 6\n*: price = 1, interval = 1", "tariff", "It must be a line for"),
    ("status_codes", "*61 = 1\n*61 = 2", "status_codes", "It must be a line for each code"),
    ("extension_prefix", "7-", "extension_prefix", "It must be 1 to 16 digits"),
    ("webhook_url", "https://pbx.example/", "webhook_secret", "Write the secret that signs the events."),
    ("webhook_secret", SECRET, "webhook_url", "Write the address"),
)


@pytest.mark.parametrize(("name", "text", "wrong", "error"), INVALID_LINES)
def test_an_error_is_shown_at_its_field_before_anything_is_sent(
    page: Page, name: str, text: str, wrong: str, error: str
) -> None:
    field(page, name).fill(text)
    page.get_by_role("button", name="Save", exact=True).click()
    expect_error(page, wrong, error)
    expect(page.locator("[aria-invalid=true]")).to_have_count(1)


@pytest.mark.parametrize("text", ["1,500", "1e1", "-1", "0x10", "1 000", "ten"])
def test_a_number_that_may_be_misread_is_refused(page: Page, text: str) -> None:
    field(page, "alive_timeout").fill(text)
    field(page, "outbox_limit").fill(text)
    page.get_by_role("button", name="Save", exact=True).click()
    expect_error(page, "alive_timeout", "It must be a number of seconds from 0.1 to 86400.")
    expect_error(page, "outbox_limit", "It must be a whole number from 1 to 10000000.")


def test_an_error_that_only_the_service_sees_is_shown_at_its_field(user: BrowserUser, page: Page) -> None:
    user.page_errors.expected_errors += ["400"]
    for name, text, error in (
        ("timezone", "Atlantis", "It must be a time zone of the IANA list"),
        ("host", "not a host", "It must be a host name or an IP address"),
        ("tariff", "*: price = 1.5, interval = 60", 'tariff.rates.1.price = "1.5": must be a whole number'),
        ("status_codes", "*61 = 100", "must be a whole number"),
    ):
        before = field(page, name).input_value()
        field(page, name).fill(text)
        page.get_by_role("button", name="Save", exact=True).click()
        expect_error(page, name, error)
        expect(page.locator("[aria-invalid=true]")).to_have_count(1)
        field(page, name).fill(before)


def test_a_secret_is_never_shown_and_stays_until_it_is_replaced(
    hotel: HotelProcesses, user: BrowserUser
) -> None:
    hotel.make_link("made", webhook_url="https://pbx.example/", webhook_secret=SECRET)
    page = open_settings(user)
    secret = field(page, "webhook_secret")
    expect(secret).to_have_attribute("type", "password")
    expect(secret).to_have_value("")
    expect(secret).to_have_accessible_description(re.compile("Kept. Write a new one to replace it."))
    field(page, "webhook_url").fill("https://pbx.example/other")
    with page.expect_request("**/api/v1/links/made") as request:
        save(page)
    assert request.value.post_data_json == {"webhook_url": "https://pbx.example/other"}
    secret.fill("another one, as long")
    with page.expect_request("**/api/v1/links/made") as request:
        save(page)
    assert request.value.post_data_json == {"webhook_secret": "another one, as long"}
    expect(secret).to_have_value("")
    field(page, "webhook_url").fill("")
    save(page)
    assert hotel.link("made")["settings"]["webhook_secret"] is None


def test_the_end_of_the_subscription_is_a_day_in_the_hotel(hotel: HotelProcesses, user: BrowserUser) -> None:
    hotel.make_link("made", timezone="Asia/Shanghai", expires_at="2099-03-01T00:00:00+08:00")
    page = open_settings(user)
    expect(field(page, "expires_at")).to_have_value("2099-03-01")
    expect(page.locator("[data-setting=expires_at] .suggestion")).to_be_hidden()
    field(page, "expires_at").fill("2099-04-01")
    save(page)
    assert hotel.link("made")["settings"]["expires_at"] == "2099-03-31T16:00:00.000Z"
    field(page, "expires_at").fill("")
    save(page)
    assert hotel.link("made")["settings"]["expires_at"] is None


def test_a_moment_within_a_day_is_kept_and_said(hotel: HotelProcesses, user: BrowserUser) -> None:
    hotel.make_link("made", timezone="Asia/Shanghai", expires_at="2099-03-01T12:30:00+08:00")
    page = open_settings(user)
    expect(page.locator("[data-setting=expires_at] .suggestion")).to_contain_text("Saved: ")
    field(page, "alive_timeout").fill("4")
    save(page)
    assert hotel.link("made")["settings"]["expires_at"] == "2099-03-01T04:30:00.000Z"


def test_a_link_of_the_configuration_file_is_read_only(user: BrowserUser) -> None:
    page = open_settings(user, "grand")
    expect(page.locator(".settings")).to_contain_text(
        "This link is written in the configuration file. Change it there."
    )
    expect(page.locator(".settings :is(input, select, textarea):enabled")).to_have_count(0)
    expect(page.locator(".savebar")).to_have_count(0)


def test_the_address_may_suggest_a_value(hotel: HotelProcesses, user: BrowserUser) -> None:
    hotel.make_link("made")
    page = open_settings(user, query="?set=framing:crlf")
    expect(field(page, "framing")).to_have_value("crlf")
    expect(field(page, "framing")).to_be_focused()
    expect(field(page, "framing")).to_have_accessible_description(
        re.compile("Suggested by what the link has seen. It takes effect when you save.")
    )
    expect(page.locator(".savebar")).to_contain_text("1 change")
    assert hotel.link("made")["settings"]["framing"] == "stx-etx"


def test_a_hint_of_the_link_fills_in_its_value(hotel: HotelProcesses, user: BrowserUser) -> None:
    hotel.set_faults(hotel.ports[1], framing="crlf")
    hotel.make_link("made", hotel.ports[1], enabled=True)
    page = user.page
    wait_until(lambda: hotel.link("made")["hints"], "the link has a hint")
    open_settings(user, query="?hint=framing")
    expect(field(page, "framing")).to_have_value("crlf")
    expect(page.locator(".changed")).to_have_count(1)


def test_who_saves_second_is_told_and_may_load_what_the_first_has_saved(
    hotel: HotelProcesses, user: BrowserUser, page: Page
) -> None:
    user.page_errors.expected_errors += ["412"]
    field(page, "answer_timeout").fill("45")
    require_success(hotel.pbx.call("PATCH", "/api/v1/links/made", {"alive_timeout": 9}))
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Somebody else has changed these settings meanwhile.")).to_be_visible()
    assert hotel.link("made")["settings"]["answer_timeout"] == 30
    page.get_by_role("button", name="Load theirs").click()
    expect(field(page, "alive_timeout")).to_have_value("9")
    expect(field(page, "answer_timeout")).to_have_value("45")
    expect(page.locator(".changed")).to_have_count(1)
    save(page)
    settings = hotel.link("made")["settings"]
    assert (settings["answer_timeout"], settings["alive_timeout"]) == (45, 9)


def test_leaving_with_changes_asks(user: BrowserUser, page: Page) -> None:
    field(page, "alive_timeout").fill("9")
    user.navigate("#/links/made")
    dialog = page.get_by_role("dialog", name="Leave without saving?")
    expect(dialog).to_contain_text("Answer within")
    dialog.get_by_role("button", name="Cancel").click()
    expect(field(page, "alive_timeout")).to_have_value("9")
    user.navigate("#/")
    dialog.get_by_role("button", name="Leave").click()
    expect(field(page, "alive_timeout")).to_have_count(0)


def test_the_browser_asks_too_before_changes_are_lost(page: Page) -> None:
    leave = "() => dispatchEvent(new Event('beforeunload', { cancelable: true }))"
    assert page.evaluate(leave) is True
    field(page, "alive_timeout").fill("9")
    assert page.evaluate(leave) is False
    save(page)
    assert page.evaluate(leave) is True


def test_a_change_of_language_keeps_what_was_written(page: Page) -> None:
    field(page, "alive_timeout").fill("9")
    page.locator("#language").click()
    page.get_by_role("menuitemradio", name="简体中文").click()
    expect(page.locator("[data-setting=alive_timeout] label")).to_have_text("应答时限")
    expect(field(page, "alive_timeout")).to_have_value("9")
    expect(page.locator(".savebar")).to_contain_text("1 项更改")


def test_changed_settings_are_tested_before_they_are_saved(hotel: HotelProcesses, page: Page) -> None:
    field(page, "port").fill(str(hotel.ports[1]))
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.get_by_text("The PMS confirmed the link.").first).to_be_visible()
    expect(page.locator(".savebar")).to_contain_text("1 change")
    assert hotel.link("made")["port"] == 1


def test_the_address_that_the_link_itself_uses_is_not_tested(
    hotel: HotelProcesses, user: BrowserUser
) -> None:
    user.page_errors.expected_errors += ["409"]
    hotel.make_docked_link("made", hotel.ports[1])
    page = open_settings(user)
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.locator(".test")).to_contain_text("This link is connected to this address.")
    expect(page.locator("[aria-invalid=true]")).to_have_count(0)


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_errors_and_suggestions_fit_a_small_phone(
    hotel: HotelProcesses, browser: Browser, locale: str
) -> None:
    hotel.make_link("made", enabled=True)
    with open_page(browser, hotel.url, viewport={"width": 320, "height": 640}, locale=locale) as user:
        page = open_settings(user, query="?set=framing:crlf")
        field(page, "alive_timeout").fill("0")
        page.locator("#save").click()
        expect(field(page, "alive_timeout")).to_have_attribute("aria-invalid", "true")
        assert overflowing_elements(page) == []
