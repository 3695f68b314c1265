"""Tests of work by hand in a browser, while the PMS is away, and of its comparison with the PMS."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.page.browser import BrowserUser, open_page
from tests.page.hotel_processes import HotelProcesses, require_success
from tests.page.rooms_view import chip, open_rooms, room_panel, room_tile, room_tiles, show_names

LATER = timedelta(minutes=3)
NOT_THE_STREAM = re.compile(r"/api/v1/(?!stream)")


def _answer_later(route: Route) -> None:
    """Answer a call as if the service's clock were 3 minutes ahead: an outage of now is 3 minutes old."""
    response = route.fetch()
    headers = {**response.headers, "date": format_datetime(datetime.now(UTC) + LATER, usegmt=True)}
    route.fulfill(response=response, headers=headers)


@pytest.fixture
def user(browser: Browser, hotel: HotelProcesses) -> Iterator[BrowserUser]:
    with open_page(browser, hotel.url) as browser_user:
        browser_user.page.route(NOT_THE_STREAM, _answer_later)
        yield browser_user
        browser_user.page.unroute_all(behavior="ignoreErrors")


@pytest.fixture
def rooms(hotel: HotelProcesses, port: int) -> list[str]:
    """Return vacant rooms of the PMS."""
    return hotel.vacant_rooms(port)


@pytest.fixture
def page(hotel: HotelProcesses, rooms: list[str], user: BrowserUser) -> Page:
    """Open the rooms, then cut the link."""
    page = open_rooms(user)
    hotel.control("made", "disable")
    expect(page.get_by_text("Check in and out here by hand")).to_be_visible()
    return page


def _open(page: Page, room: str) -> Locator:
    room_tile(page, room).click()
    panel = room_panel(page)
    expect(panel.get_by_role("heading", name=f"Room {room}")).to_be_visible()
    return panel


def _occupied(hotel: HotelProcesses) -> list[str]:
    answer = require_success(hotel.pbx.call("GET", "/api/v1/links/made/rooms"))
    return [room["room"] for room in answer["rooms"] if room["guests"]]


def _check_in(page: Page, room: str, name: str) -> None:
    panel = _open(page, room)
    panel.get_by_role("button", name="Check in by hand").click()
    panel.get_by_label("Name", exact=True).fill(name)
    panel.get_by_role("button", name="Check in", exact=True).click()
    expect(panel.get_by_text("Checked in by hand")).to_be_visible()


def _reconnect(hotel: HotelProcesses, page: Page) -> Locator:
    """Connect the link again, and return the card that compares."""
    hotel.control("made", "enable")
    card = page.get_by_role("region", name="Compared with the PMS")
    expect(card).to_be_visible()
    return card


def test_nothing_is_offered_while_the_pms_decides(
    hotel: HotelProcesses, port: int, user: BrowserUser
) -> None:
    page = open_rooms(user)
    panel = _open(page, hotel.vacant_rooms(port)[0])
    expect(panel.get_by_role("button", name="Dirty")).to_be_visible()
    expect(panel.get_by_role("button", name="Check in by hand")).to_be_hidden()
    expect(chip(page, "By hand")).to_be_hidden()
    expect(page.get_by_text("Check in and out here by hand")).to_be_hidden()


def test_a_guest_is_checked_in_marked_and_listed(hotel: HotelProcesses, rooms: list[str], page: Page) -> None:
    panel = _open(page, rooms[0])
    panel.get_by_role("button", name="Check in by hand").click()
    expect(panel.get_by_label("Name", exact=True)).to_be_focused()
    panel.get_by_label("Name", exact=True).fill("Okafor")
    panel.get_by_label("First name").fill("Ada")
    panel.get_by_label("Language").select_option("French")
    panel.get_by_label("Nights").fill("2")
    panel.get_by_label("Calls allowed").select_option("local")
    panel.get_by_role("button", name="Check in", exact=True).click()
    expect(panel.get_by_text("Checked in by hand")).to_be_visible()
    expect(panel.locator(".pill")).to_contain_text("By hand")
    show_names(page)
    expect(panel.locator("dl")).to_contain_text("Okafor, Ada")
    expect(panel.locator("dl")).to_contain_text("French")
    expect(panel.locator("dl")).to_contain_text("Calls allowedlocal")
    guest = hotel.call_rooms("GET", rooms[0])["guests"][0]
    departure = datetime.now() + timedelta(days=2, minutes=3)  # noqa: DTZ005 (the hotel's local time)
    assert guest["departure"] == f"{departure:%Y-%m-%d}"
    expect(room_tile(page, rooms[0])).to_have_class(re.compile(r"\bhand\b"))
    expect(page.get_by_text("1 change by hand waits for the resync")).to_be_visible()
    page.get_by_role("button", name="Show them").click()
    expect(room_tiles(page)).to_have_count(1)


def test_a_guest_is_moved_and_checked_out(
    hotel: HotelProcesses, port: int, rooms: list[str], page: Page
) -> None:
    occupied = _occupied(hotel)[0]
    panel = _open(page, occupied)
    panel.get_by_role("button", name="Move").click()
    panel.get_by_label("Move to room").fill(rooms[0])
    panel.get_by_role("button", name="Move the guest").click()
    expect(panel.get_by_text(f"Moved to room {rooms[0]}")).to_be_visible()
    expect(room_tile(page, occupied).locator(".who")).to_have_text("vacant")
    expect(room_tile(page, rooms[0]).locator(".who")).not_to_have_text("vacant")

    panel = _open(page, rooms[0])
    panel.get_by_role("button", name="Check out by hand").click()
    dialog = page.get_by_role("dialog", name=f"Check out room {rooms[0]} by hand?")
    page.keyboard.press("Escape")
    expect(room_tile(page, rooms[0]).locator(".who")).not_to_have_text("vacant")
    panel.get_by_role("button", name="Check out by hand").click()
    dialog.get_by_role("button", name="Check out").click()
    expect(room_tile(page, rooms[0]).locator(".who")).to_have_text("vacant")


def test_moving_into_an_occupied_room_says_why_not(
    hotel: HotelProcesses, user: BrowserUser, page: Page
) -> None:
    user.page_errors.expected_errors += ["409"]
    first, second, *_ = _occupied(hotel)
    panel = _open(page, first)
    panel.get_by_role("button", name="Move").click()
    panel.get_by_label("Move to room").fill(second)
    panel.get_by_role("button", name="Move the guest").click()
    expect(panel.get_by_text("Nothing was changed: Somebody is in that room.")).to_be_visible()
    expect(panel.get_by_label("Move to room")).to_have_value(second)


def test_what_was_typed_outlasts_a_failure_and_stays_with_its_room(
    hotel: HotelProcesses, rooms: list[str], user: BrowserUser, page: Page
) -> None:
    user.page_errors.expected_errors += ["503"]
    problem = {"error": {"code": "store", "message": "the disk is gone"}}
    page.route("**/rooms/*/check-in", lambda route: route.fulfill(status=503, json=problem))
    panel = _open(page, rooms[0])
    name = panel.get_by_label("Name", exact=True)
    panel.get_by_role("button", name="Check in by hand").click()
    name.fill("Okafor")
    panel.get_by_role("button", name="Check in", exact=True).click()
    expect(panel.get_by_text("Nothing was changed")).to_contain_text("the disk is gone")
    expect(name).to_have_value("Okafor")
    panel = _open(page, rooms[1])
    expect(panel.get_by_text("Nothing was changed")).to_be_hidden()
    panel.get_by_role("button", name="Check in by hand").click()
    expect(name).to_have_value("")


def test_what_agrees_is_counted_and_what_differs_is_chosen(
    hotel: HotelProcesses, port: int, rooms: list[str], page: Page
) -> None:
    agreeing, taken, kept, *_ = rooms
    for room, name in ((agreeing, "Larsen"), (taken, "Okafor"), (kept, "Berg")):
        _check_in(page, room, name)
    guest = hotel.check_in(port, agreeing, "Larsen")
    card = _reconnect(hotel, page)
    expect(card).to_contain_text(f"1 agrees{agreeing}")
    expect(card.locator(".pill")).to_have_text("2 differ")
    show_names(page)
    row = card.locator("li", has_text=f"Room {taken}")
    expect(row).to_contain_text("By hand: checked in Okafor")
    expect(row).to_contain_text("PMS: vacant")
    expect(row).to_contain_text("If nobody chooses, the PMS’s is taken over")
    row.get_by_role("button", name="Take over the PMS’s").click()
    expect(room_tile(page, taken).locator(".who")).to_have_text("vacant")
    expect(row).to_contain_text("Taken over from the PMS.")
    expect(card.locator(".pill")).to_have_text("1 differs")

    row = card.locator("li", has_text=f"Room {kept}")
    row.get_by_role("button", name="Keep until the PMS is corrected").click()
    expect(row).to_contain_text("Kept until the PMS is corrected.")
    expect(card.locator(".pill")).to_be_hidden()
    expect(room_tile(page, kept).locator(".who")).to_have_text("Berg")
    assert hotel.call_rooms("GET", agreeing)["guests"][0]["number"] == guest
    expect(room_tile(page, agreeing)).not_to_have_class(re.compile(r"\bhand\b"))
    hotel.call_desk("DELETE", f"/guests/{guest}", port)


def test_the_front_desk_works_with_the_keyboard_alone(
    hotel: HotelProcesses, rooms: list[str], page: Page
) -> None:
    keyboard = page.keyboard
    room_tile(page, "501").focus()
    keyboard.type(rooms[0])
    keyboard.press("Enter")
    panel = room_panel(page)
    check_in = panel.get_by_role("button", name="Check in by hand")
    for _ in range(20):
        keyboard.press("Tab")
        if check_in.evaluate("(button) => button === document.activeElement"):
            break
    expect(check_in).to_be_focused()
    keyboard.press("Enter")
    keyboard.type("Okafor")
    keyboard.press("Enter")
    expect(panel.get_by_text("Checked in by hand")).to_be_visible()
    expect(panel.get_by_role("button", name="Check out by hand")).to_be_focused()
    card = _reconnect(hotel, page)
    keep = card.get_by_role("button", name="Keep until the PMS is corrected")
    keep.focus()
    keyboard.press("Enter")
    expect(card).to_contain_text("Kept until the PMS is corrected.")
