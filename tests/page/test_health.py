"""Tests of what a link is like for people: words, mood, sign, group, why, and what to do.

Each row of the table is checked on the page and against the group that the service computes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from playwright.sync_api import Browser, Page, expect

from pmslink.link.cause import CauseCode
from pmslink.link.link_summary import group_of
from pmslink.link.machine import Intent, Marker
from pmslink.link.reason_texts import ENGLISH_TEXTS
from tests.link.test_reason_texts import HINTS
from tests.page.browser import open_page
from tests.page.canned_links import NIGHT_AUDIT, NOT_UNDERSTOOD, THREE_OUTAGES
from tests.page.canned_service import ago, make_link, start_canned_service

MODULE = "new URL('core/health.js', document.querySelector('script[type=module]').src)"
EVALUATE = f"""
async (links) => {{
  const {{ health, why, remedy, findings }} = await import({MODULE});
  return links.map((link) => ({{
    ...health(link), why: why(link), remedy: remedy(link), findings: findings(link).map(({{ code }}) => code),
  }}));
}}
"""
DOUBT = {"pending": 0, "unknown": 1, "refused": 2, "oldest": None}
FAILED_WAKE_UP = {"count": 1, "last_at": ago(minutes=9), "last_room": "214"}
HELD_LONG = {**NIGHT_AUDIT, "since": ago(hours=4), "waiting": 3}


def cause(code: str, **params: object) -> dict[str, Any]:
    return {"code": code, "params": params}


def retry(attempt: int) -> dict[str, Any]:
    return {"attempt": attempt, "next_at": None}


def off(state: str, intent: str = "disabled", **values: object) -> dict[str, Any]:
    return {"state": state, "intent": intent, "in_sync": False, "attention": 1, **values}


def down(state: str, code: str, attempt: int = 0, **values: object) -> dict[str, Any]:
    """Return a link that is enabled and not in sync."""
    facts = {"state": state, "cause": cause(code), "retry": retry(attempt), "down_since": ago(minutes=5)}
    return {**facts, "in_sync": False, "attention": 4, **values}


TABLE: list[tuple[str, str, str, dict[str, Any]]] = [
    ("expired", "ended", "off", off("EXPIRED", "expired", cause=cause("expired"))),
    ("new", "off", "off", off("DISABLED", cause=cause("started"), last_in_sync=None)),
    ("off", "off", "off", off("DISABLED", cause=cause("started"))),
    ("off", "off", "off", off("DISABLED", cause=cause("user", control="disable"), attention=3, outbox=DOUBT)),
    ("disconnecting", "wait", "connecting", {"state": "WAIT_LE", "intent": "disconnected", "attention": 1}),
    (
        "disconnected",
        "off",
        "off",
        off("CLOSED", "disconnected", cause=cause("user", control="disconnect")),
    ),
    ("ended", "bad", "down", down("CLOSED", "pms_ended")),
    ("ended", "bad", "down", down("WAIT_LS", "pms_ended")),
    ("down", "bad", "down", down("WAIT_LS", "pms_ended", attempt=2)),
    ("down", "bad", "down", down("EXPECTION", "refused")),
    ("down", "bad", "down", down("WAIT_LS", "refused", attempt=7)),
    ("down", "bad", "down", down("CLOSED", "in_use")),
    ("down", "bad", "down", down("ESTABLISHED", "started", attempt=1)),
    ("confirming", "wait", "connecting", down("ESTABLISHED", "started")),
    ("connecting", "wait", "connecting", down("WAIT_LS", "started")),
    ("connecting", "wait", "connecting", down("CLOSED", "settings")),
    ("held", "wait", "look", {"attention": 3, "held": HELD_LONG}),
    ("decide", "wait", "look", {"attention": 3, "outbox": DOUBT}),
    ("decide", "wait", "look", {"attention": 3, "held": HELD_LONG, "failed_wake_ups": FAILED_WAKE_UP}),
    ("unstable", "wait", "look", {"attention": 2, "outages": THREE_OUTAGES}),
    ("records", "wait", "look", {"attention": 2, "not_understood": NOT_UNDERSTOOD}),
    ("check", "wait", "look", {"attention": 2}),
    ("connected", "good", "connected", {"attention": 0}),
    ("connected", "good", "connected", {"attention": 0, "held": NIGHT_AUDIT}),
]


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    with start_canned_service() as service:
        service.show(make_link("grand"))
        with open_page(browser, service.url) as user:
            expect(user.page.locator(".links .name")).to_have_count(1)  # the texts are loaded
            yield user.page


def evaluate(page: Page, *links: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.evaluate(EVALUATE, [make_link("grand", **link) for link in links])
    return found


def test_each_row_of_the_table_gives_words_mood_and_group(page: Page) -> None:
    found = evaluate(page, *(link for *_, link in TABLE))
    assert [(one["key"], one["mood"], one["group"]) for one in found] == [row[:3] for row in TABLE]
    for (key, _, _, _), one in zip(TABLE, found, strict=True):
        assert f"state.{key}" in page_texts(page)
        assert one["sign"] in {"good", "bad", "warn", "wait", "off", "ended"}


def page_texts(page: Page) -> dict[str, str]:
    url = "new URL('texts/en.json', document.querySelector('script[type=module]').src)"
    texts: dict[str, str] = page.evaluate(f"fetch({url}).then((answer) => answer.json())")
    return texts


def test_the_service_computes_the_same_groups(page: Page) -> None:
    for _, _, group, values in TABLE:
        link = make_link("grand", **values)
        has_failed = link["down_since"] is not None and link["retry"]["attempt"] > 0
        state = (link["state"], link["intent"], link["in_sync"], link["cause"]["code"])
        assert group_of(*state, has_failed, link["attention"]) == group, values


def test_page_and_service_agree_on_every_combination(page: Page) -> None:
    links, expected = [], []
    for state in get_args(Marker):
        for intent in get_args(Intent):
            for in_sync in (False, True):
                for code in ("started", "pms_ended", "in_use", "lost"):
                    for attempt in (0, 1):
                        attention = 0 if in_sync else 4
                        links.append(
                            {
                                **down(state, code, attempt),
                                "intent": intent,
                                "in_sync": in_sync,
                                "attention": attention,
                            }
                        )
                        expected.append(group_of(state, intent, in_sync, code, attempt > 0, attention))  # type: ignore[arg-type]
    assert [one["group"] for one in evaluate(page, *links)] == expected


def test_a_link_that_needs_a_look_says_why_and_what_to_do(page: Page) -> None:
    looks = [
        (key, link) for key, mood, _, link in TABLE if mood in ("bad", "wait") and key != "disconnecting"
    ]
    looks = [(key, link) for key, link in looks if key not in ("connecting", "check")]
    for (key, link), one in zip(looks, evaluate(page, *(link for _, link in looks)), strict=True):
        assert one["why"].endswith((".", "?")), key
        assert one["remedy"].endswith("."), (key, link)
        assert "The service started" not in one["why"]
        assert "started the link" not in one["why"]


def test_each_cause_has_a_sentence_and_what_fails_has_an_action(page: Page) -> None:
    params = {"detail": "Connection refused", "seconds": 12.5, "link": "city", "caller": "192.0.2.7"}
    params |= {"declared": "GC", "bytes": 41, "seen": "LS|DA261130|", "port": 5010}
    variants = {key.removeprefix("reason.") for key in ENGLISH_TEXTS if key.startswith("reason.")}
    controls = {"enable", "disable", "expire", "disconnect"}
    variants -= {"record", "not_expired"} | controls | {f"{control}_by" for control in controls}
    links = [down("EXPECTION", "lost", 1, cause=cause("lost", variant=one, **params)) for one in variants]
    for variant, one in zip(variants, evaluate(page, *links), strict=True):
        assert re.fullmatch(r"[^{}]+[.?]", one["why"]), (variant, one)
        if variant not in ("replaced", "settings", "settings_by", "started", "expired"):
            assert re.fullmatch(r"[^{}]+\.", one["remedy"]), (variant, one)
            assert not re.search(r"\b(host|framing|tls|sync_on|expires_at|records) =", one["remedy"])
    assert set(get_args(CauseCode)) - {"user"} <= variants


@pytest.mark.parametrize("state", ["WAIT_LS", "ESTABLISHED", "CLOSED", "EXPECTION"])
def test_an_outage_is_told_by_its_last_failure_until_it_ends(page: Page, state: str) -> None:
    failure = cause("never_confirmed", seconds=10, value="any")
    (one,) = evaluate(page, down(state, "started", 3, failure=failure))
    assert one["why"] == "The PMS does not confirm the link description (LA)."
    assert one["remedy"] == "In the settings, set “Begin to send after” to “any record”."


@pytest.mark.parametrize(
    ("detail", "why"),
    [
        ("Connection refused", "192.0.2.1:5010 refuses the connection."),
        ("No route to host", "192.0.2.1:5010 cannot be reached: No route to host."),
    ],
)
def test_a_refusal_is_told_once(page: Page, detail: str, why: str) -> None:
    (one,) = evaluate(page, down("EXPECTION", "refused", 1, cause=cause("refused", detail=detail)))
    assert one["why"] == why


@pytest.mark.parametrize(("value", "choice"), [("any", "any record"), ("declared", "our description")])
def test_a_hint_names_one_choice(page: Page, value: str, choice: str) -> None:
    hint = {"code": "sync_on", "params": {"setting": "sync_on", "value": value}}
    (one,) = evaluate(page, down("EXPECTION", "never_confirmed", 1, hints=[hint]))
    assert one["remedy"] == f"In the settings, set “Begin to send after” to “{choice}”."


def test_a_cause_of_the_future_is_told_in_the_words_of_the_service(page: Page) -> None:
    link = down("EXPECTION", "refused", 1, cause=cause("refused", variant="by_the_moon"), reason="The moon.")
    (one,) = evaluate(page, link)
    assert one["why"] == "The moon."


def test_each_hint_says_what_it_is_and_what_to_do(page: Page) -> None:
    links = [{"attention": 2, "hints": [{"code": code, "params": params}]} for code, params, _ in HINTS]
    for (code, _, _), one in zip(HINTS, evaluate(page, *links), strict=True):
        assert one["key"] == "check"
        assert re.fullmatch(r"[^{}]+\.", one["why"]), (code, one)
        assert re.fullmatch(r"[^{}]+\.", one["remedy"]), (code, one)


def test_the_worst_finding_is_said_first(page: Page) -> None:
    everything = {
        "attention": 3,
        "failed_wake_ups": FAILED_WAKE_UP,
        "outbox": DOUBT,
        "held": HELD_LONG,
        "outages": THREE_OUTAGES,
        "not_understood": {"records": 1, "bytes": 20, "last_at": ago(minutes=1), "last": "GI: RN is missing"},
        "hints": [{"code": "alive_by", "params": {"setting": "alive_by", "value": "LA"}}],
    }
    (one,) = evaluate(page, everything)
    assert one["findings"] == ["wake_up", "doubt", "held", "unstable", "not_understood", "alive_by"]
    assert re.fullmatch(r"A wake-up failed: room 214, \d\d:\d\d\.", one["why"])


@pytest.mark.parametrize(
    ("link", "why"),
    [
        (
            {"attention": 3, "outbox": DOUBT},
            r"The result of 1 charge is unknown: .+ The PMS refused 2 charges\.",
        ),
        ({"attention": 3, "outbox": {**DOUBT, "refused": 0}}, r"The result of 1 charge is unknown: .+ it\."),
        ({"attention": 3, "outbox": {**DOUBT, "unknown": 0, "refused": 1}}, r"The PMS refused 1 charge\."),
        (
            {"attention": 2, "not_understood": {**NOT_UNDERSTOOD, "records": 0, "bytes": 1}},
            r"The PMS sent 1 byte that is no FIAS record; it was skipped \(\d\d:\d\d\)\.",
        ),
        (
            {"attention": 2, "not_understood": {**NOT_UNDERSTOOD, "records": 0, "bytes": 20_002}},
            r"The PMS sent 20,002 bytes that are no FIAS records; they were skipped \(last \d\d:\d\d\)\.",
        ),
        ({"held": NIGHT_AUDIT}, r"Night audit since \d\d:\d\d: charges wait, nothing is lost\."),
        ({"held": {**NIGHT_AUDIT, "by": "sync"}}, r"Waits a few seconds .+"),
        ({"held": {**NIGHT_AUDIT, "by": "sync", "waiting": 0}}, r""),
        ({"held": {**NIGHT_AUDIT, "by": "resync"}}, r"Waits for the end of the resync\."),
        (
            {"held": {**NIGHT_AUDIT, "by": "local"}},
            r"Waits until the stay that was made by hand is confirmed\.",
        ),
        (
            {"held": {**NIGHT_AUDIT, "by": "unanswered", "until": ago(minutes=-2)}},
            r"The PMS does not answer charges: the next one goes out at \d\d:\d\d\.",
        ),
        ({"by_hand": {"open": 3, "differ": 2}}, r"2 changes by hand differ from what the PMS says\."),
        (
            {"attention": 2, "outages": THREE_OUTAGES},
            r"3 outages in the last hour, the last one 2 s: no answer .+",
        ),
        (
            off("DISABLED", cause=cause("user", control="disable", by="front-desk"), since=ago(minutes=5)),
            r"Switched off by front-desk, .+",
        ),
        (off("DISABLED", cause=cause("user", control="disable")), r"Switched off by a user, .+"),
        (
            down("EXPECTION", "lost", cause=cause("lost", detail="the PMS closed it")),
            r".+: the PMS closed it\.",
        ),
    ],
)
def test_sentences(page: Page, link: dict[str, Any], why: str) -> None:
    (one,) = evaluate(page, link)
    assert re.fullmatch(why, one["why"]), one["why"]
