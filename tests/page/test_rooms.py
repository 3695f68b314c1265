"""Tests of the rooms view in a browser: state, search and filter."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.page.browser import BrowserUser, open_page
from tests.page.hotel_processes import HotelProcesses, future_wake_up_time
from tests.page.rooms_view import ROOM_COUNT, VIEW_HASH, open_rooms, room_row, room_rows, summary_count
from tests.process.server_processes import wait_until

NAMES = ("<script>alert(1)</script>", "王小明", "Larsen\u202enodnoL")
LANGUAGES = """
EA English  GE German  SP Spanish  FR French  IT Italian  JA Japanese  CT Catalan  CR Croatian  CZ Czech
DK Danish  FN Finnish  GR Greek  RI Indonesian  NR Norwegian  PO Portuguese  RL Russian  RS Russian
SC Slovak  SW Swedish  NL Dutch  HU Hungarian  TR Turkish  EN English  de German  ZH Chinese
QX QX  1 1  E\u202eA E⟨202E⟩A
"""


@pytest.fixture
def page(port: int, user: BrowserUser) -> Page:
    return open_rooms(user)


def test_the_view_is_reached_from_the_link_and_links_back(user: BrowserUser, port: int) -> None:
    page = user.page
    user.navigate("#/links/made")
    page.get_by_role("link", name="Rooms").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Rooms of made")
    expect(page.locator(".head .marker")).to_have_text("ESTABLISHED")
    expect(room_rows(page)).to_have_count(ROOM_COUNT)
    expect(page.locator(".room h2").first).to_have_text("101")
    assert summary_count(page, "rooms") == ROOM_COUNT
    assert 0 < summary_count(page, "occupied") < summary_count(page, "guests")
    page.get_by_role("link", name="The link made").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("made")


def test_check_in_sharer_change_move_and_check_out_are_shown_live(
    hotel: HotelProcesses, port: int, page: Page
) -> None:
    old, new, *_ = hotel.vacant_rooms(port)
    page.get_by_label("Show guest names").check()
    expect(room_row(page, old).locator(".guests")).to_have_text("vacant")
    occupied, guests = summary_count(page, "occupied"), summary_count(page, "guests")

    first = hotel.check_in(
        port, old, "Larsen", first_name="Kari", title="Dr", language="NR", vip="2", class_of_service=3
    )
    expect(room_row(page, old).locator(".guests p")).to_have_text(["Larsen, Kari, Dr", "Norwegian · VIP 2"])
    expect(room_row(page, old).locator(".service")).to_have_text("unrestricted calls")
    expect(page.locator("[data-count=guests] dd")).to_have_text(str(guests + 1))
    assert summary_count(page, "occupied") == occupied + 1

    second = hotel.check_in(port, old, "Berg", language="zz")
    expect(room_row(page, old).locator(".guest")).to_have_text(["Larsen, Kari, Dr", "Berg"])
    expect(room_row(page, old).locator(".guests")).to_contain_text("zz")  # an unknown language code
    expect(room_row(page, old).locator(".service")).to_have_text("unrestricted calls")

    hotel.call_desk("PATCH", f"/guests/{first}", port, {"name": "Holm", "language": "JA"})
    expect(room_row(page, old).locator(".guest").first).to_have_text("Holm, Kari, Dr")
    expect(room_row(page, old).locator(".guests")).to_contain_text("Japanese")

    hotel.call_desk("PATCH", f"/guests/{first}", port, {"room": new})
    expect(room_row(page, new).locator(".guest")).to_have_text(["Holm, Kari, Dr"])
    expect(room_row(page, old).locator(".guest")).to_have_text(["Berg"])

    hotel.call_desk("DELETE", f"/guests/{first}", port)
    expect(room_row(page, new).locator(".guests")).to_have_text("vacant")
    hotel.call_desk("DELETE", f"/guests/{second}", port)
    expect(room_row(page, old).locator(".guests")).to_have_text("vacant")
    expect(page.locator("[data-count=guests] dd")).to_have_text(str(guests))


def test_lights_and_class_of_service_are_shown_as_text(hotel: HotelProcesses, port: int, page: Page) -> None:
    room = hotel.vacant_rooms(port)[0]
    row = room_row(page, room)
    for service, words in enumerate(("calls barred", "local calls", "national calls", "unrestricted calls")):
        hotel.call_desk("PATCH", f"/rooms/{room}", port, {"class_of_service": service})
        expect(row.locator(".service")).to_have_text(words)
    hotel.call_desk("PATCH", f"/rooms/{room}", port, {"message_light": True, "do_not_disturb": True})
    expect(row.locator(".light")).to_have_text(["do not disturb", "message light"])
    hotel.call_desk("PATCH", f"/rooms/{room}", port, {"message_light": False})
    expect(row.locator(".light")).to_have_text(["do not disturb"])
    hotel.call_desk("PATCH", f"/rooms/{room}", port, {"do_not_disturb": False})
    expect(row.locator(".light")).to_have_count(0)


def test_phone_updates_of_a_room_are_shown(hotel: HotelProcesses, port: int, page: Page) -> None:
    room = hotel.vacant_rooms(port)[0]
    row = room_row(page, room)
    hotel.call_rooms("PUT", f"{room}/status", {"status": 2})
    expect(row.locator(".status")).to_have_text("housekeeping: dirty, occupied")
    hotel.call_rooms("PUT", f"{room}/dnd", {"on": True})
    expect(row.locator(".light")).to_have_text(["do not disturb"])
    at = future_wake_up_time()
    hotel.call_rooms("PUT", f"{room}/wake-up", {"at": at.isoformat()})
    expect(row.locator(".wake-up")).to_have_text(f"wake-up {at:%a, %b} {at.day}, 06:45")
    expect(page.locator("[data-count=wake_ups] dd")).to_have_text("1")
    hotel.call_rooms("DELETE", f"{room}/wake-up")
    expect(row.locator(".wake-up")).to_have_count(0)
    hotel.call_desk("PATCH", f"/rooms/{room}", port, {"do_not_disturb": False})


def test_a_wake_up_is_shown_in_hotel_local_time(hotel: HotelProcesses, port: int, browser: Browser) -> None:
    room = hotel.vacant_rooms(port)[0]
    at = future_wake_up_time()
    hotel.call_rooms("PUT", f"{room}/wake-up", {"at": at.isoformat()})
    for zone in ("Asia/Shanghai", "America/Los_Angeles"):
        with open_page(browser, hotel.url, timezone_id=zone) as user:
            user.navigate(VIEW_HASH)
            expect(room_row(user.page, room).locator(".wake-up")).to_contain_text(f"{at.day}, 06:45")
    hotel.call_rooms("DELETE", f"{room}/wake-up")


def test_a_ringing_wake_up_is_shown(hotel: HotelProcesses, port: int, page: Page) -> None:
    room = hotel.vacant_rooms(port)[0]
    wake_up = room_row(page, room).locator(".wake-up")
    now = datetime.now().replace(microsecond=0)  # noqa: DTZ005 (the hotel's local time)
    hotel.call_desk("POST", f"/rooms/{room}/wake-ups", port, {"at": now.isoformat()})
    expect(wake_up).to_contain_text("attempt 1")
    hotel.call_desk("DELETE", f"/rooms/{room}/wake-ups", port)
    expect(wake_up).to_have_count(0)


def test_guest_names_are_redacted_until_requested(hotel: HotelProcesses, port: int, page: Page) -> None:
    room = hotel.vacant_rooms(port)[0]
    guest = hotel.check_in(port, room, "Larsen", first_name="Kari", language="NR")
    names = room_row(page, room).locator(".guest")
    search = page.get_by_role("searchbox")
    expect(names).to_have_text("•••")
    expect(room_row(page, room)).to_contain_text("Norwegian")
    expect(page.locator("main")).not_to_contain_text("Larsen")
    search.fill("larsen")
    expect(room_rows(page)).to_have_count(0)
    page.get_by_label("Show guest names").check()
    expect(names).to_have_text("Larsen, Kari")
    expect(room_rows(page)).to_have_count(1)
    page.get_by_label("Show guest names").uncheck()
    expect(room_rows(page)).to_have_count(0)
    hotel.call_desk("DELETE", f"/guests/{guest}", port)


def test_guest_names_with_markup_are_shown_literally(hotel: HotelProcesses, port: int, page: Page) -> None:
    rooms = hotel.vacant_rooms(port)
    guests = [hotel.check_in(port, room, name) for room, name in zip(rooms, NAMES, strict=False)]
    page.get_by_label("Show guest names").check()
    expect(room_row(page, rooms[0]).locator(".guest")).to_have_text(NAMES[0])
    expect(room_row(page, rooms[1]).locator(".guest")).to_have_text(NAMES[1])
    expect(room_row(page, rooms[2]).locator(".guest")).to_have_text("Larsen⟨202E⟩nodnoL")
    expect(page.locator(".rooms script, .rooms img")).to_have_count(0)
    page.get_by_role("searchbox").fill("王小明")
    expect(page.locator(".room h2")).to_have_text([rooms[1]])
    for guest in guests:
        hotel.call_desk("DELETE", f"/guests/{guest}", port)


def test_rooms_are_searched_by_number_name_and_extension_and_filtered_by_state(
    hotel: HotelProcesses, user: BrowserUser
) -> None:
    page, port = user.page, hotel.ports[1]
    hotel.make_docked_link("made", port, alive_interval=3600, extensions="prefix", extension_prefix="7")
    room = hotel.vacant_rooms(port)[0]
    guest = hotel.check_in(port, room, "Quandt")
    user.navigate(VIEW_HASH)
    expect(room_rows(page)).to_have_count(ROOM_COUNT)
    rooms = page.locator(".room h2")
    search = page.get_by_role("searchbox")
    page.get_by_label("Show guest names").check()
    for query in ("quandt", f"7{room}"):
        search.fill(query)
        expect(rooms).to_have_text([room])
        expect(page.locator(".count")).to_have_text(f"1 of {ROOM_COUNT} rooms")
    search.fill("nowhere")
    expect(page.get_by_text("No room fits.")).to_be_visible()
    search.fill(room)
    expect(rooms).to_have_text([room])

    filter_choice = page.get_by_label("Rooms shown")
    filter_choice.select_option("occupied")
    expect(rooms).to_have_text([room])
    hotel.call_desk("DELETE", f"/guests/{guest}", port)
    expect(rooms).to_have_count(0)
    filter_choice.select_option("vacant")
    expect(rooms).to_have_text([room])
    filter_choice.select_option("lights")
    expect(rooms).to_have_count(0)
    hotel.call_desk("PATCH", f"/rooms/{room}", port, {"message_light": True})
    expect(rooms).to_have_text([room])
    hotel.call_desk("PATCH", f"/rooms/{room}", port, {"message_light": False})
    expect(rooms).to_have_count(0)
    filter_choice.select_option("wake_ups")
    hotel.call_rooms("PUT", f"{room}/wake-up", {"at": future_wake_up_time().isoformat()})
    expect(rooms).to_have_text([room])
    hotel.call_rooms("DELETE", f"{room}/wake-up")
    expect(rooms).to_have_count(0)


def test_a_room_without_an_extension_is_marked(
    hotel: HotelProcesses, user: BrowserUser, tmp_path: Path
) -> None:
    page, table = user.page, tmp_path / "extensions.csv"
    table.write_text("".join(f"{room},7{room},8{room}\n" for room in range(101, 121)))
    table_settings = {"extensions": "table", "extension_table": str(table)}
    hotel.make_docked_link("made", hotel.ports[1], alive_interval=3600, **table_settings)
    user.navigate(VIEW_HASH)
    expect(room_row(page, "101").locator(".which")).to_contain_text("extension 7101, 8101")
    expect(room_row(page, "201").locator(".fault")).to_have_text("no extension")
    expect(page.locator(".fault")).to_have_count(ROOM_COUNT - 20)
    expect(page.locator("[data-count=unmapped] dd")).to_have_text(str(ROOM_COUNT - 20))
    page.get_by_label("Rooms shown").select_option("without an extension")
    expect(page.locator(".room h2").first).to_have_text("201")

    hotel.pbx.call("PATCH", "/api/v1/links/made", {"extensions": "same"})
    expect(page.locator(".fault")).to_have_count(0)
    expect(page.locator("[data-count=unmapped]")).to_be_hidden()


def test_missing_rooms_and_a_lost_sync_are_reported(
    hotel: HotelProcesses, port: int, user: BrowserUser, page: Page
) -> None:
    notice = page.locator(".note")
    expect(notice).to_be_hidden()
    hotel.control("made", "disable")
    expect(notice).to_have_text("The link is not in sync: rooms are shown as the PMS last told of them.")
    expect(page.locator(".head .marker")).to_have_text("DISABLED")
    expect(room_rows(page)).to_have_count(ROOM_COUNT)
    hotel.remove_link("made")
    expect(page.get_by_text("There is no link made.")).to_be_visible()

    hotel.set_faults(hotel.ports[2], dr_ignored=True)
    hotel.make_link("made", hotel.ports[2], enabled=True)
    wait_until(lambda: hotel.link("made")["in_sync"], "it is docked")
    user.navigate("#/")
    user.navigate(VIEW_HASH)
    expect(page.get_by_text("The PMS has told of no room yet. Ask for a resync")).to_be_visible()


def test_an_unknown_link_is_reported(user: BrowserUser) -> None:
    user.page_errors.expected_errors += ["404"]
    user.navigate("#/links/nowhere/rooms")
    expect(user.page.get_by_text("There is no link nowhere.")).to_be_visible()


def test_search_and_filter_survive_a_language_change(hotel: HotelProcesses, port: int, page: Page) -> None:
    room = hotel.vacant_rooms(port)[0]
    guest = hotel.check_in(port, room, "Larsen", language="GE", class_of_service=2)
    hotel.call_rooms("PUT", f"{room}/status", {"status": 4})
    page.get_by_label("Show guest names").check()
    page.get_by_label("Rooms shown").select_option("occupied")
    page.get_by_role("searchbox").fill("larsen")
    expect(room_row(page, room).locator(".guests")).to_contain_text("German")
    page.get_by_label("Language").select_option("zh")
    expect(page.get_by_role("heading", level=1)).to_have_text("made 的客房")
    expect(page.locator(".room h2")).to_have_text([room])
    expect(room_row(page, room).locator(".guests p")).to_have_text(["Larsen", "德语"])
    expect(room_row(page, room).locator(".phone")).to_have_text("国内通话房态：住净房")
    expect(page.get_by_label("显示的客房")).to_have_value("occupied")
    hotel.call_desk("DELETE", f"/guests/{guest}", port)


def test_a_phone_shows_the_cells_of_a_room_in_one_column(
    hotel: HotelProcesses, port: int, browser: Browser
) -> None:
    room = hotel.vacant_rooms(port)[0]
    details: dict[str, Any] = {"first_name": "a" * 60, "class_of_service": 2}
    guest = hotel.check_in(port, room, "w" * 60, **details)
    hotel.call_desk("PATCH", f"/rooms/{room}", port, {"message_light": True, "do_not_disturb": True})
    with open_page(browser, hotel.url, viewport={"width": 390, "height": 844}) as user:
        user.navigate(VIEW_HASH)
        row = room_row(user.page, room)
        user.page.get_by_label("Show guest names").check()
        row.scroll_into_view_if_needed()
        expect(row.locator(".guest")).to_contain_text("w" * 60)
        expect(row.locator(".light").last).to_be_in_viewport(ratio=1)
        wide = user.page.evaluate("document.documentElement.scrollWidth")
        assert wide == 390
    hotel.call_desk("DELETE", f"/guests/{guest}", port)


def test_guest_languages_are_fias_codes_or_iso_codes(user: BrowserUser) -> None:
    words = LANGUAGES.split()
    expected = dict(zip(words[::2], words[1::2], strict=True))
    actual = user.page.evaluate(
        "async (codes) => codes.map((await import('/page/room_labels.js')).guestLanguage)", list(expected)
    )
    assert dict(zip(expected, actual, strict=True)) == expected
