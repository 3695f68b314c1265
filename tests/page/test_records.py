"""Tests of the records of a link in a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.page.browser import BrowserUser, open_page
from tests.page.canned_service import CannedService, ago, make_link
from tests.page.hotel_processes import HotelProcesses
from tests.web.served_api import validate_schema

MESSAGE = "RE|RN101|MLY|"
HOSTILE = "<img src=x onerror=alert(1)>\u202e"
SHOWN = "<img src=x onerror=alert(1)>⟨202E⟩"


@pytest.fixture
def page(hotel: HotelProcesses, user: BrowserUser) -> Page:
    """Open the records of a docked link without link checks."""
    hotel.make_docked_link("made", hotel.ports[1], alive_interval=3600)
    user.navigate("#/links/made/records")
    expect(_rows(user.page).first).to_be_visible()
    return user.page


def _rows(page: Page) -> Locator:
    return page.locator(".recs li")


def test_records_are_shown_live_with_the_names_of_their_fields(hotel: HotelProcesses, page: Page) -> None:
    hotel.send_record(hotel.ports[1], MESSAGE)
    newest = _rows(page).first
    expect(newest.locator(".id")).to_have_text("RE")
    expect(newest.locator(".kind")).to_have_text("room equipment")
    expect(newest.locator(".f")).to_have_text(["room101", "message lightY"])
    expect(newest.get_by_role("img", name="from the PMS")).to_be_visible()
    expect(newest.locator("time")).to_have_text(re.compile(r"^\d\d:\d\d:\d\d\.\d{3}$"))
    hotel.enqueue_posting("made", type="charge", room="101", amount=250)
    sent = _rows(page).filter(has_text="posting simple")
    expect(sent.get_by_role("img", name="to the PMS")).to_be_visible()
    expect(sent).to_contain_text("total amount250")


def test_records_are_filtered_by_type_direction_and_text(hotel: HotelProcesses, page: Page) -> None:
    hotel.send_record(hotel.ports[1], MESSAGE)
    hotel.send_record(hotel.ports[1], "RE|RN102|MLN|")
    types = page.locator(".recs .id")
    page.get_by_label("Type of record").select_option("RE")
    expect(types).to_have_text(["RE", "RE"])
    text = page.get_by_role("searchbox", name="Search records")
    text.fill("RN102")
    expect(_rows(page)).to_have_count(1)
    expect(_rows(page)).to_contain_text("room102")
    expect(page).to_have_url(re.compile(r"records\?q=RN102&type=RE$"))
    page.reload()
    expect(_rows(page)).to_have_count(1)
    text.fill("")
    expect(_rows(page)).to_have_count(2)
    page.get_by_label("Direction").select_option(label="to the PMS")
    expect(page.get_by_text("No records yet.")).to_be_visible()
    page.get_by_label("Type of record").select_option(label="All types")
    expect(types.first).to_have_text("DR")
    expect(page.locator(".recs li:not(.out)")).to_have_count(0)


def test_the_records_can_be_paused(hotel: HotelProcesses, page: Page) -> None:
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


def test_new_records_wait_while_the_reader_points_at_the_list(hotel: HotelProcesses, page: Page) -> None:
    _rows(page).first.hover()
    before = _rows(page).first.get_attribute("data-id") or ""
    hotel.send_record(hotel.ports[1], MESSAGE)
    hotel.send_record(hotel.ports[1], "RE|RN102|MLN|")
    waiting = page.get_by_role("button", name=re.compile(r"^\d+ new records$"))  # the resync may still run
    expect(waiting).to_be_visible()
    expect(_rows(page).first).to_have_attribute("data-id", before)
    waiting.click()
    expect(_rows(page).first).to_contain_text("102")
    expect(waiting).to_be_hidden()

    _rows(page).first.hover()
    hotel.send_record(hotel.ports[1], "RE|RN103|MLN|")
    expect(page.get_by_role("button", name="1 new record", exact=True)).to_be_visible()
    page.mouse.move(0, 0)
    expect(_rows(page).first).to_contain_text("103")


def test_new_records_wait_while_the_list_is_scrolled(hotel: HotelProcesses, page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 300})
    page.mouse.move(0, 0)
    page.evaluate("scrollTo(0, 500)")
    page.wait_for_function("document.querySelector('.recs').getBoundingClientRect().top < 0")
    seen = _rows(page).nth(8)
    before = seen.bounding_box()
    hotel.send_record(hotel.ports[1], MESSAGE)
    expect(page.locator(".new-rows").get_by_role("button")).to_be_in_viewport()
    assert seen.bounding_box() == before  # no row has moved
    page.evaluate("scrollTo(0, 0)")
    expect(_rows(page).first).to_contain_text("room equipment")


def test_guest_names_are_redacted_until_requested(hotel: HotelProcesses, page: Page) -> None:
    hotel.check_in(hotel.ports[1], "101", "Larsen")
    newest = _rows(page).first
    expect(newest).to_contain_text("guest check-in")
    expect(newest).to_contain_text("name•••")
    expect(newest).to_contain_text("room101")
    expect(newest).not_to_contain_text("Larsen")
    page.get_by_role("searchbox").fill("Larsen")
    expect(_rows(page)).to_have_count(0)
    expect(page.get_by_text("No record fits this filter.")).to_be_visible()

    names = page.get_by_role("switch", name="Guest names")
    names.check()
    expect(newest).to_contain_text("nameLarsen")
    expect(_rows(page)).to_have_count(1)
    names.uncheck()
    expect(_rows(page)).to_have_count(0)


def test_what_is_shown_is_saved_as_text(hotel: HotelProcesses, page: Page, tmp_path: Path) -> None:
    hotel.send_record(hotel.ports[1], "GI|RN900|G#1|GNLarsen|GSN|")
    expect(_rows(page).first).to_contain_text("room900")
    page.get_by_role("searchbox").fill("guest check-in")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as text").click()
    assert download.value.suggested_filename == "made-records.txt"
    download.value.save_as(tmp_path / "records.txt")
    lines = (tmp_path / "records.txt").read_text().splitlines()
    assert lines[-1].endswith("Z < GI|RN900|G#1|GN•••|GSN|")
    assert all("GI|" in line for line in lines)


NAMES = ("<script>alert(1)</script>", "<img src=x onerror=alert(2)>", "王小明", "Larsen\u202enodnoL")


def test_guest_names_with_markup_are_shown_literally(hotel: HotelProcesses, user: BrowserUser) -> None:
    page = user.page
    hotel.set_faults(hotel.ports[1], charset="utf-8")
    hotel.make_docked_link("made", hotel.ports[1], alive_interval=3600, charset="utf-8")
    for room, name in zip(("101", "102", "103", "104"), NAMES, strict=True):
        hotel.check_in(hotel.ports[1], room, name)
    user.navigate("#/links/made/records?type=GI")
    page.get_by_role("switch", name="Guest names").check()
    names = page.locator(".recs li .f[title=GN]")
    expect(names.nth(3)).to_have_text(f"name{NAMES[0]}")
    expect(names.nth(2)).to_have_text(f"name{NAMES[1]}")
    expect(names.nth(1)).to_have_text(f"name{NAMES[2]}")
    # a character that reverses the text direction
    expect(names.nth(0)).to_have_text("nameLarsen⟨202E⟩nodnoL")
    expect(page.locator(".recs script, .recs img")).to_have_count(0)


# With canned answers.


@pytest.fixture
def service(service: CannedService) -> CannedService:
    service.show(make_link("grand"))
    return service


@pytest.fixture
def canned_page(browser: Browser, service: CannedService) -> Iterator[Page]:
    with open_page(browser, service.url) as user:
        user.navigate("#/links/grand/records")
        expect(user.page.locator(".filters")).to_be_visible()
        yield user.page


def _record(id: int, type: str, text: str, problem: str | None, *fields: list[str]) -> dict[str, Any]:
    at = ago(minutes=100 - id)
    return {
        "id": id,
        "at": at,
        "direction": "in",
        "type": type,
        "text": text,
        "fields": list(fields),
        "problem": problem,
    }


def _show(service: CannedService, *records: dict[str, Any]) -> None:
    validate_schema({"$ref": "#/components/schemas/Records"}, {"records": list(records)})
    service.answers["GET links/grand/records"] = {"records": list(records)}


def test_what_is_not_understood_is_marked_with_its_reason_and_its_bytes(
    service: CannedService, canned_page: Page
) -> None:
    _show(
        service,
        _record(5, "GI", "GI|G#1|", HOSTILE, ["G#", "1"]),
        _record(4, "GI", "GI|G#1|GNAnna|", "RN (room) is missing", ["G#", "1"], ["GN", "Anna"]),
        _record(3, "XZ", "XZ|RN101|\r", "unknown record id XZ", ["RN", "101"]),
        _record(2, "GO", "GO|RN101|", None, ["RN", "101"]),
    )
    rows = _rows(canned_page)
    expect(rows).to_have_count(4)
    expect(canned_page.locator(".recs .odd")).to_have_count(3)
    expect(rows.nth(0).locator(".problem")).to_have_text(f"Not understood {SHOWN}")
    expect(rows.nth(1).locator(".problem")).to_have_text("Not understood RN (room) is missing")
    expect(rows.nth(2).locator(".id")).to_have_text("•••")  # it could be anything
    expect(rows.nth(2).locator(".hex")).to_have_text("•••")
    expect(rows.nth(3).locator(".problem")).to_have_count(0)

    canned_page.get_by_role("switch", name="Guest names").check()
    expect(rows.nth(2).locator(".id")).to_have_text("XZ")
    expect(rows.nth(2).locator(".hex")).to_have_text(["58 5a 7c 52 4e 31 30 31 7c 0d", "XZ|RN101|⟨D⟩"])
    odd = canned_page.get_by_role("button", name="Not understood (3)")
    odd.click()
    expect(rows).to_have_count(3)
    expect(canned_page).to_have_url(re.compile(r"records\?odd=1$"))
    canned_page.get_by_role("searchbox").fill("missing")
    expect(rows).to_have_count(1)


def test_bytes_that_were_no_record_are_counted(service: CannedService, canned_page: Page) -> None:
    hint = canned_page.locator(".records .hint")
    expect(hint).to_be_hidden()
    lost = {
        "records": 0,
        "bytes": 277_504,
        "last_at": ago(minutes=1),
        "last": "277504 bytes outside of records",
    }
    service.show(make_link("grand", attention=2, not_understood=lost))
    expect(hint).to_contain_text("277,504 bytes that are no FIAS records; they were skipped")


def test_older_records_are_loaded_on_demand(service: CannedService, canned_page: Page) -> None:
    newest = [_record(id, "GO", "GO|RN101|", None, ["RN", "101"]) for id in range(400, 200, -1)]
    _show(service, *newest)
    expect(_rows(canned_page)).to_have_count(200)
    older = [_record(id, "GI", "GI|RN101|", None, ["RN", "101"]) for id in range(200, 150, -1)]

    def answer(route: Any) -> None:
        route.fulfill(json={"records": older})

    canned_page.route(re.compile(r"records\?.*before=201"), answer)
    canned_page.get_by_role("button", name="Show older").click()
    expect(_rows(canned_page)).to_have_count(250)
    expect(canned_page.get_by_role("button", name="Show older")).to_be_hidden()


def test_older_records_of_a_former_filter_are_dropped(service: CannedService, canned_page: Page) -> None:
    _show(service, *[_record(id, "GO", "GO|RN101|", None, ["RN", "101"]) for id in range(400, 200, -1)])
    expect(_rows(canned_page)).to_have_count(200)
    held: list[Any] = []
    canned_page.route(re.compile(r"records\?.*before=201"), lambda route: held.append(route))
    with canned_page.expect_request(re.compile("before=201")):
        canned_page.get_by_role("button", name="Show older").click()
    _show(service, _record(500, "RE", "RE|RN101|MLY|", None, ["RN", "101"]))
    canned_page.get_by_label("Type of record").select_option("RE")
    expect(_rows(canned_page)).to_have_count(1)
    with canned_page.expect_response(re.compile("before=201")):
        held[0].fulfill(json={"records": [_record(200, "GI", "GI|RN101|", None, ["RN", "101"])]})
    _show(service, _record(501, "RE", "RE|RN102|MLY|", None, ["RN", "102"]))
    expect(_rows(canned_page).first).to_contain_text("102")
    expect(_rows(canned_page).filter(has_text="GI")).to_have_count(0)


def test_a_role_without_guest_names_has_no_switch_for_them(service: CannedService, browser: Browser) -> None:
    service.role = "view"
    with open_page(browser, service.url) as user:
        user.navigate("#/links/grand/records")
        expect(user.page.locator(".filters")).to_be_visible()
        expect(user.page.get_by_role("switch")).to_have_count(0)


def test_the_names_of_fields_are_loaded_with_this_view_only(service: CannedService, browser: Browser) -> None:
    with open_page(browser, service.url) as user:
        requests: list[str] = []
        user.page.on("request", lambda request: requests.append(request.url))
        user.navigate("#/links/grand")
        expect(user.page.locator(".path")).to_be_visible()
        assert [url for url in requests if "/fias.json" in url] == []
        with user.page.expect_request(re.compile("/fias.json")):
            user.navigate("#/links/grand/records")


def test_the_filters_are_there_when_nothing_overwrites_them(service: CannedService, browser: Browser) -> None:
    with open_page(browser, service.url) as user:
        held: list[Route] = []
        user.page.route(re.compile("/known.json"), lambda route: held.append(route))
        with user.page.expect_request(re.compile("/known.json")):
            user.navigate("#/links/grand/records?q=102")
        expect(user.page.locator(".filters")).to_be_hidden()
        held[0].continue_()
        expect(user.page.get_by_role("searchbox")).to_have_value("102")
