"""Tests of hints: from the list over the overview to the setting that would help, and to the documents."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.page.browser import BrowserUser, open_page
from tests.page.canned_links import CLOCK_HINT, FRAMING_HINT, make_link_with_framing_hint
from tests.page.canned_service import CannedService, make_link
from tests.page.link_rows import row
from tests.page.setting_forms import field
from tests.page.test_languages import choose_language

RECORDS_HINT = {
    "code": "records",
    "params": {"setting": "records", "value": {"GI": "RNG#", "GC": ""}, "declared": "GC"},
}


@pytest.fixture
def service(service: CannedService) -> CannedService:
    service.show(make_link_with_framing_hint("lines"))
    return service


@pytest.fixture
def user(browser: Browser, service: CannedService) -> Iterator[BrowserUser]:
    with open_page(browser, service.url) as user:
        expect(row(user.page, "lines")).to_be_visible()
        yield user


def hint_card(user: BrowserUser, code: str) -> Locator:
    """Open the overview, and return the card of a hint."""
    user.navigate("#/links/lines")
    return user.page.locator(f".hint[data-hint='{code}']")


def test_a_hint_leads_from_the_list_to_its_setting(service: CannedService, user: BrowserUser) -> None:
    expect(row(user.page, "lines")).to_contain_text(
        "In the settings, set “Records end with” to “a line each”."
    )
    row(user.page, "lines").get_by_role("link").click()
    hint_card(user, "framing").get_by_role("link", name="Use “a line each”").click()
    expect(field(user.page, "framing")).to_have_value("crlf")
    expect(field(user.page, "framing")).to_be_focused()
    expect(field(user.page, "framing")).to_have_accessible_description(
        re.compile("It takes effect when you save")
    )
    assert service.requests == []  # nothing is changed before somebody saves it


def test_a_hint_leads_to_its_section_in_the_document_about_pmss(
    service: CannedService, user: BrowserUser
) -> None:
    link = hint_card(user, "framing").get_by_role("link", name="More about this")
    with user.page.context.expect_page() as opened:
        link.click()
    document = opened.value
    assert document.url == f"{service.url}/page/pms-differences.html#hint-framing"
    expect(document.get_by_role("heading", name="Lines instead of STX and ETX")).to_be_in_viewport()
    document.close()


def test_what_was_written_after_a_suggestion_outlasts_a_language_change(
    service: CannedService, user: BrowserUser
) -> None:
    service.show(make_link("lines", attention=2, hints=[RECORDS_HINT]))
    hint_card(user, "records").get_by_role("link", name="Leave GC out").click()
    field(user.page, "records").fill("GI = RNG#GN")
    choose_language(user.page, "简体中文")
    expect(user.page.get_by_text("记录分隔方式").first).to_be_visible()
    expect(field(user.page, "records")).to_have_value("GI = RNG#GN")
    expect(user.page.locator("#language")).to_be_focused()


def test_a_suggestion_of_several_lines_is_filled_in(service: CannedService, user: BrowserUser) -> None:
    service.show(make_link("lines", attention=2, hints=[RECORDS_HINT]))
    expect(row(user.page, "lines")).to_contain_text("In the settings, leave GC out of the description.")
    hint_card(user, "records").get_by_role("link", name="Leave GC out").click()
    expect(field(user.page, "records")).to_have_value("GI = RNG#\nGC = ")


def test_a_hint_without_a_value_shows_the_setting_to_check(service: CannedService, user: BrowserUser) -> None:
    service.show(make_link("lines", attention=2, hints=[CLOCK_HINT]))
    hint_card(user, "clock").get_by_role("link", name="Check the time zone").click()
    expect(field(user.page, "timezone")).to_be_focused()
    expect(field(user.page, "timezone")).to_have_value("")


def test_a_hint_that_is_gone_leaves_the_card(service: CannedService, user: BrowserUser) -> None:
    service.show(make_link("lines", attention=2, hints=[FRAMING_HINT, CLOCK_HINT]))
    card = hint_card(user, "clock")
    expect(card).to_be_visible()
    service.show(make_link("lines", attention=2, hints=[FRAMING_HINT]))
    expect(card).to_have_count(0)
    expect(hint_card(user, "framing")).to_be_visible()
