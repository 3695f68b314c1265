"""Tests of the frame of the page with invented links: questions, addresses, strips, failures."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.page.browser import BrowserUser, open_page
from tests.page.canned_service import CannedService, make_down_link, make_link
from tests.page.link_rows import expect_names
from tests.page.test_languages import choose_language

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

LOAD_LINK_TEXTS = """async () => {
  const main = document.querySelector("script[type=module]").src;
  const { loadLinkTexts, t } = await import(new URL("core/texts.js", main));
  window.linkTexts = loadLinkTexts().then(() => t("link.to_all"));
}"""
COUNT_MESSAGES = """() => {
  window.messages = 0;
  const observer = new MutationObserver(() => { window.messages += 1; });
  observer.observe(document.getElementById("announcer"), { childList: true, characterData: true });
}"""


@pytest.fixture
def service(service: CannedService) -> CannedService:
    service.show(make_link("grand"), make_down_link("seaside"))
    return service


@pytest.fixture
def user(browser: Browser, service: CannedService) -> Iterator[BrowserUser]:
    with open_page(browser, service.url) as user:
        expect_names(user.page, "seaside", "grand")
        yield user


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


def test_the_way_to_the_links_takes_a_filter_away(page: Page) -> None:
    page.locator(".counters").get_by_role("button", name="Down").click()
    expect_names(page, "seaside")
    expect(page).to_have_url(re.compile(r"#/\?show=down$"))
    page.locator("#nav-links").click()
    expect_names(page, "seaside", "grand")
    expect(page).to_have_url(re.compile("#/$"))


def test_an_unknown_address_says_so_and_has_a_way_back(user: BrowserUser) -> None:
    user.navigate("#/lnks/grand")
    expect(user.page.get_by_role("heading", level=1)).to_have_text("There is no link of this name.")
    user.page.get_by_role("link", name="All links").click()
    expect_names(user.page, "seaside", "grand")


def test_strip_and_drawer_survive_another_language(service: CannedService, page: Page) -> None:
    store = {"ok": False, "reason": "the disk is full"}
    service.answers["GET status"] = {"version": "0", "store": store, "groups": {}, "uptime": 1}
    page.reload()
    expect(page.locator("#strip")).to_contain_text("The disk cannot be written: the disk is full.")
    page.locator("#bell button").click()
    expect(page.locator("#drawer-title")).to_have_text("Notices")
    page.route("**/api/v1/status", lambda route: None)  # which is not asked again
    choose_language(page, "简体中文")
    expect(page.locator("#strip")).to_contain_text("磁盘")
    expect(page.locator("#drawer-title")).to_have_text("通知")
    expect(page.locator("#bell button")).to_have_attribute("aria-expanded", "true")
    expect(page.locator("#language")).to_be_focused()


def test_another_language_that_is_chosen_while_texts_arrive_is_not_mixed_with_them(page: Page) -> None:
    held: list[Route] = []
    page.route("**/texts/en/link.json", lambda route: held.append(route))
    with page.expect_request("**/texts/en/link.json"):
        page.evaluate(LOAD_LINK_TEXTS)
    choose_language(page, "简体中文")
    expect(page.get_by_role("heading", level=1)).to_have_text("链路")
    held[0].continue_()
    assert page.evaluate("linkTexts") == "所有链路"


def test_the_page_is_offline_in_one_message_to_a_screen_reader(user: BrowserUser) -> None:
    page = user.page
    expect(page.locator("[role=status], [aria-live]")).to_have_count(1)
    user.page_errors.expected_errors += ["ERR_INTERNET_DISCONNECTED"]
    page.evaluate(COUNT_MESSAGES)
    user.context.set_offline(True)
    strip = page.locator("#strip")
    expect(strip).to_contain_text("has not answered for 3 s")
    expect(strip).to_contain_text("has not answered for 5 s")
    expect(page.locator("#announcer")).to_contain_text("The service has not answered")
    assert page.evaluate("messages") == 1
