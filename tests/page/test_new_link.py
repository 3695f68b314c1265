"""Tests of the view for a new link, and of its connection test, in a browser."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.page.browser import BrowserUser, open_page
from tests.page.hotel_processes import HotelProcesses
from tests.page.setting_forms import expect_error, field, fill_address, open_new_link
from tests.page.views import overflowing_elements
from tests.process.server_processes import free_ports, run_empty_service, wait_until

PERSON_KEY_DELAY_MS = 120
"""Milliseconds between two keys of a person who types."""
PERSON_LIMIT_S = 120.0
STEPS = ["Find the host", "Connect", "Link start (LS)", "Description (LD, LR)", "Confirmation (LA)"]


@pytest.fixture
def page(user: BrowserUser) -> Page:
    return open_new_link(user)


def step_states(page: Page) -> list[str | None]:
    return [step.get_attribute("data-state") for step in page.locator(".test li").all()]


def test_the_first_link_is_docked_in_two_minutes_by_who_reads_only_the_screen(
    hotel: HotelProcesses, browser: Browser, tmp_path: Path
) -> None:
    (port,) = free_ports(1)
    address = hotel.ports[1]
    with run_empty_service(tmp_path, port), open_page(browser, f"http://127.0.0.1:{port}") as user:
        page = user.page
        started = time.monotonic()
        page.get_by_role("link", name="Add a link").first.click()
        answers = {"Name of the link": "seaside", "PMS host": "127.0.0.1", "Port": str(address)}
        for label, text in answers.items():
            page.get_by_label(label, exact=False).first.click()
            page.keyboard.type(text, delay=PERSON_KEY_DELAY_MS)
        page.get_by_label("PMS product").select_option(label="any PMS")
        page.get_by_role("button", name="Test the connection").click()
        expect(page.get_by_text("The PMS confirmed the link. Save and enable it.").first).to_be_visible()
        page.get_by_role("button", name="Save and enable").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("seaside")
        expect(page.locator("#main")).to_contain_text("ESTABLISHED")
        assert time.monotonic() - started < PERSON_LIMIT_S


def test_a_good_test_leads_to_a_link_that_docks(hotel: HotelProcesses, page: Page) -> None:
    fill_address(page, hotel.ports[1])
    expect(page.get_by_role("button", name="Save and enable")).to_have_count(0)
    page.get_by_role("button", name="Test the connection").click()
    expect(page.get_by_role("button", name="Save and enable")).to_be_focused()
    assert step_states(page) == ["done"] * 5
    expect(page.locator(".test li b > :first-child")).to_have_text(STEPS)
    assert page.locator(".primary").all_text_contents() == ["Save and enable"]
    page.get_by_role("button", name="Save and enable").click()
    expect(page).to_have_url(re.compile("#/links/made$"))
    assert hotel.link("made")["intent"] == "enabled"


def test_a_link_is_saved_without_enabling_it(hotel: HotelProcesses, page: Page) -> None:
    fill_address(page, hotel.ports[1])
    page.get_by_role("button", name="Save without enabling").click()
    expect(page).to_have_url(re.compile("#/links/made$"))
    assert hotel.link("made")["state"] == "DISABLED"


def test_a_test_that_runs_shows_its_seconds_and_can_be_stopped(hotel: HotelProcesses, page: Page) -> None:
    hotel.set_faults(hotel.ports[1], frozen=True)
    fill_address(page, hotel.ports[1])
    page.get_by_role("button", name="Test the connection").click()
    expect(page.locator(".test")).to_contain_text("Waiting for the link start, up to")
    running = page.locator(".test li[data-state=running]")
    expect(running.locator(".tiny")).to_have_text(re.compile(r"^[1-9]\d? of (30|2\d\.?\d?) s$"))
    expect(running.locator(".spin")).to_be_visible()
    expect(page.get_by_role("button", name="Stop")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".test")).to_contain_text("Stopped.")
    expect(page.locator(".test li")).to_have_count(0)
    expect(page.get_by_role("button", name="Test the connection")).to_be_focused()
    hotel.set_faults(hotel.ports[1], frozen=False)
    address = {"host": "127.0.0.1", "port": hotel.ports[1]}
    # the service stops, too: a test that runs keeps its address
    wait_until(
        lambda: "steps" in hotel.pbx.call("POST", "/api/v1/links/test", address), "the address is free"
    )
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Save and enable")).to_be_visible()


def test_lines_are_recognized_and_one_button_sets_the_framing_and_tests_again(
    hotel: HotelProcesses, page: Page
) -> None:
    hotel.set_faults(hotel.ports[1], framing="crlf")
    fill_address(page, hotel.ports[1])
    page.get_by_role("button", name="Test the connection").click()
    test = page.locator(".test")
    expect(test).to_contain_text("Stopped at step 3 of 5")
    assert step_states(page) == ["done", "done", "failed", "ahead", "ahead"]
    expect(test).to_contain_text(re.compile(r"\d+ bytes came, but no record between STX and ETX:"))
    expect(test.locator(".hex")).to_have_text(re.compile("^4c 53 7c .*0d 0aLS\\|DA"))
    expect(test).to_contain_text("This PMS ends each record with a line break.")
    fix = page.get_by_role("button", name="Use “a line each” and test again")
    expect(fix).to_be_focused()
    assert page.locator(".primary").all_text_contents() == ["Use “a line each” and test again"]
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Save and enable")).to_be_visible()
    expect(test).not_to_contain_text("bytes came")
    page.get_by_role("button", name="Save and enable").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("made")
    assert hotel.link("made")["settings"]["framing"] == "crlf"


def test_results_are_taken_away_when_a_setting_changes_and_when_a_test_begins(
    hotel: HotelProcesses, page: Page
) -> None:
    fill_address(page, 1)
    page.get_by_role("button", name="Test the connection").click()
    test = page.locator(".test")
    expect(test).to_contain_text("Stopped at step 2 of 5")
    field(page, "name").fill("other")
    expect(test).to_contain_text("Stopped at step 2 of 5")  # the test does not depend on the name
    field(page, "port").fill(str(hotel.ports[1]))
    expect(test).to_contain_text("Settings changed: test again.")
    expect(test.locator("li")).to_have_count(0)
    expect(test).not_to_contain_text("Stopped at")
    page.get_by_role("button", name="Test the connection").click()
    expect(page.get_by_role("button", name="Save and enable")).to_be_visible()
    expect(test).not_to_contain_text("Stopped at")
    field(page, "charset").fill("utf-8")
    expect(page.get_by_role("button", name="Save and enable")).to_have_count(0)


def test_an_address_that_a_link_has_is_named_at_the_field_before_anything_is_sent(
    hotel: HotelProcesses, page: Page
) -> None:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    hotel.make_link("first", hotel.ports[1])
    fill_address(page, hotel.ports[1])
    address = f"127.0.0.1:{hotel.ports[1]}"
    expect_error(page, "host", f"The link first uses {address} already. The PMS takes one client per port.")
    page.get_by_role("button", name="Test the connection").click()
    page.get_by_role("button", name="Save without enabling").click()
    expect(field(page, "host")).to_be_focused()
    assert sent == []
    field(page, "port").fill(str(hotel.ports[2]))
    expect(field(page, "host")).not_to_have_attribute("aria-invalid", "true")
    field(page, "port").fill(str(hotel.ports[1]))
    page.locator("[data-setting=host] .err").get_by_role("link", name="first").click()
    page.get_by_role("button", name="Leave").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("first")


def test_what_must_be_filled_in_is_said_at_each_field(page: Page) -> None:
    page.get_by_role("button", name="Save without enabling").click()
    for name in ("name", "profile", "host", "port"):
        expect_error(page, name, "This is needed.")
        expect(page.locator(f"[data-setting={name}] .req")).to_have_text("*")
    expect(page.locator("[aria-invalid=true]")).to_have_count(4)
    expect(field(page, "name")).to_be_focused()
    expect(page.locator(".test")).to_contain_text("Check the marked fields.")


def test_a_wrong_value_says_what_is_right_and_is_brought_into_sight(page: Page) -> None:
    fill_address(page, 70_000, "no such name")
    page.get_by_text("All settings").click()
    field(page, "alive_interval").fill("0")
    page.get_by_text("All settings").click()
    expect(field(page, "alive_interval")).to_be_hidden()
    page.get_by_role("button", name="Save without enabling").click()
    expect_error(page, "name", "It must be 1 to 64 letters, digits, “-” and “_”.")
    expect_error(page, "port", "It must be a whole number from 1 to 65535.")
    fill_address(page, 1)
    page.get_by_role("button", name="Save without enabling").click()
    expect_error(page, "alive_interval", "It must be a number of seconds from 0.1 to 86400.")
    expect(field(page, "alive_interval")).to_be_focused()
    field(page, "alive_interval").fill("5")
    expect(field(page, "alive_interval")).not_to_have_attribute("aria-invalid", "true")


def test_a_name_that_another_link_has_is_said_at_the_field(hotel: HotelProcesses, user: BrowserUser) -> None:
    user.page_errors.expected_errors += ["409"]
    page = open_new_link(user)
    fill_address(page, hotel.ports[1], "grand")
    page.get_by_role("button", name="Save without enabling").click()
    expect_error(page, "name", "Another link has this name.")


def test_the_defaults_follow_the_product_until_they_are_changed(page: Page) -> None:
    page.get_by_text("All settings").click()
    field(page, "profile").select_option("generic")
    field(page, "alive_timeout").fill("7")
    field(page, "profile").select_option("opera")
    expect(field(page, "alive_interval")).to_have_value("300")
    expect(field(page, "alive_on")).to_have_value("any")
    expect(field(page, "alive_timeout")).to_have_value("7")
    expect(field(page, "alive_timeout")).to_have_accessible_description(re.compile(r"Default: 30 s"))
    page.locator("[data-setting=alive_timeout]").get_by_role("button", name="Back to the default").click()
    expect(field(page, "alive_timeout")).to_have_value("30")
    expect(page.get_by_role("button", name="Back to the default")).to_have_count(0)


def test_settings_are_sent_as_they_are_written_and_defaults_are_not(
    hotel: HotelProcesses, page: Page
) -> None:
    fill_address(page, hotel.ports[1], profile="opera")
    field(page, "timezone").fill("America/New_York")
    field(page, "expires_at").fill("2027-03-14")  # the clocks change on this day
    page.get_by_text("All settings").click()
    field(page, "listen_time").fill("2,5")
    field(page, "describe").uncheck()
    field(page, "sync_on").select_option(label="Any record")
    with page.expect_request("**/api/v1/links") as request:
        page.get_by_role("button", name="Save without enabling").click()
    body: Any = request.value.post_data_json
    sent = {name: value for name, value in body.items() if value is not None}
    assert sent == {
        "name": "made",
        "profile": "opera",
        "host": "127.0.0.1",
        "port": hotel.ports[1],
        "timezone": "America/New_York",
        "expires_at": "2027-03-14T05:00:00.000Z",
        "listen_time": 2.5,
        "describe": False,
        "sync_on": "any",
        "enabled": False,
    }


def test_time_zones_and_character_sets_are_suggested(browser: Browser, hotel: HotelProcesses) -> None:
    with open_page(browser, hotel.url, timezone_id="Europe/Vienna") as user:
        page = open_new_link(user)
        field(page, "timezone").focus()
        zones = page.locator("#setting-timezone-list option")
        expect(zones.first).to_have_attribute("value", "Europe/Vienna")
        assert zones.count() > 300
        field(page, "charset").focus()
        expect(page.locator("#setting-charset-list option[value=gbk]")).to_have_count(1)


def test_another_link_can_be_copied(hotel: HotelProcesses, user: BrowserUser) -> None:
    hotel.make_link("first", hotel.ports[1], profile="opera", alive_interval=77, charset="gbk", tls=True)
    page = open_new_link(user, "?copy=first")
    expect(field(page, "host")).to_have_value("127.0.0.1")
    expect(field(page, "port")).to_have_value("")
    expect(field(page, "name")).to_have_value("")
    expect(field(page, "profile")).to_have_value("opera")
    expect(field(page, "charset")).to_have_value("gbk")
    page.get_by_text("All settings").click()
    expect(field(page, "alive_interval")).to_have_value("77")
    expect(field(page, "tls")).to_be_checked()


def test_leaving_asks_first_and_a_change_of_language_keeps_what_was_written(
    hotel: HotelProcesses, user: BrowserUser
) -> None:
    page = open_new_link(user)
    field(page, "host").fill("pms.example")
    user.navigate("#/")
    dialog = page.get_by_role("dialog", name="Leave without saving?")
    expect(dialog).to_contain_text("What you changed is lost: PMS host.")
    dialog.get_by_role("button", name="Cancel").click()
    expect(page).to_have_url(re.compile("#/new$"))
    expect(field(page, "host")).to_have_value("pms.example")
    page.locator("#language").click()
    page.get_by_role("menuitemradio", name="简体中文").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("新链路")
    expect(field(page, "host")).to_have_value("pms.example")
    expect(page.locator("#language")).to_be_focused()
    user.navigate("#/")
    page.get_by_role("dialog").get_by_role("button", name="离开").click()
    expect(page).to_have_url(re.compile("#/$"))
    expect(field(page, "host")).to_have_count(0)


def test_a_link_is_made_with_the_keyboard_alone(hotel: HotelProcesses, page: Page) -> None:
    expect(field(page, "name")).to_be_focused()
    page.keyboard.type("made")
    page.keyboard.press("Tab")
    page.keyboard.type("any")
    page.keyboard.press("Tab")
    page.keyboard.type("127.0.0.1")
    page.keyboard.press("Tab")
    page.keyboard.type(str(hotel.ports[1]))
    button = page.get_by_role("button", name="Test the connection")
    for _ in range(10):
        page.keyboard.press("Tab")
        if button.evaluate("element => element === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Save and enable")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("made")


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_a_failed_test_fits_a_small_phone(hotel: HotelProcesses, browser: Browser, locale: str) -> None:
    hotel.set_faults(hotel.ports[1], framing="crlf")
    with open_page(browser, hotel.url, viewport={"width": 320, "height": 640}, locale=locale) as user:
        page = open_new_link(user)
        fill_address(page, hotel.ports[1])
        page.locator("#test").click()
        expect(page.locator(".test .hex")).to_be_visible()
        assert overflowing_elements(page) == []


def test_a_pms_that_dials_in_is_waited_for(hotel: HotelProcesses, page: Page) -> None:
    (port,) = free_ports(1)
    fill_address(page, port)
    page.get_by_text("All settings").click()
    field(page, "connect").select_option(label="The PMS dials in")
    expect(field(page, "port")).to_have_accessible_description(re.compile("to which the PMS connects"))
    page.get_by_role("button", name="Test the connection").click()
    expect(page.locator(".test")).to_contain_text("Waiting for the PMS to dial in, up to 30 s")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".test")).to_contain_text("Stopped.")
