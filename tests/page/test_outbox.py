"""Tests of a link's outbox in a browser: live updates, decisions, filters, details and CSV."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import APIResponse, Browser, Locator, Page, Route, expect

from tests.page.browser import BrowserUser, open_page
from tests.page.hotel_processes import HotelProcesses, future_wake_up_time
from tests.page.rooms_view import chip

VIEW_HASH = "#/links/made/outbox"
CALL: dict[str, Any] = {
    "type": "call",
    "room": "101",
    "dialled": "+49 89 1234",
    "duration": 61,
    "amount": 250,
}


@pytest.fixture
def page(hotel: HotelProcesses, user: BrowserUser) -> Page:
    """Open the outbox of a link whose PMS does not answer the next posting, which is then held."""
    port = hotel.ports[1]
    hotel.make_docked_link(
        "made", port, unanswered="hold", answer_timeout=0.5, alive_interval=1, alive_timeout=3
    )
    hotel.set_faults(port, pa_skip=1)
    user.navigate(VIEW_HASH)
    expect(user.page.get_by_text("There is nothing in the outbox.")).to_be_visible()
    return user.page


def _rows(page: Page) -> Locator:
    return page.locator(".out tbody")


def _show_numbers(page: Page) -> None:
    page.get_by_role("switch", name="Numbers called").check()


def test_a_posting_appears_and_is_updated_when_sent_and_answered(hotel: HotelProcesses, page: Page) -> None:
    hotel.control("made", "disable")
    hotel.set_faults(hotel.ports[1], pa_skip=None)
    hotel.enqueue_posting("made", **CALL)
    row = _rows(page)
    expect(row.locator(".lead")).to_have_text("Call ••• · 1 min 1 s")
    expect(row.locator(".amount")).to_have_text("2.50")
    expect(row.locator(".st")).to_have_text("Waiting")
    expect(page.locator(".hint", has_text="Why nothing is sent")).to_contain_text("while the link is off")
    _show_numbers(page)
    expect(row.locator(".lead")).to_have_text("Call 49891234 · 1 min 1 s")
    row.get_by_role("button", name="Details").focus()
    hotel.control("made", "enable")
    expect(row.locator(".st")).to_have_text("Booked")
    expect(row.locator(".an")).to_have_text("OK")
    expect(row.get_by_role("button", name="Details")).to_be_focused()
    expect(page.get_by_text("Why nothing is sent")).to_be_hidden()


def test_the_currency_of_the_hotel_stands_at_the_amount(hotel: HotelProcesses, page: Page) -> None:
    hotel.pbx.call("PATCH", "/api/v1/links/made", {"currency": "EUR"})
    hotel.control("made", "disable")
    hotel.enqueue_posting("made", **CALL)
    expect(_rows(page).locator(".amount")).to_have_text("EUR 2.50")


def test_a_posting_created_during_the_first_load_is_shown(hotel: HotelProcesses, user: BrowserUser) -> None:
    page = user.page
    hotel.make_link("made")
    hotel.enqueue_posting("made", **CALL)
    held: list[tuple[Route, APIResponse]] = []
    page.route("**/postings?*", lambda route: held.append((route, route.fetch())))
    with page.expect_request("**/postings?*"):
        user.navigate(VIEW_HASH)
    expect(page.locator(".chip").first).to_be_visible()
    hotel.enqueue_posting("made", **{**CALL, "room": "102"})
    expect(chip(page, "Waiting").locator("b")).to_have_text("2")
    for route, answer in held:
        route.fulfill(response=answer)
    expect(_rows(page).locator(".rn")).to_have_text(["102", "101"])


def test_an_unknown_posting_says_what_to_look_at_and_is_sent_again(
    hotel: HotelProcesses, user: BrowserUser, page: Page
) -> None:
    hotel.enqueue_posting("made", **CALL)
    ask = _rows(page).locator(".ask")
    expect(ask).to_contain_text(
        "the PMS has not answered, though the link works. It may be on the bill or not."
    )
    expect(ask).to_contain_text("Look at the bill of room 101 in the PMS, then choose:")
    hotel.control("made", "disable")  # a new connection also ends the pause after a posting without an answer
    expect(ask).to_contain_text("the link broke before the PMS answered. It may be on the bill or not.")
    ask.get_by_role("button", name="Not on the bill: send again").click()
    expect(_rows(page).locator(".st")).to_have_text("Waiting")
    expect(ask).to_be_hidden()
    expect(page.get_by_text("Sent again: Call ••• · 1 min 1 s")).to_be_visible()
    hotel.control("made", "enable")
    expect(_rows(page).locator(".st")).to_have_text("Booked")


def test_an_unknown_posting_that_is_on_the_bill_is_closed(hotel: HotelProcesses, page: Page) -> None:
    hotel.enqueue_posting("made", **CALL)
    chip(page, "Need a decision").click()
    _rows(page).get_by_role("button", name="On the bill: close").click()
    expect(page.get_by_text("No row fits this filter.")).to_be_visible()
    chip(page, "Done").click()
    expect(_rows(page).locator(".st")).to_have_text("Closed")


def test_a_charge_of_a_guest_who_has_left_is_discarded_after_a_question(
    hotel: HotelProcesses, user: BrowserUser
) -> None:
    page, port = user.page, hotel.ports[1]
    hotel.make_docked_link("made", port, alive_interval=3600)
    room = hotel.vacant_rooms(port)[0]
    guest = hotel.check_in(port, room, "Larsen")
    user.navigate(VIEW_HASH)
    hotel.control("made", "disable")
    hotel.enqueue_posting("made", **{**CALL, "room": room})
    hotel.call_desk("DELETE", f"/guests/{guest}", port)
    next_guest = hotel.check_in(port, room, "Berg")
    hotel.control("made", "enable")
    row = _rows(page)
    expect(row.locator(".an")).to_have_text("Guest has left")
    expect(row.locator(".ask")).to_contain_text(
        "The guest of this call left before it could be booked. "
        "Sent now, it would be on the bill of the next guest."
    )
    row.get_by_role("button", name="Discard…").click()
    dialog = page.get_by_role("dialog", name=f"Discard “Call ••• · 1 min 1 s” of room {room}?")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(row.locator(".st")).to_have_text("Refused")
    row.get_by_role("button", name="Send all the same…").click()
    expect(page.get_by_role("dialog")).to_contain_text("whoever stays there now")
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    row.get_by_role("button", name="Discard…").click()
    page.get_by_role("dialog").get_by_role("button", name="Discard").click()
    expect(row.locator(".st")).to_have_text("Closed")
    hotel.call_desk("DELETE", f"/guests/{next_guest}", port)


def test_a_refused_posting_shows_the_text_of_the_pms(hotel: HotelProcesses, user: BrowserUser) -> None:
    page, port = user.page, hotel.ports[1]
    hotel.make_docked_link("made", port, alive_interval=3600)
    hotel.set_faults(port, pa_answer="NG")
    user.navigate(VIEW_HASH)
    hotel.enqueue_posting("made", **CALL)
    expect(_rows(page).locator(".st")).to_have_text("Refused")
    expect(_rows(page).locator(".ask")).to_contain_text("The PMS refused it: NG")


def test_the_night_audit_says_why_charges_wait_and_until_when(
    hotel: HotelProcesses, user: BrowserUser
) -> None:
    page, port = user.page, hotel.ports[1]
    hotel.make_docked_link("made", port, alive_interval=3600)
    user.navigate(VIEW_HASH)
    hotel.send_record(port, "NS|DA261130|TI232239|")
    hint = page.locator(".hint", has_text="Why nothing is sent")
    expect(hint).to_contain_text("The PMS is in its night audit since")
    expect(hint).to_contain_text("at the latest at")
    hotel.send_record(port, "NE|DA261130|TI233000|")
    expect(hint).to_be_hidden()


def test_a_decision_that_somebody_else_has_made_says_so(
    hotel: HotelProcesses, user: BrowserUser, page: Page
) -> None:
    user.page_errors.expected_errors += ["409"]
    hotel.enqueue_posting("made", **CALL)
    ask = _rows(page).locator(".ask")
    problem = {"error": {"code": "wrong_state", "message": "the posting is done"}}
    page.route("**/discard", lambda route: route.fulfill(status=409, json=problem))
    ask.get_by_role("button", name="On the bill: close").click()
    expect(ask).to_contain_text("Not decided: Somebody else has decided this already.")


def test_several_are_chosen_once_more_than_five_wait(hotel: HotelProcesses, user: BrowserUser) -> None:
    page, port = user.page, hotel.ports[1]
    hotel.make_docked_link("made", port, alive_interval=3600)
    hotel.set_faults(port, pa_answer="NG")
    user.navigate(VIEW_HASH)
    for _ in range(5):
        hotel.enqueue_posting("made", **CALL)
    expect(_rows(page).locator(".ask:visible")).to_have_count(5)
    expect(page.get_by_label("Choose all that need a decision")).to_be_hidden()
    hotel.enqueue_posting("made", **{**CALL, "room": "102"})
    page.get_by_label("Choose all that need a decision").check()
    expect(page.get_by_text("6 chosen")).to_be_visible()
    page.get_by_role("checkbox", name="Choose: Call ••• · 1 min 1 s, room 102").uncheck()
    expect(page.get_by_text("5 chosen")).to_be_visible()
    page.get_by_role("button", name="Discard or close…").click()
    page.get_by_role("dialog", name="Discard or close 5 rows?").get_by_role("button", name="Discard").click()
    expect(page.get_by_text("5 rows done")).to_be_visible()
    expect(_rows(page).locator(".st", has_text="Closed")).to_have_count(5)
    expect(_rows(page).locator(".st", has_text="Refused")).to_have_count(1)


def test_rows_are_filtered_by_chip_search_and_time(
    hotel: HotelProcesses, user: BrowserUser, page: Page
) -> None:
    hotel.control("made", "disable")
    for room in ("101", "102", "203"):
        hotel.enqueue_posting("made", **{**CALL, "room": room})
    rooms = _rows(page).locator(".rn")
    expect(rooms).to_have_text(["203", "102", "101"])
    search = page.get_by_role("searchbox")
    for query, found in (("10", ["102", "101"]), ("P#3", ["203"]), ("8912", ["203", "102", "101"])):
        search.fill(query)
        expect(rooms).to_have_text(found)
    chip(page, "Need a decision").click()
    expect(page.get_by_text("No row fits this filter.")).to_be_visible()
    page.get_by_role("button", name="Show all").click()
    expect(rooms).to_have_count(3)
    chip(page, "Waiting").click()
    expect(rooms).to_have_count(3)
    page.get_by_label("Time range").select_option("Last hour")
    assert page.evaluate("location.hash") == f"{VIEW_HASH}?show=waiting&time=hour"
    expect(rooms).to_have_count(3)
    page.get_by_label("Time range").select_option("From … to")
    page.get_by_label("To").fill("2026-01-01T00:00")
    expect(page.get_by_text("No row fits this filter.")).to_be_visible()
    page.reload()
    expect(page.get_by_label("To")).to_have_value("2026-01-01T00:00")
    expect(chip(page, "Waiting")).to_have_attribute("aria-pressed", "true")


def test_a_row_shows_how_often_it_was_sent_and_can_be_discarded_while_it_waits(
    hotel: HotelProcesses, page: Page
) -> None:
    hotel.control("made", "disable")
    hotel.enqueue_posting("made", **CALL)
    toggle = _rows(page).get_by_role("button", name="Details")
    toggle.click()
    expect(toggle).to_have_attribute("aria-expanded", "true")
    details = _rows(page).locator(".details")
    expect(details).to_contain_text("Last sentnot yet")
    expect(details).to_contain_text("Times sent0")
    details.get_by_role("button", name="Discard…").click()
    page.get_by_role("dialog").get_by_role("button", name="Discard").click()
    expect(_rows(page).locator(".st")).to_have_text("Closed")


def test_many_postings_are_paged(hotel: HotelProcesses, page: Page) -> None:
    hotel.control("made", "disable")
    for number in range(60):
        hotel.enqueue_posting("made", type="charge", room="101", amount=number)
    page.reload()
    expect(_rows(page)).to_have_count(50)
    page.get_by_role("button", name="Show more").click()
    expect(_rows(page)).to_have_count(60)
    expect(page.get_by_role("button", name="Show more")).to_be_hidden()
    expect(_rows(page).locator(".amount").last).to_have_text("0.00")


def test_phone_updates_are_shown_as_text(hotel: HotelProcesses, user: BrowserUser) -> None:
    hotel.make_docked_link("made", hotel.ports[1])
    hotel.call_rooms("PUT", "101/status", {"status": 3})
    hotel.call_rooms("PUT", "101/make-up-room", {"on": True})
    hotel.call_rooms("PUT", "101/voicemail", {"unread": 2})
    at = future_wake_up_time()
    hotel.call_rooms("PUT", "101/wake-up", {"at": at.isoformat()})
    user.navigate(VIEW_HASH)
    expect(_rows(user.page).locator(".lead")).to_have_text(
        [
            f"Wake-up · {at:%a, %b} {at.day}, 06:45",
            "Voicemail · 2 unread",
            "Make up room · on",
            "Room status · Clean",
        ]
    )
    hotel.call_rooms("DELETE", "101/wake-up")


def test_keys_move_through_the_rows(hotel: HotelProcesses, page: Page) -> None:
    hotel.control("made", "disable")
    for room in ("101", "102", "203"):
        hotel.enqueue_posting("made", **{**CALL, "room": room})
    expect(_rows(page)).to_have_count(3)
    buttons = _rows(page).locator(".more button")
    for key, place in (
        ("j", 0),
        ("j", 1),
        ("k", 0),
        ("ArrowDown", 1),
        ("End", 2),
        ("ArrowUp", 1),
        ("Home", 0),
    ):
        page.keyboard.press(key)
        expect(buttons.nth(place)).to_be_focused()
    expect(_rows(page).locator(".at time[datetime]")).to_have_count(3)


def test_the_bar_follows_the_filter_of_the_address(page: Page) -> None:
    page.evaluate("location.hash += '?show=waiting&time=day&q=203'")
    expect(chip(page, "Waiting")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_label("Time range")).to_have_value("day")
    expect(page.get_by_role("searchbox")).to_have_value("203")
    page.go_back()
    expect(chip(page, "All")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_label("Time range")).to_have_value("all")
    expect(page.get_by_role("searchbox")).to_have_value("")


def test_the_rows_of_the_filter_are_saved_as_csv(hotel: HotelProcesses, page: Page, tmp_path: Path) -> None:
    hotel.control("made", "disable")
    for room in ("101", "203"):
        hotel.enqueue_posting("made", **{**CALL, "room": room})
    page.get_by_role("searchbox").fill("203")
    expect(_rows(page)).to_have_count(1)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as CSV").click()
    assert download.value.suggested_filename == "made-outbox.csv"
    path = tmp_path / "outbox.csv"
    download.value.save_as(path)
    rows = list(csv.DictReader(path.read_text("utf-8-sig").splitlines()))
    assert [(row["room"], row["amount"]) for row in rows] == [("203", "2.50")]


@pytest.mark.parametrize("width", [390, 320])
def test_a_phone_shows_the_outbox_without_scrolling_sideways(
    hotel: HotelProcesses, page: Page, browser: Browser, width: int
) -> None:
    hotel.enqueue_posting("made", **CALL)
    with open_page(browser, hotel.url, viewport={"width": width, "height": 844}) as user:
        user.navigate(VIEW_HASH)
        expect(_rows(user.page).locator(".ask")).to_be_visible()
        _rows(user.page).get_by_role("button", name="Details").click()
        assert user.page.evaluate("document.documentElement.scrollWidth") == width
        assert user.page.locator(".out").evaluate(
            "(table) => table.scrollWidth <= table.parentElement.clientWidth"
        )
