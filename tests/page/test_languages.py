"""Tests of the languages of the page in a browser."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, expect

from tests.page.browser import BrowserUser, open_page
from tests.page.hotel_processes import HotelProcesses

ROOMS = "#/links/grand/rooms"
VIEWS = ("#/", "#/links/lost", "#/links/grand", ROOMS, "#/links/lost/settings", "#/new")


def test_a_chinese_browser_gets_the_page_in_chinese(hotel: HotelProcesses, browser: Browser) -> None:
    hotel.make_link("lost", enabled=True)
    with open_page(browser, hotel.url, locale="zh-CN") as user:
        page = user.page
        row = page.locator(".row", has_text="lost")
        expect(page.get_by_label("语言").locator("option:checked")).to_have_text("简体中文")
        expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
        expect(row.locator(".marker")).to_have_text("EXPECTION")  # FIAS spells it so
        expect(row.locator(".label")).to_have_text("链路异常")
        expect(row).to_contain_text("127.0.0.1:1 拒绝连接")
        expect(row).to_contain_text("请向酒店确认 PMS 接口程序是否正在运行并监听此端口")
        expect(page).to_have_title("（1 条中断）pmslink")
        hotel.control("lost", "disable")
        expect(page.locator(".toast", has_text="用户已停用链路")).to_be_visible()


def test_a_language_change_applies_at_once_and_survives_a_reload(user: BrowserUser) -> None:
    page = user.page
    heading = page.get_by_role("heading", level=1)
    page.evaluate("window.marker = 1")
    expect(heading).to_have_text("Links")
    page.get_by_label("Language").select_option("zh")
    expect(heading).to_have_text("链路")
    expect(page.locator(".row .label")).to_have_text("链路已建立")
    expect(page.get_by_role("searchbox")).to_have_attribute("placeholder", "搜索：名称、地址、状态……")
    assert page.evaluate("window.marker") == 1
    page.reload()
    expect(heading).to_have_text("链路")
    page.get_by_label("语言").select_option("en")
    expect(heading).to_have_text("Links")
    page.reload()
    expect(heading).to_have_text("Links")


def test_a_language_change_keeps_unsaved_form_values(user: BrowserUser) -> None:
    page = user.page
    user.navigate("#/new")
    page.get_by_label("host").fill("pms.seaside.example")
    page.get_by_label("profile").select_option("opera")
    page.get_by_label("Language").select_option("zh")
    expect(page.get_by_role("heading", level=1)).to_have_text("新链路")
    expect(page.get_by_label("host")).to_have_value("pms.seaside.example")
    expect(page.get_by_label("profile")).to_have_value("opera")


def test_an_unsupported_language_falls_back_to_english(hotel: HotelProcesses, browser: Browser) -> None:
    with open_page(browser, hotel.url, locale="pt-BR") as user:
        expect(user.page.get_by_role("heading", level=1)).to_have_text("Links")


def test_no_view_shows_a_translation_key(hotel: HotelProcesses, browser: Browser) -> None:
    """Check that no placeholder is empty, no text is missing, and Chinese views have little English text."""
    hotel.make_link("lost", enabled=True)
    hotel.enqueue_posting("grand", type="minibar", room="101", article="1", count=1)
    hotel.call_rooms("PUT", "101/status", {"status": 3}, link="grand")
    for locale in ("en-GB", "zh-CN"):
        with open_page(browser, hotel.url, locale=locale) as user:
            for view in VIEWS:
                user.navigate(view)
                expect(user.page.get_by_role("heading", level=1)).to_be_visible()
                if view == "#/links/grand":
                    expect(user.page.locator(".records li").first).to_be_visible()
                    expect(user.page.locator(".outbox tbody tr").first).to_be_visible()
                if view == ROOMS:
                    expect(user.page.locator(".room").first).to_be_visible()
                text = user.page.locator("body").evaluate(_ALL_TEXT)
                assert not re.findall(r"\{\w*\}|undefined|NaN|\[object|Invalid", text)
                assert not re.findall(_KEY, text), re.findall(_KEY, text)


_PARTS = "dialog|link|list|form|control|outbox|trace|field|record|setting|right|reason|advice|label|test"
_MORE = "rooms?|webhook|posting"
_KEY = rf"\b(?:{_PARTS}|{_MORE})\.[a-z_]\w*"
_ALL_TEXT = """
(body) => {
  const said = [body.textContent];
  for (const name of ["aria-label", "title", "placeholder"]) {
    for (const one of body.querySelectorAll(`[${name}]`)) said.push(one.getAttribute(name));
  }
  return said.join("\\n");
}
"""
