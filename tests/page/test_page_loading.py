"""What the page loads at a first and at a second visit, and what it says when its files are gone."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Browser, BrowserContext, Route, expect

from tests.page.browser import WAIT_TIMEOUT_MS, BrowserUser, wait_for_stream
from tests.page.canned_service import make_down_link, make_link, start_canned_service
from tests.page.hotel_processes import HotelProcesses
from tests.web.ui.test_page_size import MAX_FIRST_VIEW_BYTES, MAX_FIRST_VIEW_REQUESTS

MAX_REVALIDATION_BYTES = 1000
"""More than the headers that say that a file has not changed."""
FIRST_DATA = {"session", "status", "links"}
LIST_RESOURCES = """
() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .map(({name, startTime, transferSize, encodedBodySize}) =>
    ({path: new URL(name).pathname, startTime, transferSize, encodedBodySize}))
  .sort((one, other) => one.startTime - other.startTime)
"""


def _visit(context: BrowserContext, url: str) -> list[dict[str, Any]]:
    """Open the page, and return what it has loaded, in the order of the requests."""
    page = context.new_page()
    page.goto(url)
    wait_for_stream(page)
    expect(page.locator(".links .name")).to_have_text(["grand"])
    resources: list[dict[str, Any]] = page.evaluate(LIST_RESOURCES)
    page.close()
    return resources


def _data(resources: list[dict[str, Any]]) -> list[str]:
    paths = [resource["path"] for resource in resources]
    return [path.removeprefix("/api/v1/") for path in paths if path.startswith("/api/v1/")]


def _files(resources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [resource for resource in resources if not resource["path"].startswith("/api/")]


def test_a_first_visit_loads_little_before_the_rows_and_a_second_visit_only_data(
    browser: Browser, hotel: HotelProcesses
) -> None:
    context = browser.new_context(locale="en-GB")
    context.set_default_timeout(WAIT_TIMEOUT_MS)
    first, second = _visit(context, hotel.url), _visit(context, hotel.url)
    context.close()

    frame = next(index for index, file in enumerate(first) if file["path"].endswith("/frame.js"))
    files = _files(first[:frame])
    assert len(files) <= MAX_FIRST_VIEW_REQUESTS, files
    assert sum(file["encodedBodySize"] for file in files) <= MAX_FIRST_VIEW_BYTES, files
    assert set(_data(first[:frame])) == FIRST_DATA
    assert len(_data(first[:frame])) == len(FIRST_DATA)

    sent = [file for file in _files(second) if file["transferSize"] > 0]
    assert [file["path"] for file in sent] == ["/"]
    assert sent[0]["transferSize"] <= MAX_REVALIDATION_BYTES
    assert set(_data(second)) >= FIRST_DATA


def _answer_missing(route: Route) -> None:
    route.fulfill(status=404, body="the page has no such file")


def test_a_page_of_before_an_update_asks_to_be_loaded_anew(user: BrowserUser) -> None:
    page = user.page
    user.page_errors.expected_errors += ["404", "dynamically imported module"]
    page.route("**/page/**/*.js", _answer_missing)
    user.navigate("#/about")
    strip = page.locator("#strip")
    expect(strip).to_contain_text("The service is now version")
    page.unroute("**/page/**/*.js")
    strip.get_by_role("button", name="Reload").click()
    expect(page.locator(".facts")).to_be_visible()
    expect(strip).to_be_empty()


def test_a_tab_that_an_update_has_taken_away_asks_for_the_page_to_be_loaded_anew(user: BrowserUser) -> None:
    page = user.page
    user.page_errors.expected_errors += ["404", "dynamically imported module"]
    user.navigate("#/links/grand")
    expect(page.get_by_role("heading", name="grand")).to_be_visible()
    page.route("**/page/**/*.js", _answer_missing)
    user.navigate("#/links/grand/phones")
    expect(page.locator("main").get_by_role("button", name="Reload")).to_be_visible()


def test_the_list_shows_before_the_frame_is_there_and_catches_up(browser: Browser) -> None:
    with start_canned_service() as service:
        service.show(make_link("grand"))
        context = browser.new_context(locale="en-GB")
        context.set_default_timeout(WAIT_TIMEOUT_MS)
        page = context.new_page()
        held: list[Route] = []
        page.route("**/frame.js", lambda route: held.append(route))
        page.goto(service.url)
        expect(page.locator(".links .name")).to_have_text(["grand"])
        expect(page.locator("#bell")).to_have_count(0)
        service.show(make_down_link("seaside"))
        held[0].continue_()
        expect(page.locator(".links .name")).to_have_text(["seaside", "grand"])
        expect(page.locator("#bell button")).to_be_visible()
        context.close()
