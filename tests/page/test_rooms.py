"""Tests of the rooms of a link in a browser: floors, list, filters, names and print."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.page.browser import BrowserUser, open_page
from tests.page.hotel_processes import HotelProcesses, future_wake_up_time
from tests.page.rooms_view import (
    ROOM_COUNT,
    VIEW_HASH,
    chip,
    hide_names,
    open_room_list,
    open_rooms,
    room_names,
    room_row,
    room_rows,
    room_tile,
    room_tiles,
    show_names,
)

NAMES = ("<script>alert(1)</script>", "王小明", "Lindqvist\u202enodnoL")


@pytest.fixture
def page(port: int, user: BrowserUser) -> Page:
    return open_rooms(user)


def test_rooms_are_shown_by_floor_from_the_top(page: Page) -> None:
    expect(page.locator(".floor h2")).to_have_text([f"Floor {floor}" for floor in (5, 4, 3, 2, 1)])
    expect(room_tiles(page).first).to_contain_text("501")
    box = room_tile(page, "501").bounding_box()
    assert box is not None
    assert 100 < box["width"] < 140
    assert 65 < box["height"] < 90


def test_a_tile_shows_guest_signs_housekeeping_and_the_next_wake_up(
    hotel: HotelProcesses, port: int, page: Page
) -> None:
    room = hotel.vacant_rooms(port)[0]
    tile = room_tile(page, room)
    expect(tile.locator(".who")).to_have_text("vacant")
    guest = hotel.check_in(port, room, "Lindqvist", first_name="Kari")
    expect(tile.locator(".who")).to_have_text("Guest")
    hotel.call_desk("PATCH", f"/rooms/{room}", port, {"message_light": True, "do_not_disturb": True})
    expect(tile.get_by_role("img")).to_have_count(2)
    assert tile.get_by_role("img").evaluate_all("(all) => all.map((one) => one.ariaLabel)") == [
        "Do not disturb",
        "Message",
    ]
    hotel.call_rooms("PUT", f"{room}/status", {"status": 2})
    expect(tile.locator(".hk")).to_have_text("Dirty")
    hotel.call_rooms("PUT", f"{room}/wake-up", {"at": future_wake_up_time().isoformat()})
    expect(tile.locator(".wake")).to_have_text("06:45")
    hotel.call_rooms("DELETE", f"{room}/wake-up")
    hotel.call_desk("DELETE", f"/guests/{guest}", port)
    expect(tile.locator(".who")).to_have_text("vacant")
    expect(tile.locator(".wake")).to_be_hidden()
    hotel.call_desk("PATCH", f"/rooms/{room}", port, {"message_light": False, "do_not_disturb": False})
    expect(tile.get_by_role("img")).to_have_count(0)


def test_the_list_shows_the_same_as_rows(hotel: HotelProcesses, port: int, user: BrowserUser) -> None:
    page = open_room_list(user)
    room = hotel.vacant_rooms(port)[0]
    guest = hotel.check_in(port, room, "Lindqvist", first_name="Kari", title="Dr")
    show_names(page)
    row = room_row(page, room)
    expect(row.locator(".who")).to_have_text("Lindqvist, Kari, Dr")
    at = future_wake_up_time()
    hotel.call_rooms("PUT", f"{room}/wake-up", {"at": at.isoformat()})
    expect(row.locator(".wakes")).to_have_text(f"{at:%a, %b} {at.day}, 06:45")
    hotel.call_rooms("PUT", f"{room}/status", {"status": 6})
    expect(row.locator(".hk")).to_have_text("Inspected")
    assert room_names(page) == sorted(room_names(page))
    expect(page.get_by_role("table", name="Rooms")).to_have_attribute("aria-rowcount", str(ROOM_COUNT + 1))
    hotel.call_rooms("DELETE", f"{room}/wake-up")
    hotel.call_desk("DELETE", f"/guests/{guest}", port)


def test_a_wake_up_is_shown_in_hotel_local_time(hotel: HotelProcesses, port: int, browser: Browser) -> None:
    room = hotel.vacant_rooms(port)[0]
    hotel.call_rooms("PUT", f"{room}/wake-up", {"at": future_wake_up_time().isoformat()})
    for zone in ("Asia/Shanghai", "America/Los_Angeles"):
        with open_page(browser, hotel.url, timezone_id=zone) as user:
            open_rooms(user)
            expect(room_tile(user.page, room).locator(".wake")).to_have_text("06:45")
    hotel.call_rooms("DELETE", f"{room}/wake-up")


def test_a_ringing_wake_up_is_shown(hotel: HotelProcesses, port: int, user: BrowserUser) -> None:
    page = open_room_list(user)
    room = hotel.vacant_rooms(port)[0]
    now = datetime.now().replace(microsecond=0)  # noqa: DTZ005 (the hotel's local time)
    hotel.call_desk("POST", f"/rooms/{room}/wake-ups", port, {"at": now.isoformat()})
    expect(room_row(page, room).locator(".wakes")).to_contain_text("attempt 1")
    hotel.call_desk("DELETE", f"/rooms/{room}/wake-ups", port)
    expect(room_row(page, room).locator(".wakes")).to_have_text("")


def test_guest_names_are_hidden_at_each_visit_and_not_found(
    hotel: HotelProcesses, port: int, user: BrowserUser, page: Page
) -> None:
    room = hotel.vacant_rooms(port)[0]
    guest = hotel.check_in(port, room, "Lindqvist", first_name="Kari")
    who = room_tile(page, room).locator(".who")
    search = page.get_by_role("searchbox")
    expect(who).to_have_text("Guest")
    search.fill("lindqvist")
    expect(room_tiles(page)).to_have_count(0)
    expect(page.get_by_text("No room fits this filter.")).to_be_visible()
    show_names(page)
    expect(who).to_have_text("Lindqvist, Kari")
    expect(room_tiles(page)).to_have_count(1)
    hide_names(page)
    expect(room_tiles(page)).to_have_count(0)
    page.get_by_role("button", name="Show all").click()
    expect(room_tiles(page)).to_have_count(ROOM_COUNT)
    expect(search).to_be_focused()
    show_names(page)
    user.navigate("#/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Links")
    open_rooms(user)
    expect(page.get_by_role("switch", name="Guest names")).not_to_be_checked()
    expect(page.locator("main")).not_to_contain_text("Lindqvist")
    hotel.call_desk("DELETE", f"/guests/{guest}", port)


def test_guest_names_with_markup_are_shown_literally(hotel: HotelProcesses, port: int, page: Page) -> None:
    rooms = hotel.vacant_rooms(port)
    guests = [hotel.check_in(port, room, name) for room, name in zip(rooms, NAMES, strict=False)]
    show_names(page)
    expect(room_tile(page, rooms[0]).locator(".who")).to_have_text(NAMES[0])
    expect(room_tile(page, rooms[1]).locator(".who")).to_have_text(NAMES[1])
    expect(room_tile(page, rooms[2]).locator(".who")).to_have_text("Lindqvist⟨202E⟩nodnoL")
    expect(page.locator(".rooms script")).to_have_count(0)
    page.get_by_role("searchbox").fill("王小明")
    expect(room_tiles(page)).to_have_count(1)
    for guest in guests:
        hotel.call_desk("DELETE", f"/guests/{guest}", port)


def test_rooms_are_searched_by_number_and_extension_and_filtered_by_chips(
    hotel: HotelProcesses, user: BrowserUser
) -> None:
    page, port = user.page, hotel.ports[1]
    hotel.make_docked_link("made", port, alive_interval=3600, extensions="prefix", extension_prefix="7")
    room = hotel.vacant_rooms(port)[0]
    open_rooms(user)
    search = page.get_by_role("searchbox")
    for query in (room, f"7{room}"):
        search.fill(query)
        expect(room_tiles(page)).to_have_count(1)
        expect(page.locator(".rooms-found")).to_have_text(f"1 of {ROOM_COUNT} rooms")
    guest = hotel.check_in(port, room, "Quandt")
    for name, change in (("Vacant", None), ("Occupied", guest)):
        chip(page, name).click()
        expect(room_tiles(page)).to_have_count(0 if change is None else 1)
    hotel.call_desk("DELETE", f"/guests/{guest}", port)
    expect(room_tiles(page)).to_have_count(0)
    for name, fact in (("Message", "message_light"), ("Do not disturb", "do_not_disturb")):
        chip(page, name).click()
        expect(room_tiles(page)).to_have_count(0)
        hotel.call_desk("PATCH", f"/rooms/{room}", port, {fact: True})
        expect(room_tiles(page)).to_have_count(1)
        expect(chip(page, name).locator("b")).to_have_text("1")
        hotel.call_desk("PATCH", f"/rooms/{room}", port, {fact: False})
        expect(room_tiles(page)).to_have_count(0)


def test_the_filters_stand_in_the_address_and_survive_a_reload(port: int, page: Page) -> None:
    page.get_by_role("searchbox").fill("20")
    chip(page, "Vacant").click()
    page.get_by_role("button", name="List").click()
    assert page.evaluate("location.hash") == f"{VIEW_HASH}?q=20&show=vacant&view=list"
    names = room_names(page)
    assert names
    page.reload()
    expect(chip(page, "Vacant")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("searchbox")).to_have_value("20")
    expect(room_rows(page)).to_have_count(len(names))


def test_a_room_without_an_extension_is_marked(
    hotel: HotelProcesses, user: BrowserUser, tmp_path: Path
) -> None:
    page, table = user.page, tmp_path / "extensions.csv"
    table.write_text("".join(f"{room},7{room},8{room}\n" for room in range(101, 121)))
    table_settings = {"extensions": "table", "extension_table": str(table)}
    hotel.make_docked_link("made", hotel.ports[1], alive_interval=3600, **table_settings)
    open_room_list(user)
    expect(room_row(page, "101").locator(".ext")).to_have_text("7101, 8101")
    expect(room_row(page, "201").locator(".missing")).to_have_text("No extension")
    chip(page, "Without extension").click()
    expect(room_rows(page)).to_have_count(ROOM_COUNT - 20)

    hotel.pbx.call("PATCH", "/api/v1/links/made", {"extensions": "same"})
    expect(room_rows(page)).to_have_count(0)
    page.get_by_role("button", name="Show all").click()
    expect(chip(page, "Without extension")).to_be_hidden()


def test_no_rooms_yet_says_why(hotel: HotelProcesses, user: BrowserUser) -> None:
    hotel.make_link("made")
    user.navigate(VIEW_HASH)
    text = "The rooms come with the first resync, once the link is in sync."
    expect(user.page.get_by_text(text)).to_be_visible()


def test_a_link_in_sync_without_rooms_offers_a_resync(port: int, user: BrowserUser) -> None:
    page = user.page
    page.route("**/links/made/rooms", lambda route: route.fulfill(json={"rooms": []}))
    user.navigate(VIEW_HASH)
    expect(
        page.get_by_text("The PMS has sent no room yet. A resync asks it for all of them.")
    ).to_be_visible()
    page.unroute_all()
    page.locator(".empty").get_by_role("button", name="Resync").click()
    expect(room_tiles(page)).to_have_count(ROOM_COUNT)


def test_an_unknown_room_is_reported(user: BrowserUser, page: Page) -> None:
    user.page_errors.expected_errors += ["404"]
    user.navigate(f"{VIEW_HASH}/9999")
    expect(page.get_by_text("The PMS has sent nothing about a room 9999.")).to_be_visible()


def test_search_chip_and_names_survive_a_language_change(
    hotel: HotelProcesses, port: int, user: BrowserUser
) -> None:
    page = open_room_list(user)
    room = hotel.vacant_rooms(port)[0]
    guest = hotel.check_in(port, room, "Lindqvist")
    show_names(page)
    chip(page, "Occupied").click()
    page.get_by_role("searchbox").fill("lindqvist")
    expect(room_rows(page)).to_have_count(1)
    page.get_by_role("button", name="Language").click()
    page.get_by_role("menuitemradio", name="简体中文").click()
    expect(chip(page, "在住")).to_have_attribute("aria-pressed", "true")
    expect(room_row(page, room).locator(".who")).to_have_text("Lindqvist")
    expect(room_rows(page)).to_have_count(1)
    hotel.call_desk("DELETE", f"/guests/{guest}", port)


def test_printing_gives_the_list_with_wake_ups(hotel: HotelProcesses, port: int, page: Page) -> None:
    room = hotel.vacant_rooms(port)[0]
    at = future_wake_up_time()
    hotel.call_rooms("PUT", f"{room}/wake-up", {"at": at.isoformat()})
    expect(room_tile(page, room).locator(".wake")).to_have_text("06:45")
    chip(page, "Wake-ups").click()
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    paper = page.locator(".print-only")
    expect(paper.get_by_role("heading")).to_contain_text("Rooms of made")
    expect(paper.locator(".r[data-room]")).to_have_count(1)
    expect(paper.locator(".wakes").last).to_have_text(f"{at:%a, %b} {at.day}, 06:45")
    expect(page.locator(".chip").first).to_be_hidden()
    hotel.call_rooms("DELETE", f"{room}/wake-up")


@pytest.mark.parametrize("width", [390, 320])
def test_a_phone_shows_rooms_without_scrolling_sideways(
    hotel: HotelProcesses, port: int, browser: Browser, width: int
) -> None:
    room = hotel.vacant_rooms(port)[0]
    details: dict[str, Any] = {"first_name": "a" * 60, "class_of_service": 2}
    guest = hotel.check_in(port, room, "w" * 60, **details)
    with open_page(browser, hotel.url, viewport={"width": width, "height": 844}) as user:
        open_rooms(user)
        show_names(user.page)
        expect(room_tile(user.page, room).locator(".who")).to_have_attribute(
            "title", f"{'w' * 60}, {'a' * 60}"
        )
        assert user.page.evaluate("document.documentElement.scrollWidth") == width
        open_room_list(user)
        assert user.page.evaluate("document.documentElement.scrollWidth") == width
    hotel.call_desk("DELETE", f"/guests/{guest}", port)


def test_a_long_list_has_only_the_rooms_in_sight(hotel: HotelProcesses, port: int, user: BrowserUser) -> None:
    template = hotel.call_rooms("GET", "101")
    rooms = [{**template, "room": str(number), "extensions": [str(number)]} for number in range(1001, 1401)]
    page = user.page
    page.route("**/links/made/rooms", lambda route: route.fulfill(json={"rooms": rooms}))
    user.navigate(f"{VIEW_HASH}?view=list")
    expect(room_row(page, "1001")).to_be_visible()
    assert room_rows(page).count() < 100
    expect(page.get_by_role("table", name="Rooms")).to_have_attribute("aria-rowcount", "401")
    page.mouse.wheel(0, 100_000)
    expect(room_row(page, "1400")).to_be_visible()
    expect(room_row(page, "1400")).to_have_attribute("aria-rowindex", "401")
    expect(room_row(page, "1001")).to_have_count(0)
