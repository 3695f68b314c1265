"""Tests of the bell, the drawer and the view of the notices in a browser, with invented notices and links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.page.browser import BrowserUser, open_page, wait_for_stream
from tests.page.canned_service import CannedService, ago, make_down_link, make_link
from tests.page.page_modules import call_module
from tests.web.served_api import validate_schema

REFUSED = {"code": "refused", "params": {"detail": "Connection refused"}}
DOWN_PARAMS = {
    "causes": ["refused"],
    "host": "192.0.2.1",
    "port": 5010,
    "marker": "EXPECTION",
    "attempts": 391,
}

STORE_ERROR = {"error": {"code": "store", "message": "the store is unavailable: the disk is full"}}
NOTIFYING_BROWSER = """
window.notified = [];
window.isHidden = false;
Object.defineProperty(Document.prototype, "hidden", { get: () => window.isHidden });
window.Notification = class {
  constructor(title, { tag }) { notified.push([title, tag]); }
  static get permission() { return sessionStorage.getItem("permission") ?? "default"; }
  static async requestPermission() { sessionStorage.setItem("permission", "granted"); }
};
"""
"""A browser whose reader permits notifications when asked, and which records them."""

RESUME_AFTER_FAILURE = """async () => {
  const main = document.querySelector("script[type=module]").src;
  const notices = await import(new URL("core/notices.js", main));
  const { fetch } = window;
  const requests = [];
  let stage = "reset";
  window.fetch = async (url) => {
    if (url.includes("/notices?")) requests.push(stage);
    throw new TypeError("offline");
  };
  notices.clear();
  notices.onStream(0);
  notices.handle("reset", {});
  await new Promise((resolve) => setTimeout(resolve));
  stage = "resumed";
  notices.onStream(0);
  window.fetch = fetch;
  return requests;
}"""
"""Loads the notices while the service cannot be reached; returns the stages at which they were requested."""


def make_notice(number: int, kind: str, link: str | None = "grand", **values: Any) -> dict[str, Any]:
    """Return a notice of the API that is open, but for these values."""
    notice = {
        "id": number,
        "at": ago(minutes=60 - number),
        "link": link,
        "kind": kind,
        "subject": str(number),
        "params": {},
        "cause": None,
        "state": "open",
        "acknowledged": None,
        "over": None,
        **values,
    }
    validate_schema({"$ref": "#/components/schemas/Notice"}, notice)
    return notice


DOWN = make_notice(5, "down", "seaside", subject=ago(hours=1), cause=REFUSED, params=DOWN_PARAMS)
WAKE_UP = make_notice(
    4,
    "wake_up",
    params={"room": "214", "due": "2026-11-20T06:30:00", "result": "no_answer", "attempts": 3},
)
DECISION = make_notice(3, "decision", params={"unknown": 2, "refused": 1})
ACKNOWLEDGED = make_notice(
    2,
    "expires_soon",
    state="acknowledged",
    params={"expires_at": ago(days=-5)},
    acknowledged={"by": "front-desk", "at": ago(minutes=5)},
)
OVER = make_notice(
    1,
    "down",
    "lakehouse",
    subject=ago(minutes=10),
    cause=REFUSED,
    state="over",
    over=ago(minutes=7),
    params={**DOWN_PARAMS, "in_sync": True},
)


@pytest.fixture
def service(service: CannedService) -> CannedService:
    service.show(make_link("grand"), make_down_link("seaside"), make_link("lakehouse"))
    service.show_notices(DOWN, WAKE_UP, DECISION, ACKNOWLEDGED, OVER)
    return service


@pytest.fixture
def user(browser: Browser, service: CannedService) -> Iterator[BrowserUser]:
    with open_page(browser, service.url) as user:
        expect(user.page.locator("#bell b")).to_have_text("3")
        yield user


@contextmanager
def open_notices(browser: Browser, service: CannedService, **options: Any) -> Iterator[Page]:
    """Open the view of the notices."""
    with open_page(browser, service.url, **options) as user:
        user.navigate("#/notices")
        expect(user.page.locator("[data-notice]")).to_have_count(5)
        yield user.page


def item(page: Page, notice: dict[str, Any]) -> Locator:
    return page.locator(f'[data-notice="{notice["id"]}"]')


def test_the_drawer_says_what_is_the_matter_and_the_former_outages(page: Page) -> None:
    page.locator("#bell button").click()
    drawer = page.get_by_role("complementary", name="Notices")
    expect(drawer.get_by_role("heading", name="Now · 4")).to_be_visible()
    expect(drawer.locator("[data-notice]")).to_have_count(5)
    expect(item(page, DOWN)).to_contain_text("seaside is down")
    expect(item(page, DOWN)).to_contain_text("192.0.2.1:5010 refuses the connection")
    expect(item(page, DOWN)).to_contain_text("EXPECTIONdialled 391 times")
    expect(item(page, WAKE_UP)).to_contain_text("Wake-up missed: room 214")
    expect(item(page, WAKE_UP)).to_contain_text("No answer after 3 attempts. Ring or knock.")
    expect(item(page, WAKE_UP).get_by_role("link")).to_have_attribute("href", "#/links/grand/rooms/214")
    expect(item(page, DECISION)).to_contain_text("grand: decision needed")
    expect(item(page, ACKNOWLEDGED)).to_contain_text("subscription ends in 5 days")
    expect(item(page, ACKNOWLEDGED)).to_contain_text("Acknowledged by front-desk")
    expect(item(page, ACKNOWLEDGED).get_by_role("button", name="Acknowledge")).to_have_count(0)
    expect(item(page, OVER)).to_contain_text("lakehouse is back after 3 min")
    assert item(page, OVER).get_attribute("data-mood") == "good"


def test_the_drawer_opens_and_closes_by_keyboard(page: Page) -> None:
    bell = page.locator("#bell button")
    bell.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Close")).to_be_focused()
    expect(bell).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Escape")
    expect(page.locator(".drawer")).to_have_count(0)
    expect(bell).to_be_focused()
    expect(bell).to_have_attribute("aria-expanded", "false")


def test_a_notice_that_is_acknowledged_in_one_tab_is_acknowledged_in_the_other(
    browser: Browser, service: CannedService, page: Page
) -> None:
    with open_notices(browser, service) as other:
        page.locator("#bell button").click()
        expect(item(other, DOWN).get_by_role("button", name="Acknowledge")).to_be_visible()
        item(page, DOWN).get_by_role("button", name="Acknowledge").click()
        for tab in (page, other):
            expect(item(tab, DOWN)).to_contain_text("Acknowledged by test")
            expect(tab.locator("#bell b")).to_have_text("2")
            expect(item(tab, DOWN).get_by_role("button", name="Acknowledge")).to_have_count(0)
        other.get_by_role("button", name="Acknowledge all").click()
        for tab in (page, other):
            expect(tab.locator("#bell b")).to_be_hidden()
            expect(tab).not_to_have_title(re.compile(r"\(\d"))
            expect(tab.get_by_role("button", name="Acknowledge all")).to_have_count(0)
    path = f"POST notices/{DOWN['id']}/acknowledge"
    assert service.requests == [(path, None), ("POST notices/acknowledge", None)]


def test_a_reader_who_may_not_acknowledge_sees_no_button_for_it(
    browser: Browser, service: CannedService
) -> None:
    service.role = "view"
    with open_notices(browser, service) as page:
        expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)
        expect(item(page, DOWN).get_by_role("button", name="Mute this link")).to_be_visible()


def test_a_refused_acknowledgement_says_why(user: BrowserUser) -> None:
    page = user.page
    user.page_errors.expected_errors.append("503")
    page.route("**/acknowledge", lambda route: route.fulfill(status=503, json=STORE_ERROR))
    page.locator("#bell button").click()
    item(page, DOWN).get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_role("alert")).to_contain_text("Not acknowledged: ")
    expect(page.locator("#bell b")).to_have_text("3")


def test_a_muted_link_neither_counts_nor_pops_up_until_it_has_been_well_for_an_hour(
    service: CannedService, page: Page
) -> None:
    page.locator("#bell button").click()
    item(page, DOWN).get_by_role("button", name="Mute this link").click()
    expect(page.locator("#bell b")).to_have_text("2")
    expect(item(page, DOWN)).to_contain_text("Muted until it has been well for 1 h")
    page.keyboard.press("Escape")
    service.show_notices(make_notice(6, "flapping", "seaside", params={"count": 2}))
    service.show_notices(make_notice(7, "decision", "lakehouse", params={"unknown": 1, "refused": 0}))
    expect(page.locator(".pop")).to_contain_text("lakehouse: decision needed")
    expect(page.locator(".pop .more")).to_be_hidden()
    expect(page.locator("#bell b")).to_have_text("3")

    service.show(make_link("seaside", since=ago(minutes=30)))
    page.reload()
    expect(page.locator("#bell b")).to_have_text("3")  # the browser remembers it
    service.show(make_link("seaside", since=ago(minutes=61)))
    service.show_notices(make_notice(8, "decision", "seaside", params={"unknown": 1, "refused": 0}))
    expect(page.locator(".pop")).to_contain_text("seaside: decision needed")
    expect(page.locator("#bell b")).to_have_text("6")


def test_a_muted_link_without_events_is_looked_at_within_ten_minutes(
    service: CannedService, page: Page
) -> None:
    page.clock.install()
    page.reload()
    page.locator("#bell button").click()
    item(page, DOWN).get_by_role("button", name="Mute this link").click()
    expect(page.locator("#bell b")).to_have_text("2")
    service.links["seaside"] = make_link("seaside", since=ago(minutes=61))
    page.clock.run_for(10 * 60_000)
    expect(page.locator("#bell b")).to_have_text("3")


def test_what_was_over_while_the_stream_was_away_leaves(service: CannedService, page: Page) -> None:
    service.show_transition(make_down_link("lakehouse"), "ESTABLISHED", "EXPECTION")
    bar = page.locator(".pop")
    expect(bar).to_contain_text("lakehouse is down")
    service.links["lakehouse"] = make_link("lakehouse")
    service.show_reset()
    expect(bar).to_have_count(0)


def test_notices_that_are_over_are_forgotten_beyond_a_thousand(service: CannedService, page: Page) -> None:
    for number in range(1_000, 2_010):
        over = make_notice(
            number, "flapping", at=ago(minutes=1), state="over", over=ago(), params={"count": 2}
        )
        service.show_notices(over)
    newest = make_notice(2_010, "decision", "lakehouse", params={"unknown": 1, "refused": 0})
    service.show_notices(newest)
    expect(page.locator(".pop")).to_contain_text("lakehouse: decision needed")
    assert len(call_module(page, "core/notices.js", "earlierNotices")) == 1_000


def test_bad_news_is_shown_one_at_a_time_with_the_number_of_the_others(
    service: CannedService, page: Page
) -> None:
    decision = {"at": ago(), "params": {"unknown": 1, "refused": 0}}
    for number, link in enumerate(("grand", "seaside", "lakehouse"), 11):
        service.show_notices(make_notice(number, "decision", link, **decision))
    bar = page.locator(".pop")
    expect(bar).to_have_count(1)
    expect(bar).to_contain_text("lakehouse: decision needed")
    expect(bar.locator(".more")).to_have_text("2 more notices")
    lakehouse = service.notices[13]
    by_other = {"state": "acknowledged", "acknowledged": {"by": "other", "at": ago()}}
    service.show_notices({**lakehouse, **by_other})
    expect(bar).to_contain_text("seaside: decision needed")
    expect(bar.locator(".more")).to_have_text("1 more notice")
    bar.get_by_role("button", name="Close").click()
    expect(bar).to_contain_text("grand: decision needed")
    expect(bar.locator(".more")).to_be_hidden()
    expect(bar.get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("Enter")
    expect(bar).to_have_count(0)
    expect(page.locator("#bell b")).to_have_text("5")


def test_news_that_come_while_the_notices_are_loaded_pop_up(service: CannedService, browser: Browser) -> None:
    with open_page(browser, service.url) as user:
        held: list[Route] = []
        user.page.route("**/api/v1/notices?*", lambda route: held.append(route))
        with user.page.expect_request("**/api/v1/notices?*"):
            user.page.reload()
        service.show_notices(make_notice(11, "decision", "lakehouse", at=ago(), params=DECISION["params"]))
        service.show_transition(make_down_link("grand", down_since=ago()), "ESTABLISHED", "EXPECTION")
        expect(user.page.locator("[role=row]", has_text="grand")).to_contain_text("EXPECTION")
        held[0].continue_()
        bar = user.page.locator(".pop")
        expect(bar).to_contain_text("grand is down")
        bar.get_by_role("button", name="Close").click()
        expect(bar).to_contain_text("lakehouse: decision needed")


def test_notices_that_could_not_be_loaded_are_loaded_once_the_stream_resumes(page: Page) -> None:
    assert page.evaluate(RESUME_AFTER_FAILURE) == ["reset", "resumed"]


def test_good_news_stays_while_it_is_pointed_at_or_focused(service: CannedService, page: Page) -> None:
    page.clock.install()
    page.reload()
    expect(page.locator("#bell b")).to_have_text("3")
    service.show_transition(make_link("seaside"), "WAIT_LS", "ESTABLISHED")
    bar = page.locator(".pop")
    expect(bar).to_contain_text("seaside is back after")
    bar.hover()
    page.clock.run_for(10_000)
    expect(bar).to_be_visible()
    bar.get_by_role("link", name="seaside").focus()
    page.mouse.move(5, 5)
    page.clock.run_for(10_000)
    expect(bar).to_be_visible()
    page.locator("#bell button").focus()
    page.clock.run_for(5_000)
    expect(bar).to_be_visible()
    page.clock.run_for(2_000)
    expect(bar).to_have_count(0)


def test_a_screen_reader_is_told_one_message_in_five_seconds(service: CannedService, page: Page) -> None:
    page.clock.install()
    page.reload()
    expect(page.locator("#bell b")).to_have_text("3")
    announcer = page.locator("#announcer")
    expect(announcer).to_be_empty()  # nothing is read out at load
    bar = page.locator(".pop")
    for number in range(21, 25):
        service.show_notices(
            make_notice(number, "decision", f"link-{number}", params={"unknown": 1, "refused": 0})
        )
        expect(bar).to_contain_text(f"link-{number}")
        page.clock.run_for(10)
        expect(announcer).to_contain_text("link-21: decision needed")
    page.clock.run_for(4_000)
    expect(announcer).to_contain_text("link-21: decision needed")
    page.clock.run_for(1_000)
    expect(announcer).to_have_text("3 more notices")


def test_notifications_are_offered_where_the_browser_permits_them(
    browser: Browser, service: CannedService
) -> None:
    with open_notices(browser, service) as page:
        page.add_init_script(NOTIFYING_BROWSER)
        page.reload()
        wait_for_stream(page)
        switch = page.get_by_role("switch", name="Notify me when this page is in the background")
        expect(switch).not_to_be_checked()
        switch.check()
        service.show_notices(make_notice(31, "decision", "grand", params={"unknown": 1, "refused": 0}))
        expect(page.locator(".pop")).to_contain_text("grand: decision needed")
        assert page.evaluate("notified") == []  # the page is in the foreground
        page.evaluate("isHidden = true")
        down = make_down_link("lakehouse")
        service.show_transition(down, "ESTABLISHED", "EXPECTION")
        service.show_transition(make_link("lakehouse"), "WAIT_LS", "ESTABLISHED")
        expect(page.locator(".pop")).to_contain_text("lakehouse is back")
        tag = f"down lakehouse {down['down_since']}"
        assert page.evaluate("notified") == [["lakehouse is down", tag]]  # no good news
        page.reload()
        expect(page.get_by_role("switch")).to_be_checked()


def test_notifications_are_not_offered_without_https(browser: Browser, service: CannedService) -> None:
    with open_notices(browser, service) as page:
        page.add_init_script("Object.defineProperty(window, 'isSecureContext', { value: false })")
        page.reload()
        expect(page.get_by_role("switch")).to_be_disabled()
        expect(page.get_by_text("Browsers allow this on https and localhost only.")).to_be_visible()


def test_another_language_shows_the_same_notices(page: Page) -> None:
    page.locator("#bell button").click()
    page.get_by_role("button", name="Language").click()
    page.get_by_role("menuitemradio", name="简体中文").or_(page.get_by_text("简体中文")).first.click()
    expect(page.locator("#bell button")).to_have_attribute("aria-label", "通知，3 条未确认")
    page.evaluate("location.hash = '#/notices'")
    expect(page.locator("main h1")).to_have_text("通知")
    expect(page.locator("main")).to_contain_text("seaside 中断")
    expect(page.locator("main")).to_contain_text("front-desk 已确认")
