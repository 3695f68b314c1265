"""Tests of live updates of the rooms in a browser, and of the requests that they cause."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.page.browser import BrowserUser, open_page
from tests.page.hotel_processes import HotelProcesses
from tests.page.rooms_view import ROOM_COUNT, VIEW_HASH, chip, open_rooms, room_tile, room_tiles, show_names
from tests.process.server_processes import wait_until

WATCH = """
(floors) => {
  window.touched = new Set();
  window.marked = {}; // how the mark moves, by room
  new MutationObserver((all) => {
    for (const one of all) {
      const element = one.target.closest ? one.target : one.target.parentElement;
      const tile = element.closest(".tile");
      const tiles = tile ? [tile] : [...one.addedNodes, ...one.removedNodes].filter((node) => node.dataset);
      tiles.forEach((tile) => window.touched.add(tile.dataset.room));
      const marked = tiles.filter((tile) => tile.classList.contains("told"));
      marked.forEach((tile) => (window.marked[tile.dataset.room] = getComputedStyle(tile).animationName));
    }
  }).observe(floors, {attributes: true, characterData: true, childList: true, subtree: true});
}
"""
UNSEEN = """
() => {
  let unseen = true;
  Object.defineProperty(document, "hidden", {get: () => unseen});
  window.look = () => {
    unseen = false;
    document.dispatchEvent(new Event("visibilitychange"));
  };
}
"""


@pytest.fixture
def page(port: int, user: BrowserUser) -> Page:
    return open_rooms(user)


@pytest.fixture
def requests(user: BrowserUser) -> Iterator[list[str]]:
    """Return the list of the page's requests for rooms, which grows during the test."""
    calls: list[str] = []

    def record_request(request: Request) -> None:
        if "/api/v1/links/made/rooms" in request.url:
            calls.append(request.url)

    user.page.on("request", record_request)
    yield calls
    user.page.remove_listener("request", record_request)


def test_check_in_sharer_change_move_and_check_out_are_shown(
    hotel: HotelProcesses, port: int, page: Page
) -> None:
    old, new, *_ = hotel.vacant_rooms(port)
    show_names(page)
    who, moved = room_tile(page, old).locator(".who"), room_tile(page, new).locator(".who")
    occupied = int(chip(page, "Occupied").locator("b").inner_text())
    first = hotel.check_in(port, old, "Larsen", first_name="Kari")
    expect(who).to_have_text("Larsen, Kari")
    expect(chip(page, "Occupied").locator("b")).to_have_text(str(occupied + 1))
    second = hotel.check_in(port, old, "Berg")
    expect(who).to_have_text("Larsen, Kari · Berg")
    hotel.call_desk("PATCH", f"/guests/{first}", port, {"name": "Holm"})
    expect(who).to_have_text("Holm, Kari · Berg")
    hotel.call_desk("PATCH", f"/guests/{first}", port, {"room": new})
    expect(moved).to_have_text("Holm, Kari")
    expect(who).to_have_text("Berg")
    hotel.call_desk("DELETE", f"/guests/{first}", port)
    expect(moved).to_have_text("vacant")
    hotel.call_desk("DELETE", f"/guests/{second}", port)
    expect(chip(page, "Occupied").locator("b")).to_have_text(str(occupied))


def test_a_change_touches_only_its_own_tile_and_marks_it_briefly(
    hotel: HotelProcesses, port: int, page: Page
) -> None:
    room = hotel.vacant_rooms(port)[0]
    tile = room_tile(page, room)
    expect(page.locator(".told")).to_have_count(0)  # all rooms are shown, without a change
    page.locator(".floors").evaluate(WATCH)
    guest = hotel.check_in(port, room, "Larsen")
    expect(tile.locator(".who")).to_have_text("Guest")
    expect(page.locator(".told")).to_have_count(0)
    hotel.call_desk("DELETE", f"/guests/{guest}", port)
    expect(tile.locator(".who")).to_have_text("vacant")
    assert page.evaluate("[...window.touched]") == [room]
    assert page.evaluate("window.marked") == {room: "told"}


def test_a_change_is_not_coloured_with_reduced_motion(
    hotel: HotelProcesses, port: int, browser: Browser
) -> None:
    room = hotel.vacant_rooms(port)[0]
    with open_page(browser, hotel.url, reduced_motion="reduce") as user:
        page = open_rooms(user)
        page.locator(".floors").evaluate(WATCH)
        hotel.call_desk("PATCH", f"/rooms/{room}", port, {"message_light": True})
        expect(room_tile(page, room).get_by_role("img", name="Message")).to_be_visible()
        assert page.evaluate("window.marked") == {}
    hotel.call_desk("PATCH", f"/rooms/{room}", port, {"message_light": False})


def test_a_resync_causes_no_request_per_room(
    hotel: HotelProcesses, user: BrowserUser, requests: list[str]
) -> None:
    page, port = user.page, hotel.ports[1]
    hotel.make_link("made", port)
    user.navigate(VIEW_HASH)
    expect(page.locator(".empty")).to_contain_text("The PMS has sent no room yet.")
    hotel.control("made", "enable")
    expect(room_tiles(page)).to_have_count(ROOM_COUNT)
    wait_until(lambda: hotel.link("made")["resync"]["ended"], "the resync has ended")
    rooms = hotel.call_desk("GET", "/rooms", port)["rooms"]
    occupied = sum(bool(room["guests"]) for room in rooms)
    expect(chip(page, "Occupied").locator("b")).to_have_text(str(occupied))
    assert len(requests) < 10, requests
    assert {url.rsplit("/", 1)[1] for url in requests} == {"rooms"}


def test_many_changes_at_once_are_fetched_together(
    hotel: HotelProcesses, port: int, page: Page, requests: list[str]
) -> None:
    rooms = hotel.vacant_rooms(port)[:25]
    for room in rooms:
        hotel.send_record(port, f"RE|RN{room}|MLY|")
    chip(page, "Message").click()
    expect(room_tiles(page)).to_have_count(len(rooms))
    assert len(requests) < len(rooms), requests
    for room in rooms:
        hotel.send_record(port, f"RE|RN{room}|MLN|")
    expect(room_tiles(page)).to_have_count(0)


def test_changes_during_an_outage_are_shown_after_it(
    hotel: HotelProcesses, port: int, user: BrowserUser, page: Page
) -> None:
    user.page_errors.expected_errors += ["ERR_INTERNET_DISCONNECTED"]
    room = hotel.vacant_rooms(port)[0]
    user.context.set_offline(True)
    expect(page.locator("body.offline")).to_have_count(1)
    guest = hotel.check_in(port, room, "Larsen")
    expect(room_tile(page, room).locator(".who")).to_have_text("vacant")
    user.context.set_offline(False)
    expect(room_tile(page, room).locator(".who")).to_have_text("Guest")
    hotel.call_desk("DELETE", f"/guests/{guest}", port)


def test_all_rooms_are_fetched_again_after_a_stream_reset(hotel: HotelProcesses, page: Page) -> None:
    with page.expect_request("**/links/made/rooms"):
        hotel.make_link("other")
        hotel.remove_link("other")  # resets all streams


def test_a_hidden_tab_fetches_nothing_until_it_is_visible(
    hotel: HotelProcesses, port: int, page: Page, requests: list[str]
) -> None:
    page.clock.install()
    page.reload()
    expect(room_tiles(page)).to_have_count(ROOM_COUNT)
    room = hotel.vacant_rooms(port)[0]
    page.evaluate(UNSEEN)
    requests.clear()
    guest = hotel.check_in(port, room, "Larsen")
    wait_until(lambda: hotel.call_rooms("GET", room)["guests"], "the service has received the check-in")
    hotel.control("made", "disable")
    expect(
        page.get_by_text("DISABLED").first
    ).to_be_attached()  # so the page has received the check-in as well
    page.clock.run_for(10_000)
    assert requests == []
    page.evaluate("window.look()")
    expect(room_tile(page, room).locator(".who")).to_have_text("Guest")
    hotel.call_desk("DELETE", f"/guests/{guest}", port)


def test_a_failed_fetch_of_a_room_is_retried(
    hotel: HotelProcesses, port: int, user: BrowserUser, page: Page
) -> None:
    user.page_errors.expected_errors += ["503"]
    room = hotel.vacant_rooms(port)[0]
    problem = '{"error": {"code": "store", "message": "the disk is gone"}}'
    page.route("**/rooms/*", lambda route: route.fulfill(status=503, body=problem), times=1)
    guest = hotel.check_in(port, room, "Larsen")
    expect(page.get_by_text("the disk is gone")).to_be_visible()
    expect(room_tile(page, room).locator(".who")).to_have_text("Guest")
    expect(page.get_by_text("the disk is gone")).to_be_hidden()
    hotel.call_desk("DELETE", f"/guests/{guest}", port)
