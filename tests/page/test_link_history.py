"""Tests of a link's history in a browser: the strip, the numbers, and the events."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.page.browser import BrowserUser, open_page
from tests.page.canned_service import CannedService, ago, make_link
from tests.page.hotel_processes import HotelProcesses
from tests.process.server_processes import FAST_TIMINGS
from tests.web.served_api import validate_schema


@pytest.fixture
def service(service: CannedService) -> CannedService:
    service.show(make_link("grand"))
    return service


def phase(kind: str, since: float, until: float, *causes: dict[str, Any], dials: int = 0) -> dict[str, Any]:
    """Return a phase from some hours ago until some hours ago."""
    changes = len(causes) + 2 * dials
    return {
        "kind": kind,
        "since": ago(hours=since),
        "until": ago(hours=until),
        "dials": dials,
        "transitions": changes,
        "last_transition": 40 if changes else None,
        "causes": list(causes),
    }


def cause(state: str, code: str, **params: Any) -> dict[str, Any]:
    return {"at": ago(hours=1), "state": state, "reason": code, "cause": {"code": code, "params": params}}


LOST = cause("EXPECTION", "lost", detail="the PMS closed it")
REFUSED = cause("EXPECTION", "refused", detail="Connection refused")
STARTED = cause("ESTABLISHED", "started", record="LS")
SWITCHED_OFF = cause("DISABLED", "user", control="disable", by="front-desk")


def show_phases(service: CannedService, *phases: dict[str, Any]) -> None:
    validate_schema({"$ref": "#/components/schemas/Phases"}, {"phases": list(phases)})
    service.answers["GET links/grand/phases"] = {"phases": list(phases)}


@pytest.fixture
def page(browser: Browser, service: CannedService) -> Iterator[Page]:
    """Open the history of a link with an outage of 3 hours, which lasts."""
    show_phases(
        service,
        phase("unknown", 24, 13),
        phase("off", 13, 12, SWITCHED_OFF),
        phase("in_sync", 12, 8, STARTED),
        phase("unknown", 8, 7),
        phase("in_sync", 7, 3, STARTED),
        phase("down", 3, 0, LOST, REFUSED, dials=391),
    )
    with open_page(browser, service.url) as user:
        user.navigate("#/links/grand/history")
        expect(user.page.locator(".events li").first).to_be_visible()
        yield user.page


def test_an_outage_is_one_event_that_unfolds_into_its_transitions(service: CannedService, page: Page) -> None:
    transitions = [
        {"id": 40 - number, "at": ago(minutes=number), "from": "WAIT_LS", "to": "EXPECTION", "reason": "",
         "cause": REFUSED["cause"]}
        for number in range(5)
    ]  # fmt: skip
    service.answers["GET links/grand/transitions"] = {"transitions": transitions}
    events = page.locator(".events > li")
    expect(events).to_have_count(5)
    outage = events.first
    expect(outage).to_have_attribute("data-kind", "down")
    expect(outage.locator("b")).to_have_text("Link down · 3 h")
    expect(outage.locator("div > p")).to_have_text(
        "The connection was lost: the PMS closed it. · "
        "192.0.2.1:5010 refuses the connection. · dialled 391 times"
    )
    show = outage.get_by_role("button", name="Show each")
    expect(show).to_have_attribute("aria-expanded", "false")
    show.click()
    expect(outage.locator(".each .mono")).to_have_text(["WAIT_LS → EXPECTION"] * 5)
    outage.get_by_role("button", name="Hide each").click()
    expect(outage.locator(".each")).to_be_hidden()


def test_the_strip_begins_where_knowledge_begins_and_shows_when_the_service_did_not_run(page: Page) -> None:
    kinds = page.locator(".time rect[data-kind]").evaluate_all(
        "(all) => Object.fromEntries(all.map((one) => [one.dataset.kind, Number(one.getAttribute('x'))]))"
    )
    assert kinds.keys() == {"off", "in_sync", "unknown", "down"}
    assert kinds["off"] == 0
    hatched = page.locator(".time rect[data-kind=unknown]")
    expect(hatched).to_have_count(1)
    expect(hatched).to_have_attribute("fill", re.compile(r"url\(#not-running-\d+\)"))
    heights = page.locator(".time rect[data-kind]").evaluate_all(
        "(all) => new Set(all.map((one) => one.getAttribute('height'))).size"
    )
    assert heights == 3  # the drawing can be read without its colours; hatching marks the unknown
    expect(page.locator(".legend li")).to_have_text(["Connected", "Link down", "Off", "Service not running"])


def test_the_numbers_and_a_table_tell_what_is_drawn(page: Page) -> None:
    expect(page.locator("[data-fact=share] dd")).to_have_text("67% of 12 h")
    expect(page.locator("[data-fact=outages] dd")).to_have_text("1")
    expect(page.locator("[data-fact=longest] dd")).to_have_text("3 h")
    expect(page.get_by_role("img", name="Known time: In sync 67% of 12 h")).to_be_visible()
    rows = page.get_by_role("table", name="Known time").get_by_role("row")
    expect(rows).to_have_count(6)
    expect(rows.nth(1)).to_have_text(re.compile(r"Link down.*3 h"))


def test_a_part_is_chosen_by_dragging_and_a_double_click_shows_all(page: Page) -> None:
    box = page.locator(".time").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.8, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.95, middle, steps=4)
    expect(page.locator(".chosen")).to_be_visible()
    page.mouse.up()
    expect(page.locator(".chosen")).to_be_hidden()
    expect(page.locator(".events > li")).to_have_count(1)
    expect(page.locator("[data-fact=share] dd")).to_have_text(re.compile("^0% of"))
    expect(page.get_by_role("button", name="Whole range")).to_be_visible()
    page.locator(".time").dblclick()
    expect(page.locator(".events > li")).to_have_count(5)
    expect(page.get_by_role("button", name="Whole range")).to_be_hidden()


def test_a_part_is_chosen_with_two_fingers(page: Page) -> None:
    page.locator(".strip-of-time").evaluate(
        """(strip) => {
          strip.setPointerCapture = () => {};
          const { left, width, top } = strip.getBoundingClientRect();
          const touch = (type, pointerId, share) => strip.dispatchEvent(new PointerEvent(type, {
            pointerId, pointerType: "touch", clientX: left + share * width, clientY: top + 5,
          }));
          touch("pointerdown", 1, 0.5);
          touch("pointerdown", 2, 0.6);
          touch("pointermove", 1, 0.4);
          touch("pointermove", 2, 0.7);
          touch("pointerup", 2, 0.7);
          touch("pointerup", 1, 0.4);
        }"""
    )
    expect(page.get_by_role("button", name="Whole range")).to_be_visible()
    expect(page.locator(".events > li[data-kind=in_sync]")).to_have_count(1)
    expect(page.locator(".events > li[data-kind=down]")).to_have_count(0)


def test_what_people_did_is_among_the_events(service: CannedService, page: Page) -> None:
    entry = {
        "id": 9,
        "at": ago(hours=2),
        "who": "operator",
        "role": "control",
        "action": "link.change",
        "link": "grand",
        "object": None,
        "before": {"alive_timeout": 3, "port": 5010},
        "after": {"alive_timeout": 10, "port": 5010},
        "result": "done",
    }
    refused = {**entry, "id": 8, "at": ago(hours=2.5), "action": "link.resync", "before": None, "after": None}
    service.answers["GET audit"] = {"audit": [entry, {**refused, "result": "resync_running"}]}
    page.reload()
    events = page.locator(".events > li")
    expect(events).to_have_count(7)
    expect(events.nth(0)).to_contain_text("Settings changed: operator")
    expect(events.nth(0)).to_contain_text("Answer within: 3 → 10")
    expect(events.nth(0)).not_to_contain_text("Port")
    expect(events.nth(1)).to_contain_text("Resync asked for: operator, not done (resync_running)")
    expect(events.nth(6)).to_contain_text("Switched off · 1 h")
    expect(events.nth(6)).to_contain_text("Switched off by front-desk.")


def test_the_range_stands_in_the_address(page: Page) -> None:
    ranges = page.get_by_role("group", name="Time shown").get_by_role("button")
    expect(ranges).to_have_text(["1 hour", "24 hours", "7 days", "30 days", "All that is known"])
    with page.expect_request(re.compile(r"phases\?hours=720$")):
        ranges.nth(3).click()
    expect(page).to_have_url(re.compile(r"#/links/grand/history\?range=30$"))
    expect(ranges.nth(3)).to_have_attribute("aria-pressed", "true")
    with page.expect_request(re.compile(r"phases\?hours=720$")):
        page.reload()
    expect(ranges.nth(3)).to_have_attribute("aria-pressed", "true")


def test_a_link_without_a_past_says_so(service: CannedService, page: Page) -> None:
    show_phases(service, phase("unknown", 24, 0))
    page.reload()
    expect(page.locator("[data-fact=share] dd")).to_have_text("Nothing is known yet.")
    expect(page.locator(".events")).to_be_hidden()


def test_a_failure_and_a_recovery_are_drawn_and_listed(hotel: HotelProcesses, user: BrowserUser) -> None:
    page = user.page
    hotel.make_docked_link("made", hotel.ports[1], **FAST_TIMINGS)
    user.navigate("#/links/made/history")
    events = page.locator(".events > li:not([data-kind=audit])")
    expect(events.first).to_have_attribute("data-kind", "in_sync")
    expect(page.locator(".events [data-kind=down]")).to_have_count(0)

    hotel.pms.call("POST", f"/link/drop?port={hotel.ports[1]}")
    outage = page.locator(".events [data-kind=down]")
    expect(outage).to_have_count(1)
    expect(events.first).to_have_attribute("data-kind", "in_sync")  # it is back
    expect(outage).to_contain_text("The connection was lost: the PMS closed it. · dialled once")
    expect(page.locator(".time rect[data-kind=down]")).to_have_count(1)
    outage.get_by_role("button", name="Show each").click()
    expect(outage.locator(".each .mono")).to_have_text(
        ["WAIT_LS → ESTABLISHED", "EXPECTION → WAIT_LS", "ESTABLISHED → EXPECTION"]
    )
