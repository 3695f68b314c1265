"""Tests of the frame of the page with invented links: questions, addresses, strips, failures."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.page.browser import BrowserUser, open_page
from tests.page.canned_service import CannedService, make_down_link, make_link, start_canned_service
from tests.page.link_rows import expect_names

ASK_TWICE = """async () => {
  const main = document.querySelector("script[type=module]").src;
  const { askToConfirm } = await import(new URL("components/dialog.js", main));
  const ask = (title) => askToConfirm({ title, text: "It stops.", action: "Do it" });
  window.answers = [ask("First?"), ask("Second?")];
}"""
WASH_TWICE = """async () => {
  const main = document.querySelector("script[type=module]").src;
  const { markChanged } = await import(new URL("components/changed.js", main));
  const element = document.querySelector("h1");
  markChanged(element);
  markChanged(element);
  return element.className;
}"""


@pytest.fixture
def service() -> Iterator[CannedService]:
    with start_canned_service() as service:
        service.show(make_link("grand"), make_down_link("seaside"))
        yield service


@pytest.fixture
def user(browser: Browser, service: CannedService) -> Iterator[BrowserUser]:
    with open_page(browser, service.url) as user:
        expect_names(user.page, "seaside", "grand")
        yield user


@pytest.fixture
def page(user: BrowserUser) -> Page:
    return user.page


def test_a_question_that_takes_the_place_of_another_answers_it_with_no(page: Page) -> None:
    page.evaluate(ASK_TWICE)
    expect(page.get_by_role("dialog", name="Second?")).to_be_visible()
    page.get_by_role("button", name="Do it").click()
    assert page.evaluate("Promise.all(answers)") == [False, True]
    page.evaluate(ASK_TWICE)
    page.keyboard.press("Escape")
    assert page.evaluate("Promise.all(answers)") == [False, False]
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_what_has_changed_is_coloured_for_a_moment_unless_motion_is_unwanted(page: Page) -> None:
    page.emulate_media(reduced_motion="no-preference")
    assert page.evaluate(WASH_TWICE) == "told"
    expect(page.locator(".told")).to_have_count(0)
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(WASH_TWICE) == ""
