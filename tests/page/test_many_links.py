"""Tests of ten thousand links in a browser: only the rows in sight are loaded, and in the document."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Response, expect

from tests.page.browser import BrowserUser, open_page
from tests.page.canned_service import CannedService, make_down_link, make_link
from tests.page.link_rows import expect_counts, expect_names, observe_rows, row, touched_rows

COUNT = 10_000
DOWN_COUNT = 21
MAX_ELEMENTS = 2_500
MAX_ROWS = 60
"""Rows in the document in a window of 800 pixels: those in sight, and 12 above and below."""
MAX_DATA_BYTES = 25_000
"""Bytes of the data of the first screen, compressed."""
PLACES = ("amber", "birch", "cedar", "delta", "ember", "fjord", "garden", "harbor")


def make_links() -> Iterator[dict[str, Any]]:
    down, up = make_down_link("down", retry={"attempt": 3, "next_at": None}), make_link("up")
    for number in range(COUNT):
        name = f"{PLACES[number % len(PLACES)]}-{number * 7919 % COUNT:04}"
        host = f"10.{number >> 8 & 63}.{number & 255}.5"
        yield {**(down if number < DOWN_COUNT else up), "name": name, "host": host}


LINKS = {link["name"]: link for link in make_links()}
DOWN = sorted(name for name, link in LINKS.items() if link["group"] == "down")
UP = sorted(name for name, link in LINKS.items() if link["group"] == "connected")
BY_ATTENTION = [*DOWN, *UP]


@pytest.fixture
def service(service: CannedService) -> CannedService:
    service.links.update(LINKS)
    return service


@pytest.fixture
def user(browser: Browser, service: CannedService) -> Iterator[BrowserUser]:
    with open_page(browser, service.url) as user:
        expect(row(user.page, BY_ATTENTION[0])).to_be_visible()
        yield user


def scroll_to_row(user: BrowserUser, position: int) -> None:
    user.page.evaluate("(top) => scrollTo(0, top)", position * 40)
    expect(row(user.page, BY_ATTENTION[position])).to_be_visible()


def test_few_rows_are_in_the_document_and_little_is_loaded(browser: Browser, service: CannedService) -> None:
    answers: list[Response] = []
    with open_page(browser, "about:blank") as user:
        user.page_errors.expected_errors.append("request to")
        user.page.on("response", lambda answer: answers.append(answer))
        user.page.goto(service.url)
        expect(row(user.page, BY_ATTENTION[0])).to_be_visible()
        expect_counts(user.page, all=COUNT, down=DOWN_COUNT, connected=COUNT - DOWN_COUNT)
        data = [answer for answer in answers if "/api/v1/" in answer.url and "stream" not in answer.url]
        first = {answer.url: answer for answer in data}  # each once: the stream begins with a second look
        assert sum(len(gzip.compress(answer.body())) for answer in first.values()) <= MAX_DATA_BYTES
        for position in (0, 3_000, COUNT - 1):
            scroll_to_row(user, position)
            assert user.page.locator(".virtual .r").count() <= MAX_ROWS
            assert user.page.locator("*").count() <= MAX_ELEMENTS


def test_the_last_row_has_the_last_index(user: BrowserUser) -> None:
    table = user.page.get_by_role("table")
    expect(table).to_have_attribute("aria-rowcount", str(COUNT + 1))
    expect(row(user.page, BY_ATTENTION[0])).to_have_attribute("aria-rowindex", "2")
    scroll_to_row(user, COUNT - 1)
    last = user.page.locator(".virtual .r").last
    expect(last).to_have_attribute("data-name", BY_ATTENTION[-1])
    expect(last).to_have_attribute("aria-rowindex", str(COUNT + 1))
    expect(last).to_be_in_viewport()


def test_a_row_with_the_focus_survives_scrolling(user: BrowserUser) -> None:
    name = row(user.page, BY_ATTENTION[2]).locator(".name")
    name.focus()
    scroll_to_row(user, 5_000)
    expect(name).to_be_focused()
    expect(name).not_to_be_in_viewport()
    user.page.keyboard.press("j")
    expect(row(user.page, BY_ATTENTION[3]).locator(".name")).to_be_focused()
    expect(row(user.page, BY_ATTENTION[3])).to_be_in_viewport()


def test_keys_reach_both_ends(user: BrowserUser) -> None:
    row(user.page, BY_ATTENTION[1]).locator(".name").focus()
    for key, name in (("End", BY_ATTENTION[-1]), ("k", BY_ATTENTION[-2]), ("Home", BY_ATTENTION[0])):
        user.page.keyboard.press(key)
        expect(row(user.page, name).locator(".name")).to_be_focused()
        expect(row(user.page, name)).to_be_in_viewport()


def test_a_change_touches_one_row_and_one_out_of_sight_none(
    service: CannedService, user: BrowserUser
) -> None:
    seen, unseen = BY_ATTENTION[25], BY_ATTENTION[9_000]
    expect(row(user.page, seen)).to_be_visible()
    observe_rows(user.page)
    counts = {"pending": 7, "unknown": 0, "refused": 0, "oldest": None}
    service.show({**service.links[unseen], "outbox": counts}, {**service.links[seen], "outbox": counts})
    expect(row(user.page, seen)).to_contain_text("7 waiting")
    assert touched_rows(user.page) == [seen]


def test_a_link_out_of_sight_that_goes_down_comes_among_the_first(
    service: CannedService, user: BrowserUser
) -> None:
    name = UP[5_000]
    row(user.page, BY_ATTENTION[1]).hover()
    service.show_transition(make_down_link(name), "ESTABLISHED", "EXPECTION")
    expect(row(user.page, name)).to_be_visible()
    expect_counts(user.page, down=DOWN_COUNT + 1)


def test_search_and_filter_are_the_service_s(user: BrowserUser) -> None:
    search = user.page.get_by_role("searchbox")
    search.fill("-0042")
    (found,) = (name for name in LINKS if name.endswith("-0042"))
    expect_names(user.page, found)
    expect(user.page.locator("main").get_by_text("1 of 10,000", exact=True)).to_be_visible()
    search.fill("cedar")
    total = sum(name.startswith("cedar") for name in LINKS)
    expect(user.page.get_by_text(f"{total:,} of 10,000", exact=True)).to_be_visible()
    expect(user.page.get_by_role("table")).to_have_attribute("aria-rowcount", str(total + 1))
    search.fill("")
    search.fill("n-1")  # more links than the first answer has, and fewer than are shown in parts
    some = [name for name in BY_ATTENTION if "n-1" in name]
    assert 100 < len(some) <= 200
    expect_names(user.page, *some)
    search.fill("")
    user.page.locator(".counter[data-group=down]").click()
    expect_names(user.page, *DOWN)
    expect(user.page.get_by_role("table")).not_to_have_attribute("aria-rowcount", str(COUNT + 1))
    user.page.locator(".counter[data-group=down]").click()
    expect(user.page.get_by_role("table")).to_have_attribute("aria-rowcount", str(COUNT + 1))
    user.page.get_by_role("combobox").select_option("name")
    expect(row(user.page, min(LINKS))).to_be_in_viewport()


@pytest.mark.parametrize(("width", "height_px"), [(1280, 40), (1000, 40), (768, 52), (390, 72), (320, 72)])
def test_rows_have_one_height_and_fit_the_window(
    browser: Browser, service: CannedService, width: int, height_px: int
) -> None:
    with open_page(browser, service.url, viewport={"width": width, "height": 800}) as user:
        first = row(user.page, BY_ATTENTION[0])
        expect(first).to_be_visible()
        assert user.page.evaluate("document.documentElement.scrollWidth") <= width
        heights = user.page.locator(".virtual .r").evaluate_all(
            "(rows) => [...new Set(rows.map((row) => row.getBoundingClientRect().height))]"
        )
        assert heights == [height_px]
        overflowing = user.page.locator(".virtual .r").evaluate_all(
            "(rows) => rows.filter((row) => row.scrollHeight > row.clientHeight + 1).length"
        )
        assert overflowing == 0
