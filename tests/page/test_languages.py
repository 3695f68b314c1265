"""Tests of the languages and the colours of the page in a browser."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Page, expect

from tests.page.browser import BrowserUser, open_page
from tests.page.hotel_processes import HotelProcesses
from tests.page.link_rows import row


def choose_language(page: Page, language: str) -> None:
    """Choose a language in the menu of the header."""
    page.locator("#language").click()
    page.get_by_role("menuitemradio", name=language).click()


def test_a_chinese_browser_gets_the_page_in_chinese(hotel: HotelProcesses, browser: Browser) -> None:
    hotel.make_link("lost", enabled=True)
    with open_page(browser, hotel.url, locale="zh-CN") as user:
        page = user.page
        expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
        lost = row(page, "lost")
        expect(lost.locator(".marker")).to_have_text("EXPECTION")  # FIAS spells it so
        expect(lost.locator(".badge")).to_contain_text("链路中断")
        expect(lost).to_contain_text("127.0.0.1:1 拒绝连接")
        expect(lost).to_contain_text("请在设置中检查端口（1）")
        expect(page).to_have_title(re.compile("链路 – pmslink$"))


def test_a_language_change_applies_at_once_and_survives_a_reload(user: BrowserUser) -> None:
    page = user.page
    heading = page.get_by_role("heading", level=1)
    page.evaluate("window.marker = 1")
    expect(heading).to_have_text("Links")
    choose_language(page, "简体中文")
    expect(heading).to_have_text("链路")
    expect(row(page, "grand").locator(".badge")).to_contain_text("已连接")
    expect(page.get_by_role("searchbox")).to_have_attribute("placeholder", "搜索名称、地址、原因")
    expect(page.locator("#language")).to_be_focused()
    assert page.evaluate("window.marker") == 1
    page.reload()
    expect(heading).to_have_text("链路")
    choose_language(page, "English")
    expect(heading).to_have_text("Links")
    page.reload()
    expect(heading).to_have_text("Links")


def test_a_language_change_keeps_unsaved_form_values(user: BrowserUser) -> None:
    page = user.page
    user.navigate("#/new")
    page.get_by_label("PMS host").fill("pms.seaside.example")
    page.get_by_label("PMS product").select_option("opera")
    choose_language(page, "简体中文")
    expect(page.get_by_role("heading", level=1)).to_have_text("新链路")
    expect(page.get_by_label("PMS 主机")).to_have_value("pms.seaside.example")
    expect(page.get_by_label("PMS 产品")).to_have_value("opera")


def test_an_unsupported_language_falls_back_to_english(hotel: HotelProcesses, browser: Browser) -> None:
    with open_page(browser, hotel.url, locale="pt-BR") as user:
        expect(user.page.get_by_role("heading", level=1)).to_have_text("Links")


def test_the_chosen_colours_survive_a_reload(user: BrowserUser) -> None:
    page = user.page
    html = page.locator("html")
    expect(html).to_have_attribute("data-theme", "light")
    page.locator("#person").click()
    page.get_by_role("menuitemradio", name="Dark colours").click()
    expect(html).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(html).to_have_attribute("data-theme", "dark")
    page.locator("#person").click()
    page.get_by_role("menuitemradio", name="Colours as the system").click()
    expect(html).to_have_attribute("data-theme", "light")
    page.emulate_media(color_scheme="dark")
    expect(html).to_have_attribute("data-theme", "dark")
