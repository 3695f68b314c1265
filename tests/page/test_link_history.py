"""Tests of a link's history in a browser: the timeline, and the table of transitions."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.page.browser import BrowserUser
from tests.page.hotel_processes import HotelProcesses
from tests.process.server_processes import FAST_TIMINGS


def test_a_failure_and_a_recovery_are_drawn_and_listed(hotel: HotelProcesses, user: BrowserUser) -> None:
    page = user.page
    hotel.make_docked_link("made", hotel.ports[1], **FAST_TIMINGS)
    user.navigate("#/links/made")
    history = page.locator(".past")
    rows = history.locator("tbody tr")
    expect(rows).to_have_count(3)
    expect(history.locator("rect[data-state=ESTABLISHED]")).to_have_count(1)

    hotel.pms.call("POST", f"/link/drop?port={hotel.ports[1]}")
    expect(rows).to_have_count(6)
    expect(page.locator(".head .marker")).to_have_text("ESTABLISHED")
    expect(rows.locator("td:nth-child(2)")).to_have_text(
        ["WAIT_LS", "EXPECTION", "ESTABLISHED", "WAIT_LS", "CLOSED", "–"]
    )
    expect(rows.locator("td:nth-child(3)")).to_have_text(
        ["ESTABLISHED", "WAIT_LS", "EXPECTION", "ESTABLISHED", "WAIT_LS", "CLOSED"]
    )
    expect(rows.nth(2).locator("td:nth-child(4)")).to_have_text("The connection was lost: the PMS closed it")

    expect(history.locator("rect[data-state=ESTABLISHED]")).to_have_count(2)
    failure = history.locator("rect[data-state=EXPECTION]")
    expect(failure).to_have_count(1)
    expect(failure.locator("title")).to_have_text(
        re.compile(r"EXPECTION [\d:]+ – [\d:]+\nThe connection was lost: the PMS closed it")
    )
    expect(history.locator(".legend li")).to_contain_text(["ESTABLISHED", "EXPECTION"])
    expect(history.locator(".share")).to_have_text(
        re.compile(r"In sync \d+(\.\d+)?% of the [\d a-z]+ that are known.")
    )
    expect(history.get_by_role("img")).to_have_accessible_name(re.compile("In sync .*%"))


def test_the_timeline_is_chronological_and_within_its_frame(hotel: HotelProcesses, user: BrowserUser) -> None:
    hotel.make_link("made")
    hotel.control("made", "expire")
    hotel.control("made", "disable")
    user.navigate("#/links/made")
    rects = user.page.locator(".past rect")
    expect(rects.last).to_have_attribute("data-state", "DISABLED")
    spans = rects.evaluate_all("(all) => all.map((one) => [one.x.baseVal.value, one.width.baseVal.value])")
    assert spans[0][0] == 0
    assert [x for x, _ in spans] == sorted(x for x, _ in spans)
    assert spans[-1][0] + spans[-1][1] <= 1001
