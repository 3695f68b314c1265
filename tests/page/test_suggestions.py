"""Tests of settings that would help: from a hint, or a test of the address, into the form of the link."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from pmslink.web.auth.permissions import Role
from tests.page.browser import BrowserUser, open_page
from tests.page.canned_links import CLOCK_HINT, make_link_with_framing_hint
from tests.page.canned_service import CannedService, make_link, start_canned_service
from tests.web.served_api import validate_schema

RECORDS_HINT = {
    "code": "records",
    "params": {"setting": "records", "value": {"GI": "RNG#", "GC": ""}, "declared": "GC"},
}
SEEN = b"LS|DA261130|TI000000|\r\n<b>\xff"
FAILED_STEPS: list[dict[str, Any]] = [
    {"step": "resolve", "ok": True, "reason": "192.0.2.1 is an address", "seconds": 0},
    {"step": "connect", "ok": True, "reason": "192.0.2.1:5010 accepted the connection", "seconds": 0.02},
    {
        "step": "link_start",
        "ok": False,
        "reason": "192.0.2.1:5010 sent no link start (LS)",
        "seconds": 1.2,
        "advice": 'Set framing = "crlf": the PMS sends lines.',
        "seen": {"bytes": 27, "hex": SEEN.hex()},
        "suggest": {"setting": "framing", "value": "crlf"},
    },
]


@pytest.fixture
def service() -> Iterator[CannedService]:
    with start_canned_service() as service:
        service.show(make_link_with_framing_hint("lines"))
        yield service


@pytest.fixture
def user(browser: Browser, service: CannedService) -> Iterator[BrowserUser]:
    with open_page(browser, service.url) as user:
        expect(user.page.locator(".row")).to_have_count(1)
        yield user


def _field(page: Page, name: str) -> Locator:
    return page.locator(f"#setting-{name}")


def _expect_suggestion(page: Page, name: str, value: str) -> None:
    """Check that the form shows a setting with the value that would help, not yet saved."""
    expect(_field(page, name)).to_have_value(value)
    expect(_field(page, name)).to_be_focused()
    expect(_field(page, name)).to_be_in_viewport()
    expect(_field(page, name)).to_have_accessible_description(re.compile("It takes effect when you save"))


@pytest.mark.parametrize("view", ["#/", "#/links/lines"])
def test_a_hint_opens_the_form_at_its_setting(service: CannedService, user: BrowserUser, view: str) -> None:
    user.navigate(view)
    user.page.get_by_role("link", name="framing = crlf would read it").click()
    expect(user.page.get_by_role("heading", level=1)).to_have_text("Settings of lines")
    _expect_suggestion(user.page, "framing", "crlf")
    assert service.requests == []  # nothing is changed before somebody saves it
    user.page.get_by_role("button", name="Save").click()
    expect(user.page.locator(".head h1")).to_have_text("lines")
    assert service.requests == [("PATCH links/lines", {"framing": "crlf"})]


@pytest.mark.parametrize("view", ["#/", "#/links/lines"])
def test_a_hint_leads_to_its_section_in_the_document_about_pmss(
    service: CannedService, user: BrowserUser, view: str
) -> None:
    user.navigate(view)
    link = user.page.get_by_role("link", name="More about this")
    with user.page.context.expect_page() as opened:
        link.click()
    document = opened.value
    assert document.url == f"{service.url}/page/pms-differences.html#hint-framing"
    expect(document.get_by_role("heading", name="Lines instead of STX and ETX")).to_be_in_viewport()
    document.close()


def test_the_suggestion_is_still_there_after_a_reload(user: BrowserUser) -> None:
    user.page.get_by_role("link", name="framing = crlf would read it").click()
    _expect_suggestion(user.page, "framing", "crlf")
    user.page.reload()
    _expect_suggestion(user.page, "framing", "crlf")


def test_a_suggestion_of_several_lines_is_filled_in(service: CannedService, user: BrowserUser) -> None:
    service.show(make_link("lines", attention=2, hints=[RECORDS_HINT]))
    user.page.get_by_role("link", name="leaving GC out with records would help").click()
    _expect_suggestion(user.page, "records", "GI = RNG#\nGC = ")
    user.page.get_by_role("button", name="Save").click()
    expect(user.page.locator(".head h1")).to_have_text("lines")
    assert service.requests == [("PATCH links/lines", {"records": {"GI": "RNG#", "GC": ""}})]


def test_a_hint_without_a_value_shows_the_setting_to_check(service: CannedService, user: BrowserUser) -> None:
    service.show(make_link("lines", attention=2, hints=[CLOCK_HINT]))
    user.page.get_by_role("link", name="check timezone").click()
    expect(_field(user.page, "timezone")).to_be_focused()
    expect(_field(user.page, "timezone")).to_have_value("")
    expect(_field(user.page, "timezone")).to_have_accessible_description(re.compile("Check this setting."))


def test_a_hint_that_is_gone_leaves_the_form_as_it_is(service: CannedService, user: BrowserUser) -> None:
    service.show(make_link("lines"))
    expect(user.page.locator(".findings li")).to_have_count(0)
    user.navigate("#/links/lines/settings?hint=framing")
    expect(user.page.get_by_role("heading", level=1)).to_have_text("Settings of lines")
    expect(_field(user.page, "framing")).to_have_value("")


@pytest.mark.parametrize("role", ["control", "view"])
def test_settings_that_cannot_be_changed_are_only_shown(
    service: CannedService, browser: Browser, role: Role
) -> None:
    service.role = role
    service.show({**make_link_with_framing_hint("lines"), "declared": role == "control"})
    with open_page(browser, service.url) as user:
        user.page.get_by_role("link", name="framing = crlf would read it").click()
        framing = _field(user.page, "framing")
        expect(framing).to_be_disabled()
        expect(framing).to_have_value("")
        expect(framing).to_be_in_viewport()
        expect(framing).to_have_accessible_description(re.compile("“crlf” would help."))


def _test_address(
    service: CannedService, user: BrowserUser, steps: list[dict[str, Any]], **values: str
) -> None:
    validate_schema({"$ref": "#/components/schemas/TestSteps"}, {"steps": steps})
    service.answers["POST links/test"] = {"steps": steps}
    user.navigate("#/new")
    for name, value in {"name": "made", "host": "192.0.2.1", "port": "5010"}.items():
        _field(user.page, name).fill(value)
    for name, value in {"profile": "generic", **values}.items():
        _field(user.page, name).select_option(value)
    user.page.get_by_role("button", name="Test without saving").click()


def test_a_step_that_fails_says_what_came_and_what_would_help(
    service: CannedService, user: BrowserUser
) -> None:
    _test_address(service, user, FAILED_STEPS)
    step = user.page.locator('[data-step="link_start"]')
    expect(step).to_contain_text("192.0.2.1:5010 sent no link start (LS) (1.2 s)")
    expect(step).to_contain_text("27 bytes came: LS|DA261130|TI000000|··<b>·")
    expect(step).to_contain_text("4c 53 7c 44 41")
    expect(step).to_contain_text('Set framing = "crlf": the PMS sends lines.')
    expect(user.page.locator('[data-step="description"]')).to_contain_text("not tried")
    step.get_by_role("button", name="Use framing = crlf").click()
    _expect_suggestion(user.page, "framing", "crlf")
    with user.page.expect_response("**/links/test"):
        user.page.get_by_role("button", name="Test without saving").click()
    assert service.requests[-1][1]["framing"] == "crlf"


def test_a_step_that_succeeds_may_have_an_advice(service: CannedService, user: BrowserUser) -> None:
    advice = {"advice": "This server repeats our own records.", "suggest": {"setting": "tls", "value": True}}
    steps = [*FAILED_STEPS[:2], {**FAILED_STEPS[2], "ok": True, **advice}]
    _test_address(service, user, steps)
    step = user.page.locator('[data-step="link_start"]')
    expect(step).to_have_attribute("data-mood", "look")
    expect(step).to_contain_text("This server repeats our own records.")
    step.get_by_role("button", name="Use tls = true").click()
    _expect_suggestion(user.page, "tls", "true")


def test_a_new_test_takes_the_old_advice_away(service: CannedService, user: BrowserUser) -> None:
    _test_address(service, user, FAILED_STEPS)
    expect(user.page.get_by_role("button", name="Use framing = crlf")).to_be_visible()
    service.answers["POST links/test"] = {"steps": FAILED_STEPS[:2]}
    user.page.get_by_role("button", name="Test without saving").click()
    expect(user.page.get_by_role("button", name="Use framing = crlf")).to_have_count(0)


def test_the_form_says_what_host_and_port_are_for_a_pms_that_connects(
    service: CannedService, user: BrowserUser
) -> None:
    steps = [FAILED_STEPS[0], {**FAILED_STEPS[1], "ok": False, "reason": "No PMS connected to port 5010"}]
    user.navigate("#/new")
    host, port = _field(user.page, "host"), _field(user.page, "port")
    expect(host).to_have_accessible_description(re.compile("^host name or IP address of the PMS"))
    _field(user.page, "connect").select_option("accept")
    expect(host).to_have_accessible_description(re.compile("from which the PMS connects; no other host may"))
    expect(port).to_have_accessible_description(re.compile("of this machine to which the PMS connects"))
    _field(user.page, "connect").select_option("dial")
    expect(port).to_have_accessible_description(re.compile("^TCP port of the PMS"))
    _test_address(service, user, steps, connect="accept")
    expect(user.page.locator(".trial .answer")).to_contain_text("The PMS did not connect.")


def test_a_link_that_waits_for_its_pms_shows_its_port(service: CannedService, user: BrowserUser) -> None:
    settings = {**make_link("lines")["settings"], "connect": "accept"}
    service.show(make_link("lines", settings=settings))
    expect(user.page.locator(".row .address")).to_have_text("port 5010, for 192.0.2.1")
    user.navigate("#/links/lines")
    expect(user.page.locator(".head .address")).to_contain_text("port 5010, for 192.0.2.1")
