"""Tests of what a link needs: shown in the list and on the link's page without opening anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from pmslink.link.cause import CauseCode
from pmslink.web.ui.translations import LANGUAGES, load_translations
from tests.page.browser import BrowserUser, open_page
from tests.page.canned_links import (
    CLOCK_HINT,
    DOUBT,
    FRAMING_HINT,
    NIGHT_AUDIT,
    NOT_UNDERSTOOD,
    RESYNC,
    THREE_OUTAGES,
    UNANSWERED,
    make_link_with_everything,
    make_link_with_framing_hint,
)
from tests.page.canned_service import (
    CannedService,
    ago,
    make_down_link,
    make_link,
    minute,
    start_canned_service,
)
from tests.page.test_readable import CONTRASTS, MIN_CONTRAST_RATIO

DAY_AGO, MINUTES_AGO = ago(hours=25), ago(minutes=2)
FINDINGS: tuple[tuple[str, dict[str, Any], str], ...] = (
    (
        "a posting in doubt",
        {"attention": 3, "outbox": DOUBT},
        "1 posting in doubt: the PMS did not say whether it booked. "
        "Look at the bill in the PMS, then resend or discard.",
    ),
    (
        "refused postings",
        {"attention": 3, "outbox": {"pending": 0, "unknown": 0, "refused": 2, "oldest": None}},
        "2 postings refused: the outbox says why. Resend or discard.",
    ),
    (
        "a wake-up that failed",
        {"attention": 3},
        "A wake-up failed or was not understood within the last 24 hours.",
    ),
    (
        "a running resync",
        {
            "held": RESYNC,
            "resync": {
                "wanted": False,
                "asked": None,
                "started": RESYNC["since"],
                "ended": None,
                "records": 41,
            },
        },
        f"Resync since {minute(RESYNC['since'])}, 41 records so far: "
        "nothing is sent to the PMS before it ends. 2 waiting.",
    ),
    (
        "a night audit",
        {"held": NIGHT_AUDIT},
        f"Night audit since {minute(NIGHT_AUDIT['since'])}: postings wait, nothing is lost. 4 waiting.",
    ),
    (
        "a night audit while nothing waits",
        {"held": {**NIGHT_AUDIT, "waiting": 0}},
        f"Night audit since {minute(NIGHT_AUDIT['since'])}: postings wait, nothing is lost.",
    ),
    (
        "postings that the PMS does not answer",
        {"held": UNANSWERED},
        f"The PMS does not answer postings: the next one goes out at {minute(UNANSWERED['until'])}. "
        "12 waiting.",
    ),
    (
        "a posting that was not answered, with nothing after it",
        {"held": {**UNANSWERED, "until": None, "waiting": 0}},
        "The PMS did not answer the last posting.",
    ),
    (
        "what the PMS has queued",
        {"held": {"by": "sync", "since": ago(seconds=1), "until": None, "waiting": 3}},
        "Postings wait a few seconds for what the PMS has queued. 3 waiting.",
    ),
    (
        "a stay that was entered by hand",
        {"held": {"by": "local", "since": ago(minutes=1), "until": None, "waiting": 1}},
        "Postings wait until the PMS confirms the stay that was entered by hand. 1 waiting.",
    ),
    (
        "a record that is not understood",
        {"attention": 2, "not_understood": {**NOT_UNDERSTOOD, "records": 1}},
        f"1 record not understood, last {minute(NOT_UNDERSTOOD['last_at'])}: GI: RN is missing",
    ),
    (
        "bytes that are no record",
        {
            "attention": 2,
            "not_understood": {
                **NOT_UNDERSTOOD,
                "bytes": 20_004,
                "last": "20004 bytes: a record longer than 16 KiB",
            },
        },
        f"3 records and 20,004 bytes not understood, last {minute(NOT_UNDERSTOOD['last_at'])}: "
        "20004 bytes: a record longer than 16 KiB",
    ),
    (
        "three outages",
        {"attention": 2, "outages": THREE_OUTAGES},
        f"3 outages in the last hour, last {minute(THREE_OUTAGES['last_at'])}, 2 s: "
        "no answer to the link check",
    ),
    (
        "an outage that lasts, after others",
        {"attention": 2, "outages": {**THREE_OUTAGES, "last_seconds": None, "last_cause": "pms_ended"}},
        f"3 outages in the last hour, the last since {minute(THREE_OUTAGES['last_at'])}: "
        "ended by the PMS (LE)",
    ),
    (
        "a clock that is off",
        {"clock_offset": -125.0},
        "The clock of the PMS is 2 min 5 s behind the hotel's local time: "
        "wake-ups and charges get wrong times",
    ),
    (
        "a clock that is off by a time zone",
        {"attention": 2, "clock_offset": 7203.2, "hints": [CLOCK_HINT]},
        "The clock of the PMS is 2 h ahead of the hotel's local time: "
        "wake-ups and charges get wrong times — check timezone More about this",
    ),
    (
        "a PMS that repeats our records",
        {"attention": 2, "hints": [{"code": "mirror", "params": {}}]},
        "The other side repeats our own records: it is an echo server, not a PMS More about this",
    ),
    (
        "a resync request without an answer",
        {
            "resync": {
                "wanted": False,
                "asked": MINUTES_AGO,
                "started": DAY_AGO,
                "ended": DAY_AGO,
                "records": 30,
            }
        },
        f"The PMS did not answer the resync request (DR) of {minute(MINUTES_AGO)}.",
    ),
)
"""What may be the matter with a link, the values of its JSON, and the text of the page."""

NOTHING: tuple[tuple[str, dict[str, Any]], ...] = (
    (
        "a resync that was cut off",
        {"resync": {"wanted": False, "asked": None, "started": ago(hours=2), "ended": None, "records": 4}},
    ),
    (
        "a resync that is asked for",
        {"resync": {"wanted": True, "asked": ago(seconds=5), "started": None, "ended": None, "records": 0}},
    ),
    (
        "a request of yesterday",
        {"resync": {"wanted": False, "asked": DAY_AGO, "started": None, "ended": None, "records": 0}},
    ),
    ("records of yesterday", {"not_understood": {**NOT_UNDERSTOOD, "last_at": DAY_AGO}}),
    ("one outage", {"outages": {**THREE_OUTAGES, "last_hour": 1}}),
    ("a clock that is nearly right", {"clock_offset": 119.0}),
    ("a new connection", {"held": {"by": "sync", "since": ago(seconds=1), "until": None, "waiting": 0}}),
)


@pytest.fixture
def service() -> Iterator[CannedService]:
    with start_canned_service() as service:
        yield service


@pytest.fixture
def user(browser: Browser, service: CannedService) -> Iterator[BrowserUser]:
    service.show(make_link("grand"))
    with open_page(browser, service.url) as user:
        expect(user.page.locator(".row")).to_have_count(1)
        yield user


def _findings(page: Page) -> Locator:
    return page.locator(".findings li")


def _open_link(user: BrowserUser, name: str = "grand") -> None:
    user.navigate(f"#/links/{name}")
    expect(user.page.locator(".head h1")).to_have_text(name)


def test_each_finding_is_shown_in_the_list_and_on_the_page_of_the_link(
    service: CannedService, user: BrowserUser
) -> None:
    for _, values, text in FINDINGS:
        service.show(make_link("grand", **values))
        expect(_findings(user.page)).to_have_text([text])
        expect(_findings(user.page)).to_be_visible()
    _open_link(user)
    for _, values, text in FINDINGS:
        service.show(make_link("grand", **values))
        expect(_findings(user.page)).to_have_text([text])
        expect(_findings(user.page)).to_be_visible()


def test_what_needs_nothing_is_not_shown(service: CannedService, user: BrowserUser) -> None:
    for what, values in NOTHING:
        service.show(make_link("grand", attention=2, hints=[{"code": "mirror", "params": {}}]))
        expect(_findings(user.page), what).to_have_count(1)
        service.show(make_link("grand", **values))
        expect(_findings(user.page), what).to_have_count(0)
    expect(user.page.get_by_role("list", name="What needs attention")).to_be_hidden()


def test_several_findings_stand_in_the_order_of_attention(service: CannedService, user: BrowserUser) -> None:
    service.show(make_link_with_everything("grand"))
    expected = ["unknown", "refused", "outages", "not_understood", "charset", "clock", "held_unanswered"]
    for _ in range(2):
        expect(_findings(user.page)).to_have_count(len(expected))
        shown = _findings(user.page).evaluate_all("(all) => all.map((one) => one.dataset.finding)")
        assert shown == expected
        _open_link(user)


def test_the_hints_come_first_while_the_link_is_down(service: CannedService, user: BrowserUser) -> None:
    down = make_link_with_framing_hint("grand")
    service.show({**down, "outbox": DOUBT, "outages": THREE_OUTAGES})
    expect(_findings(user.page)).to_have_count(3)
    expect(_findings(user.page).first).to_have_text(
        "23 bytes came, no STX … ETX: LS|DA261130|TI000000| — framing = crlf would read it More about this"
    )


@pytest.mark.parametrize(
    ("hold", "long_minutes", "short_minutes"),
    [(NIGHT_AUDIT, 181, 179), (UNANSWERED, 31, 29), (RESYNC, 31, 29)],
)
def test_postings_that_are_held_for_too_long_need_a_decision(
    service: CannedService, user: BrowserUser, hold: dict[str, Any], long_minutes: int, short_minutes: int
) -> None:
    for minutes, level in ((short_minutes, "wait"), (long_minutes, "decide")):
        since = ago(minutes=minutes)
        outbox = {"pending": 4, "unknown": 0, "refused": 0, "oldest": since}
        attention = 3 if level == "decide" else 0
        service.show(make_link("grand", attention=attention, held={**hold, "since": since}, outbox=outbox))
        expect(_findings(user.page)).to_have_count(1)
        expect(_findings(user.page)).to_have_attribute("data-level", level)


def test_a_link_that_is_up_but_needs_a_look_is_not_green(service: CannedService, user: BrowserUser) -> None:
    row = user.page.locator(".row")
    expect(row).to_have_attribute("data-mood", "good")
    service.show(make_link("grand", attention=2, outages=THREE_OUTAGES))
    expect(row).to_have_attribute("data-mood", "look")
    expect(user.page.locator("#icon")).to_have_attribute("href", "page/icons/look.svg")
    service.show(make_link("lost", attention=4, state="WAIT_LS", in_sync=False))
    expect(user.page.locator("#icon")).to_have_attribute("href", "page/icons/wait.svg")


def test_the_list_is_sorted_by_attention(service: CannedService, user: BrowserUser) -> None:
    service.show(make_link("a"), make_link("b", attention=2, outages=THREE_OUTAGES))
    service.show(make_link("c", attention=3, outbox=DOUBT), make_down_link("d"))
    expect(user.page.locator(".row h2")).to_have_text(["d", "c", "b", "a", "grand"])


def test_text_of_the_pms_is_shown_as_text(service: CannedService, user: BrowserUser) -> None:
    hostile = "<img src=x onerror=alert(1)>\u202e{value}"
    params = {**FRAMING_HINT["params"], "seen": hostile}
    found = {**NOT_UNDERSTOOD, "last": hostile}
    service.show(
        make_link("grand", attention=2, hints=[{"code": "framing", "params": params}], not_understood=found)
    )
    shown = "<img src=x onerror=alert(1)>⟨202E⟩{value}"
    for _ in range(2):
        expect(_findings(user.page)).to_have_text(
            [
                f"3 records not understood, last {minute(found['last_at'])}: {shown}",
                f"23 bytes came, no STX … ETX: {shown} — framing = crlf would read it More about this",
            ]
        )
        assert user.page.locator(".findings img").count() == 0
        _open_link(user)


def test_a_finding_that_stays_is_not_built_anew(service: CannedService, user: BrowserUser) -> None:
    service.show(make_link_with_everything("grand"))
    link = user.page.get_by_role("link", name="charset = utf-8 would read it")
    link.focus()
    service.show(make_link("grand", attention=2, hints=make_link_with_everything("grand")["hints"]))
    expect(_findings(user.page)).to_have_count(2)
    expect(link).to_be_focused()


def test_each_cause_of_an_outage_has_words() -> None:
    for language in LANGUAGES:
        texts = load_translations(language)
        assert [code for code in get_args(CauseCode) if f"outage.{code}" not in texts] == []


@pytest.mark.parametrize("width", [390, 800, 1280])
def test_many_findings_fit_on_every_screen(service: CannedService, browser: Browser, width: int) -> None:
    long_word = {**NOT_UNDERSTOOD, "last": "x" * 200}
    service.show({**make_link_with_everything("grand"), "not_understood": long_word})
    with open_page(browser, service.url, viewport={"width": width, "height": 800}) as user:
        for view in ("#/", "#/links/grand"):
            user.navigate(view)
            expect(_findings(user.page)).to_have_count(7)
            assert user.page.evaluate("document.documentElement.scrollWidth") <= width
            for box in _findings(user.page).evaluate_all(BOXES):
                assert box["right"] <= width
                assert not box["overlaps"]


BOXES = """
(all) => all.map((one, place) => {
  const { right, top } = one.getBoundingClientRect();
  return { right, overlaps: place > 0 && top < all[place - 1].getBoundingClientRect().bottom };
})
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_findings_have_enough_contrast(service: CannedService, browser: Browser, scheme: Any) -> None:
    service.show(make_link_with_everything("grand"), make_link_with_framing_hint("lines"))
    with open_page(browser, service.url, color_scheme=scheme) as user:
        for view, count in (("#/", 8), ("#/links/grand", 7)):
            user.navigate(view)
            expect(_findings(user.page)).to_have_count(count)
            contrasts = user.page.evaluate(CONTRASTS)
            assert not [contrast for contrast in contrasts if contrast[1] < MIN_CONTRAST_RATIO], view


def test_findings_are_in_the_language_of_the_reader(service: CannedService, browser: Browser) -> None:
    service.show(make_link_with_everything("grand"))
    with open_page(browser, service.url, locale="zh-CN") as user:
        expect(_findings(user.page)).to_have_count(7)
        expect(_findings(user.page).first).to_contain_text("1 条入账结果未知")
        expect(_findings(user.page).nth(4)).to_contain_text("charset = utf-8 可以读取")
