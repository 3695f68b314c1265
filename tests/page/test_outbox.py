"""Tests of a link's outbox in a browser: live updates, resend and discard."""

from __future__ import annotations

import pytest
from playwright.sync_api import APIResponse, Locator, Page, Route, expect

from tests.page.browser import BrowserUser
from tests.page.hotel_processes import HotelProcesses, future_wake_up_time

CALL = {"type": "call", "room": "101", "dialled": "+49 89 1234", "duration": 61, "amount": 250}


@pytest.fixture
def page(hotel: HotelProcesses, user: BrowserUser) -> Page:
    """Open the outbox of a link whose PMS does not answer the next posting, which is then held."""
    port = hotel.ports[1]
    hotel.make_docked_link(
        "made", port, unanswered="hold", answer_timeout=0.5, alive_interval=1, alive_timeout=3
    )
    hotel.set_faults(port, pa_skip=1)
    user.navigate("#/links/made")
    expect(user.page.locator(".outbox")).to_contain_text("There is nothing here.")
    return user.page


def _row(page: Page) -> Locator:
    return page.locator(".outbox tbody tr")


def _button(page: Page, name: str) -> Locator:
    return _row(page).get_by_role("button", name=name)


def test_a_posting_appears_and_is_updated_when_sent_and_answered(hotel: HotelProcesses, page: Page) -> None:
    hotel.control("made", "disable")
    hotel.set_faults(hotel.ports[1], pa_skip=None)
    hotel.enqueue_posting("made", **CALL)
    expect(_row(page)).to_contain_text("call · room 101 · 49891234 · 1 min 1 s · 2.50")
    expect(_row(page)).to_have_attribute("data-state", "pending")
    expect(page.get_by_text("There is nothing here.")).to_be_hidden()
    hotel.control("made", "enable")
    expect(_row(page)).to_have_attribute("data-state", "done")
    expect(_row(page)).to_contain_text("OK")
    expect(_row(page).get_by_role("button")).to_have_count(0)


def test_a_posting_created_during_the_first_load_is_shown(hotel: HotelProcesses, user: BrowserUser) -> None:
    page = user.page
    hotel.make_link("made")
    hotel.enqueue_posting("made", **CALL)
    held: list[tuple[Route, APIResponse]] = []
    page.route("**/postings?*", lambda route: held.append((route, route.fetch())))
    user.navigate("#/links/made")
    expect(page.locator(".head h1")).to_have_text("made")
    outbox = page.locator(".facts div", has_text="Outbox")
    expect(outbox).to_contain_text("1 waiting")
    hotel.enqueue_posting("made", **{**CALL, "room": "102"})
    expect(outbox).to_contain_text("2 waiting")
    for route, answer in held:
        route.fulfill(response=answer)
    expect(_row(page)).to_contain_text(["room 102", "room 101"])


def test_an_unknown_posting_can_be_resent(hotel: HotelProcesses, page: Page) -> None:
    hotel.enqueue_posting("made", **CALL)
    expect(_row(page)).to_have_attribute("data-state", "unknown")
    hotel.control("made", "disable")  # a new connection also ends the pause after a posting without an answer
    _button(page, "Resend").click()
    expect(page.locator(".outbox .answer")).to_contain_text("will be sent again")
    hotel.control("made", "enable")
    expect(_row(page)).to_have_attribute("data-state", "done")


def test_discarding_an_unknown_posting_needs_confirmation(hotel: HotelProcesses, page: Page) -> None:
    hotel.enqueue_posting("made", **CALL)
    expect(_row(page)).to_have_attribute("data-state", "unknown")
    dialog = page.get_by_role("dialog")
    _button(page, "Discard").click()
    expect(dialog).to_contain_text("Discard “call · room 101 · 49891234 · 1 min 1 s · 2.50”?")
    page.keyboard.press("Escape")
    expect(_row(page)).to_have_attribute("data-state", "unknown")
    _button(page, "Discard").click()
    dialog.get_by_role("button", name="Discard").click()
    expect(_row(page)).to_have_attribute("data-state", "discarded")
    expect(page.locator(".outbox .answer")).to_contain_text("was discarded")
    expect(_row(page).get_by_role("button")).to_have_count(0)


def test_the_list_of_links_counts_unknown_postings(
    hotel: HotelProcesses, user: BrowserUser, page: Page
) -> None:
    hotel.enqueue_posting("made", **CALL)
    user.navigate("#/")
    row = page.locator(".row", has_text="made")
    expect(row.locator(".doubt")).to_contain_text("1 unknown")
    expect(page.locator(".row h2")).to_have_text(["made", "grand"])


def test_postings_are_filtered_by_state_and_sorted_newest_first(hotel: HotelProcesses, page: Page) -> None:
    hotel.control("made", "disable")
    for room in ("101", "102", "103"):
        hotel.enqueue_posting("made", **{**CALL, "room": room})
    expect(_row(page)).to_contain_text(["room 103", "room 102", "room 101"])
    _row(page).nth(1).get_by_role("button", name="Discard").click()
    page.get_by_role("dialog").get_by_role("button", name="Discard").click()
    page.get_by_label("State", exact=True).select_option("discarded")
    expect(_row(page)).to_contain_text(["room 102"])
    expect(_row(page)).to_have_count(1)
    page.get_by_label("State", exact=True).select_option("sent")
    expect(page.get_by_text("There is nothing here.")).to_be_visible()
    page.get_by_label("State", exact=True).select_option("pending")
    expect(_row(page)).to_contain_text(["room 103", "room 101"])
    expect(_row(page)).to_have_count(2)


def test_a_decision_on_a_posting_that_has_changed_shows_an_error(
    hotel: HotelProcesses, user: BrowserUser, page: Page
) -> None:
    user.page_errors.expected_errors += ["409"]
    posting = hotel.enqueue_posting("made", **CALL)
    expect(_row(page)).to_have_attribute("data-state", "unknown")
    _button(page, "Discard").click()
    hotel.control("made", "disable")
    hotel.pbx.call("POST", f"/api/v1/links/made/postings/{posting['id']}/resend")
    hotel.control("made", "enable")
    expect(_row(page)).to_have_attribute("data-state", "done")
    page.get_by_role("dialog").get_by_role("button", name="Discard").click()
    expect(page.locator(".outbox .answer.error")).to_contain_text(
        "The state of the posting has changed; the operation is no longer possible."
    )


def test_many_postings_are_paged(hotel: HotelProcesses, page: Page) -> None:
    hotel.control("made", "disable")
    for number in range(60):
        hotel.enqueue_posting("made", type="charge", room="101", amount=number)
    page.reload()
    expect(_row(page)).to_have_count(50)
    page.get_by_role("button", name="Show more").click()
    expect(_row(page)).to_have_count(60)
    expect(page.get_by_role("button", name="Show more")).to_be_hidden()
    expect(_row(page).last).to_contain_text("0.00")


def test_phone_updates_are_shown_as_text(hotel: HotelProcesses, user: BrowserUser) -> None:
    hotel.make_docked_link("made", hotel.ports[1])
    hotel.call_rooms("PUT", "101/status", {"status": 3})
    hotel.call_rooms("PUT", "101/make-up-room", {"on": True})
    hotel.call_rooms("PUT", "101/make-up-room", {"on": False})
    hotel.call_rooms("PUT", "101/voicemail", {"unread": 2})
    at = future_wake_up_time()
    hotel.call_rooms("PUT", "101/wake-up", {"at": at.isoformat()})
    hotel.call_rooms("DELETE", "101/wake-up")
    user.navigate("#/links/made")
    wake_up = f"wake-up · room 101 · {at:%a, %b} {at.day}, 06:45"
    later_rows = ("wake-up cancelled · room 101", wake_up, "voicemail · room 101 · 2 unread")
    sign_rows = ("make up room · room 101 · off", "make up room · room 101 · on")
    descriptions = user.page.locator(".outbox tbody td:nth-child(2)")
    expect(descriptions).to_have_text([*later_rows, *sign_rows, "room status · room 101 · clean, vacant"])
