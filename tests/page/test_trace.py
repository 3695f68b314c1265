"""Tests of the trace of a link's records in a browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.page.browser import BrowserUser
from tests.page.hotel_processes import HotelProcesses

MESSAGE = "RE|RN101|MLY|"


@pytest.fixture
def page(hotel: HotelProcesses, user: BrowserUser) -> Page:
    """Open the view of a docked link without link checks."""
    hotel.make_docked_link("made", hotel.ports[1], alive_interval=3600)
    user.navigate("#/links/made")
    expect(_rows(user.page).first).to_be_visible()
    return user.page


def _rows(page: Page) -> Locator:
    return page.locator(".records li")


def test_records_are_shown_live_with_the_names_of_their_fields(hotel: HotelProcesses, page: Page) -> None:
    hotel.send_record(hotel.ports[1], MESSAGE)
    newest = _rows(page).first
    expect(newest).to_contain_text("RE")
    expect(newest.locator(".kind")).to_have_text("room equipment")
    expect(newest.locator(".part")).to_have_text(["room 101", "message light Y"])
    expect(newest.locator(".arrow")).to_have_attribute("title", "from the PMS")
    hotel.enqueue_posting("made", type="charge", room="101", amount=250)
    sent = _rows(page).filter(has_text="posting simple")
    expect(sent.locator(".arrow")).to_have_attribute("title", "to the PMS")
    expect(sent).to_contain_text("total amount 250")


def test_records_are_filtered_by_type_direction_and_text(hotel: HotelProcesses, page: Page) -> None:
    hotel.send_record(hotel.ports[1], MESSAGE)
    hotel.send_record(hotel.ports[1], "RE|RN102|MLN|")
    types = page.locator(".records li strong")
    page.get_by_label("Type of record").select_option("RE")
    expect(types).to_have_text(["RE", "RE"])
    text = page.get_by_role("searchbox", name="Text")
    text.fill("102")
    expect(_rows(page)).to_contain_text(["room 102"])
    expect(_rows(page)).to_have_count(1)
    text.fill("")
    expect(_rows(page)).to_have_count(2)
    page.get_by_label("Direction").select_option(label="to the PMS")
    expect(_rows(page)).to_have_count(0)
    page.get_by_label("Type of record").select_option(label="all types")
    expect(types.first).to_have_text("DR")
    expect(page.locator(".records li:not(.out)")).to_have_count(0)


def test_the_trace_can_be_paused(hotel: HotelProcesses, page: Page) -> None:
    page.clock.install()
    page.reload()
    expect(_rows(page).first).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    before = _rows(page).count()
    hotel.send_record(hotel.ports[1], MESSAGE)
    page.clock.run_for(5_000)
    assert _rows(page).count() == before
    page.get_by_role("button", name="Go on").click()
    expect(_rows(page).first).to_contain_text("room equipment")
    expect(page.get_by_role("button", name="Pause")).to_have_attribute("aria-pressed", "false")


def test_guest_names_are_redacted_until_requested(hotel: HotelProcesses, page: Page) -> None:
    hotel.check_in(hotel.ports[1], "101", "Larsen")
    newest = _rows(page).first
    expect(newest).to_contain_text("guest check-in")
    expect(newest).to_contain_text("name •••")
    expect(newest).to_contain_text("room 101")
    expect(newest).not_to_contain_text("Larsen")
    page.get_by_role("searchbox", name="Text").fill("Larsen")
    expect(_rows(page)).to_have_count(0)

    page.get_by_label("Show guest names").check()
    expect(newest).to_contain_text("name Larsen")
    expect(_rows(page)).to_have_count(1)
    page.get_by_label("Show guest names").uncheck()
    expect(_rows(page)).to_have_count(0)


NAMES = ("<script>alert(1)</script>", "<img src=x onerror=alert(2)>", "王小明", "Larsen\u202enodnoL")


def test_guest_names_with_markup_are_shown_literally(hotel: HotelProcesses, user: BrowserUser) -> None:
    page = user.page
    hotel.set_faults(hotel.ports[1], charset="utf-8")
    hotel.make_docked_link("made", hotel.ports[1], alive_interval=3600, charset="utf-8")
    for room, name in zip(("101", "102", "103", "104"), NAMES, strict=True):
        hotel.check_in(hotel.ports[1], room, name)
    user.navigate("#/links/made")
    page.get_by_label("Type of record").select_option("GI")
    page.get_by_label("Show guest names").check()
    names = page.locator(".records li .part[title=GN]")
    expect(names.nth(3)).to_have_text(f"name {NAMES[0]}")
    expect(names.nth(2)).to_have_text(f"name {NAMES[1]}")
    expect(names.nth(1)).to_have_text(f"name {NAMES[2]}")
    expect(names.nth(0)).to_have_text(
        "name Larsen⟨202E⟩nodnoL"
    )  # a character that reverses the text direction
    expect(page.locator(".records script, .records img")).to_have_count(0)
