"""Tests of what each role sees of rooms and outbox in a browser, with a service of canned answers."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from pmslink.web.auth.permissions import Role
from tests.page.browser import BrowserUser, open_page
from tests.page.canned_service import CannedService, ago, make_link
from tests.page.rooms_view import room_panel, room_tile

MASK = "•••"
POSTING = {
    "id": 7,
    "number": 1204,
    "type": "call",
    "room": "214",
    "dialled": "0891234",
    "duration": 192,
    "amount": 250,
    "started": ago(minutes=5),
    "state": "unknown",
    "attempts": 1,
    "created": ago(minutes=5),
    "sent": ago(minutes=4),
    "answered": None,
    "answer": None,
    "text_answer": None,
    "reason": "unanswered",
    "room_sent": "214",
    "reservation": None,
}


def _room(name: str | None) -> dict[str, Any]:
    guest = {"number": "1", "name": name, "first_name": None, "title": None, "language": "GE", "vip": None}
    stay = {
        "group": None,
        "arrival": "2026-11-27",
        "departure": "2026-12-02",
        "sharer": False,
        "no_post": None,
    }
    return {
        "room": "214",
        "extensions": ["7214"],
        "guests": [{**guest, **stay, "fields": {}}],
        "class_of_service": 3,
        "do_not_disturb": True,
        "message_light": False,
        "status": 2,
        "wake_ups": [],
        "changed": ago(minutes=5),
        "by_hand": None,
    }


@pytest.fixture
def service(service: CannedService) -> CannedService:
    outbox = {"pending": 0, "unknown": 1, "refused": 0, "oldest": ago(minutes=5)}
    service.show(make_link("made", attention=3, outbox=outbox))
    return service


def _open(browser: Browser, service: CannedService, role: Role) -> Any:
    masked = role == "view"
    service.role = role
    room = _room(MASK if masked else "Larsen")
    service.answers["GET links/made/rooms"] = {"rooms": [room]}
    service.answers["GET links/made/rooms/214"] = {**room, "set": {}}
    posting = {**POSTING, "dialled": MASK} if masked else POSTING
    service.answers["GET links/made/postings"] = {"postings": [posting], "next": None}
    service.answers["GET links/made/by-hand"] = {"changes": [], "waiting": 0, "differ": 0, "agreed": 0}
    return open_page(browser, service.url)


def _open_room(user: BrowserUser) -> Page:
    user.navigate("#/links/made/rooms")
    room_tile(user.page, "214").click()
    return user.page


def test_the_front_desk_changes_rooms_and_decides(browser: Browser, service: CannedService) -> None:
    with _open(browser, service, "desk") as user:
        page = _open_room(user)
        panel = room_panel(page)
        for control in ("switch", "combobox"):
            expect(panel.get_by_role(control).first).to_be_enabled()
        expect(panel.get_by_text("Your role is read only.")).to_be_hidden()
        page.get_by_role("switch", name="Guest names").check()
        expect(panel.locator("dl")).to_contain_text("Larsen")
        user.navigate("#/links/made/outbox")
        expect(page.locator(".out .lead")).to_contain_text(MASK)
        page.get_by_role("switch", name="Numbers called").check()
        expect(page.locator(".out .lead")).to_contain_text("Call 0891234 · 3 min 12 s")
        service.answers["POST links/made/postings/7/discard"] = POSTING
        page.get_by_role("button", name="On the bill: close").click()
        expect(page.get_by_text("Closed: Call 0891234")).to_be_visible()
        assert ("POST links/made/postings/7/discard", None) in service.requests


def test_a_reader_sees_everything_but_guests_and_changes_nothing(
    browser: Browser, service: CannedService
) -> None:
    with _open(browser, service, "view") as user:
        page = _open_room(user)
        panel = room_panel(page)
        expect(panel.get_by_text("Your role is read only.")).to_be_visible()
        for control in ("switch", "combobox"):
            expect(panel.get_by_role(control).first).to_be_disabled()
        expect(panel.get_by_role("button", name="Dirty")).to_be_disabled()
        expect(page.get_by_role("switch", name="Guest names")).to_have_count(0)
        expect(panel.locator("dl")).to_contain_text("GuestGuest")
        user.navigate("#/links/made/outbox")
        expect(page.locator(".out .lead")).to_have_text(f"Call {MASK} · 3 min 12 s")
        expect(page.get_by_role("switch")).to_have_count(0)
        expect(page.get_by_role("button", name="On the bill: close")).to_be_disabled()
        expect(page.locator("main")).to_contain_text("Look at the bill of room 214 in the PMS")
