"""Tests of the panel of a room in a browser: wake-ups, signs, housekeeping, address, keyboard and sheet."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.page.browser import BrowserUser, open_page
from tests.page.hotel_processes import HotelProcesses, future_wake_up_time
from tests.page.rooms_view import (
    VIEW_HASH,
    open_room_list,
    open_rooms,
    room_panel,
    room_row,
    room_tile,
    show_names,
)
from tests.page.test_languages import choose_language
from tests.process.server_processes import wait_until

SET = re.compile(r"^Set \d\d:\d\d; (waits for the PMS|the PMS has it)\.$")
STORE_PROBLEM = {"error": {"code": "store", "message": "the disk is gone"}}


@pytest.fixture
def page(port: int, user: BrowserUser) -> Page:
    return open_rooms(user)


def _open(page: Page, room: str) -> Locator:
    room_tile(page, room).click()
    panel = room_panel(page)
    expect(panel.get_by_role("heading", name=f"Room {room}")).to_be_visible()
    return panel


def test_the_panel_has_an_address_and_a_title_and_back_closes_it(user: BrowserUser, page: Page) -> None:
    panel = _open(page, "214")
    assert page.evaluate("location.hash") == f"{VIEW_HASH}/214"
    expect(page).to_have_title(re.compile(r"^Room 214 · made – pmslink$"))
    expect(room_tile(page, "214")).to_have_attribute("aria-pressed", "true")
    room_tile(page, "215").click()
    expect(panel.get_by_role("heading")).to_have_text("Room 215")
    page.go_back()
    expect(panel).to_have_count(0)
    assert page.evaluate("location.hash") == VIEW_HASH
    expect(page).to_have_title("made · Rooms – pmslink")
    page.go_forward()
    page.reload()
    expect(panel.get_by_role("heading")).to_have_text("Room 215")
    panel.get_by_role("button", name="Close").click()
    expect(panel).to_have_count(0)
    assert page.evaluate("location.hash") == VIEW_HASH


def test_the_panel_shows_the_guest_the_stay_and_the_phone(
    hotel: HotelProcesses, port: int, page: Page
) -> None:
    room = hotel.vacant_rooms(port)[0]
    guest = hotel.check_in(
        port, room, "Larsen", first_name="Kari", title="Dr", language="NR", vip="2", class_of_service=3
    )
    panel = _open(page, room)
    facts = panel.locator("dl")
    expect(facts).to_contain_text("GuestGuest · VIP 2")
    show_names(page)
    expect(facts).to_contain_text("Larsen, Kari, Dr · VIP 2")
    expect(facts).to_contain_text("LanguageNorwegian")
    expect(facts).to_contain_text("Calls allowedall")
    expect(panel).to_contain_text(f"Extension {room}")
    for service, words in enumerate(("none", "local", "national")):
        hotel.call_desk("PATCH", f"/rooms/{room}", port, {"class_of_service": service})
        expect(facts).to_contain_text(f"Calls allowed{words}")
    hotel.call_desk("DELETE", f"/guests/{guest}", port)
    expect(facts).to_contain_text("Guestvacant")


def test_a_wake_up_is_set_for_tomorrow_morning_and_cancelled(
    hotel: HotelProcesses, port: int, page: Page
) -> None:
    room = hotel.vacant_rooms(port)[0]
    panel = _open(page, room)
    expect(panel.get_by_label("Set a wake-up")).to_have_value("07:00")
    expect(panel.get_by_label("Day of the wake-up")).to_have_value("tomorrow")
    panel.get_by_role("button", name="Set", exact=True).click()
    expect(panel.locator(".wake-ups")).to_contain_text("tomorrow 07:00")
    expect(panel.get_by_text("Wake-up set: tomorrow 07:00")).to_be_visible()
    tomorrow = datetime.now() + timedelta(days=1)  # noqa: DTZ005 (the hotel's local time)
    assert [one["at"] for one in hotel.call_rooms("GET", room)["wake_ups"]] == [
        f"{tomorrow:%Y-%m-%d}T07:00:00"
    ]
    expect(room_tile(page, room).locator(".wake")).to_have_text("07:00")

    day = future_wake_up_time()
    panel.get_by_label("Set a wake-up").fill("06:45")
    panel.get_by_label("Day of the wake-up").select_option("on a date")
    panel.get_by_role("button", name="Set", exact=True).click()
    expect(panel.get_by_text("Fill in a time, and the date")).to_be_visible()
    panel.get_by_label("Date of the wake-up").fill(f"{day:%Y-%m-%d}")
    panel.get_by_role("button", name="Set", exact=True).click()
    expect(panel.locator(".wake-ups li")).to_have_count(2)

    for left in (1, 0):
        panel.locator(".wake-ups").get_by_role("button").first.click()
        expect(panel.locator(".wake-ups li")).to_have_count(left)
    assert hotel.call_rooms("GET", room)["wake_ups"] == []


def test_the_zone_of_the_hotel_is_named_if_its_clocks_differ(
    hotel: HotelProcesses, port: int, page: Page
) -> None:
    panel = _open(page, "214")
    expect(panel.get_by_text("Time of the hotel")).to_be_hidden()
    hotel.pbx.call("PATCH", "/api/v1/links/made", {"timezone": "Pacific/Chatham"})
    expect(panel.get_by_text("Time of the hotel (Pacific/Chatham)")).to_be_visible()


def test_signs_are_switched_and_reach_the_service(hotel: HotelProcesses, port: int, page: Page) -> None:
    room = hotel.vacant_rooms(port)[0]
    panel = _open(page, room)
    dnd = panel.get_by_role("switch", name="Do not disturb")
    dnd.check()
    expect(room_tile(page, room).get_by_role("img", name="Do not disturb")).to_be_visible()
    assert hotel.call_rooms("GET", room)["do_not_disturb"] is True
    expect(panel.get_by_text(SET)).to_be_visible()
    dnd.uncheck()
    expect(room_tile(page, room).get_by_role("img")).to_have_count(0)
    others = [("Make up room", "make_up_room"), ("Message light", "message_light")]
    for count, (name, fact) in enumerate(others):
        switch = panel.get_by_role("switch", name=name)
        for on in (True, False):
            switch.set_checked(on)
            expect(panel.get_by_text(SET)).to_have_count(count + 2)
            wait_until(lambda: hotel.call_rooms("GET", room)[fact] is on, f"{fact} is stored")  # noqa: B023
            expect(switch).to_be_checked(checked=on)
    hotel.call_desk("PATCH", f"/rooms/{room}", port, {"do_not_disturb": True})
    expect(dnd).to_be_checked()
    hotel.call_desk("PATCH", f"/rooms/{room}", port, {"do_not_disturb": False})
    expect(dnd).not_to_be_checked()


@pytest.mark.parametrize(
    ("name", "vacant", "occupied"), [("Dirty", 1, 2), ("Clean", 3, 4), ("Inspected", 5, 6)]
)
def test_housekeeping_is_set_by_whether_somebody_stays_there(
    hotel: HotelProcesses, port: int, page: Page, name: str, vacant: int, occupied: int
) -> None:
    room = hotel.vacant_rooms(port)[0]
    panel = _open(page, room)
    button = panel.get_by_role("button", name=name)
    button.click()
    expect(room_tile(page, room).locator(".hk")).to_have_text(name)
    expect(button).to_have_attribute("aria-pressed", "true")
    assert hotel.call_rooms("GET", room)["status"] == vacant
    guest = hotel.check_in(port, room, "Larsen")
    expect(panel.locator("dl")).to_contain_text("GuestGuest")
    button.click()
    wait_until(lambda: hotel.call_rooms("GET", room)["status"] == occupied, "the status is stored")
    hotel.call_desk("DELETE", f"/guests/{guest}", port)


def test_a_failed_call_puts_the_control_back_and_says_why(
    hotel: HotelProcesses, port: int, user: BrowserUser, page: Page
) -> None:
    user.page_errors.expected_errors += ["503"]
    panel = _open(page, hotel.vacant_rooms(port)[0])
    page.route("**/api/v1/links/made/rooms/*/*", lambda route: route.fulfill(status=503, json=STORE_PROBLEM))
    dnd = panel.get_by_role("switch", name="Do not disturb")
    dnd.click()
    expect(panel.get_by_text("Do not disturb did not change:")).to_contain_text("the disk is gone")
    expect(dnd).not_to_be_checked()
    dirty = panel.get_by_role("button", name="Dirty")
    dirty.click()
    expect(panel.get_by_text("Housekeeping did not change:")).to_be_visible()
    expect(dirty).to_have_attribute("aria-pressed", "false")
    panel.get_by_role("button", name="Set", exact=True).click()
    expect(panel.get_by_text("The wake-up was not set:")).to_be_visible()
    page.unroute_all()
    dnd.click()
    expect(dnd).to_be_checked()
    expect(panel.get_by_text("Do not disturb did not change:")).to_be_hidden()
    dnd.uncheck()


def test_the_outcome_of_an_action_is_not_shown_with_another_room(user: BrowserUser, page: Page) -> None:
    user.page_errors.expected_errors += ["503"]
    held: list[Route] = []
    page.route("**/rooms/214/dnd", lambda route: held.append(route))
    panel = _open(page, "214")
    with page.expect_request("**/rooms/214/dnd"):
        panel.get_by_role("switch", name="Do not disturb").click()
    panel = _open(page, "215")
    with page.expect_response("**/rooms/214/dnd"):
        held[0].fulfill(status=503, json=STORE_PROBLEM)
    panel.get_by_role("switch", name="Make up room").click()
    expect(panel.get_by_text(SET)).to_have_count(1)
    expect(panel.get_by_text("Do not disturb did not change:")).to_have_count(0)
    panel.get_by_role("switch", name="Make up room").click()


def test_a_switch_that_is_flipped_again_during_the_call_ends_as_it_stands(
    hotel: HotelProcesses, page: Page
) -> None:
    held: list[Route] = []
    page.route("**/rooms/214/dnd", lambda route: held.append(route), times=1)
    panel = _open(page, "214")
    dnd = panel.get_by_role("switch", name="Do not disturb")
    with page.expect_request("**/rooms/214/dnd"):
        dnd.click()
    dnd.click()
    with page.expect_response(lambda response: response.request.post_data == '{"on":false}'):
        held[0].continue_()
    expect(panel.get_by_text(SET)).to_be_visible()
    expect(dnd).not_to_be_checked()
    assert hotel.call_rooms("GET", "214")["do_not_disturb"] is False


def test_the_chosen_housekeeping_stays_pressed_during_the_call(
    hotel: HotelProcesses, port: int, page: Page
) -> None:
    room = hotel.vacant_rooms(port)[0]
    held: list[Route] = []
    page.route("**/status", lambda route: held.append(route), times=1)
    panel = _open(page, room)
    with page.expect_request("**/status"):
        panel.get_by_role("button", name="Inspected").click()
    hotel.call_desk("PATCH", f"/rooms/{room}", port, {"class_of_service": 1})
    expect(panel.locator("dl")).to_contain_text("Calls allowedlocal")
    expect(panel.get_by_role("button", name="Inspected")).to_have_attribute("aria-pressed", "true")
    held[0].continue_()
    expect(room_tile(page, room).locator(".hk")).to_have_text("Inspected")


def test_a_language_change_keeps_the_focus_beside_an_open_room(page: Page) -> None:
    _open(page, "214")
    choose_language(page, "简体中文")
    expect(room_panel(page).get_by_role("switch", name="请勿打扰")).to_be_visible()
    expect(page.locator("#language")).to_be_focused()


def test_a_number_that_no_room_has_is_no_shortcut(page: Page) -> None:
    room_tile(page, "501").focus()
    page.keyboard.type("7777")
    expect(room_tile(page, "501")).to_be_focused()
    assert page.evaluate("location.hash") == VIEW_HASH


def test_a_wake_up_is_set_with_the_keyboard_alone(hotel: HotelProcesses, port: int, page: Page) -> None:
    room = hotel.vacant_rooms(port)[0]
    keyboard = page.keyboard
    room_tile(page, "501").focus()
    keyboard.type(room)
    expect(room_tile(page, room)).to_be_focused()
    keyboard.press("Enter")
    panel = room_panel(page)
    expect(panel.get_by_role("heading", name=f"Room {room}")).to_be_focused()
    for _ in range(2):
        keyboard.press("Tab")
    expect(panel.get_by_label("Set a wake-up")).to_be_focused()
    keyboard.press("Enter")
    expect(panel.locator(".wake-ups")).to_contain_text("tomorrow 07:00")
    panel.get_by_role("switch", name="Do not disturb").focus()
    keyboard.press("Space")
    expect(room_tile(page, room).get_by_role("img", name="Do not disturb")).to_be_visible()
    keyboard.press("Space")
    panel.get_by_role("button", name="Clean").focus()
    keyboard.press("Enter")
    expect(room_tile(page, room).locator(".hk")).to_have_text("Clean")
    keyboard.press("Escape")
    expect(panel).to_have_count(0)
    expect(room_tile(page, room)).to_be_focused()
    hotel.call_rooms("DELETE", f"{room}/wake-up")


def test_arrows_move_through_the_floors(page: Page) -> None:
    keyboard = page.keyboard
    room_tile(page, "501").focus()
    keyboard.press("ArrowRight")
    expect(room_tile(page, "502")).to_be_focused()
    keyboard.press("ArrowDown")
    below = page.locator(":focus").get_attribute("data-room")
    assert below is not None
    assert int(below) > 504  # the next line of the floor
    keyboard.press("ArrowUp")
    expect(room_tile(page, "502")).to_be_focused()
    keyboard.press("End")
    expect(room_tile(page, "120")).to_be_focused()
    keyboard.press("Home")
    expect(room_tile(page, "501")).to_be_focused()
    keyboard.press("Tab")
    assert page.locator(".tile:focus").count() == 0  # the floors are one tab stop


def test_keys_move_through_the_list(port: int, user: BrowserUser) -> None:
    page = open_room_list(user)
    links = page.locator(".rooms .room-list [data-room] a")
    for key, place in (
        ("j", 0),
        ("j", 1),
        ("k", 0),
        ("ArrowDown", 1),
        ("End", -1),
        ("ArrowUp", -2),
        ("Home", 0),
    ):
        page.keyboard.press(key)
        expect(links.nth(place)).to_be_focused()


def test_the_list_opens_the_panel_too(port: int, user: BrowserUser) -> None:
    page = open_room_list(user)
    room_row(page, "214").get_by_role("link").click()
    expect(room_panel(page).get_by_role("heading")).to_have_text("Room 214")
    page.keyboard.press("Escape")
    expect(room_panel(page)).to_have_count(0)
    expect(room_row(page, "214").get_by_role("link")).to_be_focused()


@pytest.mark.parametrize("width", [390, 320])
def test_on_a_phone_the_panel_is_a_sheet_from_below(
    hotel: HotelProcesses, port: int, browser: Browser, width: int
) -> None:
    window: dict[str, Any] = {"viewport": {"width": width, "height": 844}, "reduced_motion": "reduce"}
    with open_page(browser, hotel.url, **window) as user:
        page = open_rooms(user)
        room_tile(page, "214").click()
        sheet = page.get_by_role("dialog", name="Room 214")
        expect(sheet).to_be_visible()
        box = sheet.bounding_box()
        assert box is not None
        assert (box["x"], box["width"], box["y"] + box["height"]) == (0, width, 844)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert sheet.evaluate("(sheet) => sheet.scrollWidth <= sheet.clientWidth")
        page.keyboard.press("Escape")
        expect(sheet).to_be_hidden()
        assert page.evaluate("location.hash") == VIEW_HASH
        room_tile(page, "215").click()
        expect(page.get_by_role("dialog", name="Room 215")).to_be_visible()
        page.go_back()
        expect(page.get_by_role("dialog")).to_have_count(0)
