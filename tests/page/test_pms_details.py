"""Tests of what the page shows of postings, records and guests, with canned answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import pytest
from playwright.sync_api import Browser, Page, expect

from pmslink.store.tables.outbox_rows import RowReason
from pmslink.web.ui.translations import LANGUAGES, load_translations
from tests.page.browser import BrowserUser, open_page
from tests.page.canned_service import CannedService, ago, make_link, start_canned_service
from tests.web.served_api import validate_schema

HOSTILE = "<img src=x onerror=alert(1)>\u202e"
SHOWN = "<img src=x onerror=alert(1)>⟨202E⟩"


@pytest.fixture
def service() -> Iterator[CannedService]:
    with start_canned_service() as service:
        service.show(make_link("grand"))
        yield service


@pytest.fixture
def user(browser: Browser, service: CannedService) -> Iterator[BrowserUser]:
    with open_page(browser, service.url) as user:
        expect(user.page.locator(".row")).to_have_count(1)
        yield user


def _posting(id: int, **values: Any) -> dict[str, Any]:
    posting = {
        "id": id,
        "number": id,
        "type": "call",
        "room": "101",
        "started": ago(hours=1),
        "dialled": "123",
        "duration": 60,
        "state": "done",
        "attempts": 1,
        "created": ago(minutes=5),
        "sent": ago(minutes=5),
        "answered": ago(minutes=5),
        "answer": "OK",
        "text_answer": None,
        "reason": None,
        "room_sent": None,
        "reservation": None,
    } | values
    validate_schema({"$ref": "#/components/schemas/Posting"}, posting)
    return posting


def _open_link(user: BrowserUser) -> Page:
    user.navigate("#/links/grand")
    expect(user.page.locator(".head h1")).to_have_text("grand")
    return user.page


def test_a_posting_shows_its_reason_the_room_it_went_to_and_the_reservation(
    service: CannedService, user: BrowserUser
) -> None:
    service.answers["GET links/grand/postings"] = {
        "postings": [
            _posting(4, state="unknown", reason="unanswered", answer=None),
            _posting(3, state="refused", reason="guest_left", reservation="4711", attempts=0, answer=None),
            _posting(2, room_sent="215", reservation=HOSTILE),
            _posting(1, room_sent="101"),
        ]
    }
    rows = _open_link(user).locator(".outbox tbody tr")
    call = "call · room 101 · 123 · 1 min"
    expect(rows.locator("td:nth-child(2)")).to_have_text(
        [call, f"{call}reservation 4711", f"{call}sent to room 215 · reservation {SHOWN}", call]
    )
    expect(rows.locator("td:nth-child(3)")).to_have_text(
        ["unknownThe PMS did not answer", "refusedThe guest has left the room", "done", "done"]
    )
    for row in (rows.nth(0), rows.nth(1)):
        expect(row.get_by_role("button")).to_have_text(["Resend", "Discard"])
    user.page.get_by_role("button", name="Discard").nth(1).click()
    expect(user.page.get_by_role("dialog")).to_contain_text(f"Discard “{call}”?")


def test_each_reason_of_a_posting_has_words() -> None:
    for language in LANGUAGES:
        texts = load_translations(language)
        assert [reason for reason in get_args(RowReason) if f"posting.reason.{reason}" not in texts] == []


def test_a_record_that_is_not_understood_is_marked_with_its_problem(
    service: CannedService, user: BrowserUser
) -> None:
    records = [
        {
            "id": id,
            "at": ago(minutes=id),
            "direction": "in",
            "type": "GI",
            "text": "GI|G#1|",
            "fields": [["G#", "1"]],
            "problem": problem,
        }
        for id, problem in ((3, HOSTILE), (2, "RN is missing"), (1, None))
    ]
    validate_schema({"$ref": "#/components/schemas/Records"}, {"records": records})
    service.answers["GET links/grand/records"] = {"records": records}
    rows = _open_link(user).locator(".records li")
    expect(rows).to_have_count(3)
    expect(user.page.locator(".records .not-understood")).to_have_count(2)
    expect(rows.nth(0).locator(".problem")).to_have_text(f"Not understood: {SHOWN}")
    expect(rows.nth(1).locator(".problem")).to_have_text("Not understood: RN is missing")
    expect(rows.nth(2).locator(".problem")).to_have_count(0)
    user.page.get_by_role("searchbox", name="Text").fill("missing")
    expect(rows).to_have_count(1)


def _guest(**values: Any) -> dict[str, Any]:
    guest: dict[str, Any] = dict.fromkeys(
        ("name", "first_name", "title", "language", "vip", "group", "arrival", "departure")
    )
    return {"number": "1", **guest, "sharer": False, "no_post": None, "fields": {}, **values}


def _show_rooms(service: CannedService, *guests: dict[str, Any]) -> None:
    rooms = [
        {
            "room": str(101 + place),
            "extensions": ["7101"],
            "guests": [guest],
            "class_of_service": None,
            "do_not_disturb": False,
            "message_light": False,
            "status": None,
            "wake_ups": [],
            "changed": ago(minutes=1),
        }
        for place, guest in enumerate(guests)
    ]
    validate_schema({"$ref": "#/components/schemas/Rooms"}, {"rooms": rooms})
    service.answers["GET links/grand/rooms"] = {"rooms": rooms}


def test_guests_without_charges_and_fields_of_the_pms_are_shown(
    service: CannedService, user: BrowserUser
) -> None:
    fields = {"A0": HOSTILE, "EN": "4312345"}
    _show_rooms(service, _guest(name="Anna", no_post=True, fields=fields), _guest(name="Bert", no_post=False))
    user.navigate("#/links/grand/rooms")
    guests = user.page.locator(".room .guests")
    names = [load_translations("en")[f"field.{code}"] for code in fields]
    expect(guests.nth(0).locator("p")).to_have_text(
        ["•••", "no charges to this guest", f"{names[0]}: ••• · {names[1]}: •••"]
    )
    expect(guests.nth(1).locator("p")).to_have_text(["•••"])
    user.page.get_by_label("Show guest names").check()
    expect(guests.nth(0).locator("p")).to_have_text(
        ["Anna", "no charges to this guest", f"{names[0]}: {SHOWN} · {names[1]}: 4312345"]
    )
    user.page.get_by_role("searchbox").fill("4312345")
    expect(user.page.locator(".room h2")).to_have_text(["101"])
    user.page.get_by_label("Show guest names").uncheck()
    expect(user.page.locator(".room h2")).to_have_count(0)


def test_fields_stay_hidden_from_a_role_that_sees_no_guests(service: CannedService, browser: Browser) -> None:
    service.role = "view"
    _show_rooms(service, _guest(name="•••", no_post=True, fields={"EN": "•••"}))
    with open_page(browser, service.url) as user:
        user.navigate("#/links/grand/rooms")
        expect(user.page.locator(".room .guests")).to_contain_text("•••no charges to this guest")
        expect(user.page.locator(".room .fields")).to_have_text(f"{load_translations('en')['field.EN']}: •••")
        expect(user.page.get_by_label("Guest names are hidden from your role")).to_be_disabled()
