"""Tests that `link/reason_texts.py` and `link_model.js` make the same texts from a cause."""

from __future__ import annotations

from itertools import product
from typing import Any, get_args

from playwright.sync_api import Page, expect

from pmslink.link import reason_texts
from pmslink.link.cause import Cause, CauseCode
from pmslink.link.machine import Intent, Marker
from tests.link.test_reason_texts import HINTS
from tests.page.browser import BrowserUser

HOST, PORT = "2001:db8::5", 5010
ADDRESS = f"[{HOST}]:{PORT}"
CONTROLS = ("enable", "disable", "expire", "disconnect")
FALLBACK = "the page has no text of its own"
"""The text of the service, which the page shows for an unknown cause."""

MAKE_TEXTS = """
async (cases) => {
  const { address, advice, reason } = await import("/page/link_model.js");
  const { now } = await import("/page/clock.js");
  const { t } = await import("/page/translations.js");
  return cases.map(({ redial_in, fallback, ...link }) => {
    const next_at = redial_in === null ? null : new Date(now() + redial_in * 1000).toISOString();
    const why = reason(link.state, link.cause, fallback, address(link));
    return [t(`label.${link.state}`), why, advice({ ...link, retry: { next_at } })];
  });
}
"""


def _causes() -> list[Cause]:
    params: dict[str, str | float] = {"seconds": 12.5, "detail": "the PMS closed it", "record": "LS"}
    causes = [Cause(code) for code in get_args(CauseCode) if code != "user"]
    causes += [Cause(code, {**params, "seconds": 30.0}) for code in get_args(CauseCode) if code != "user"]
    causes += [Cause(code, {"seconds": 12.5}) for code in get_args(CauseCode) if code != "user"]
    return [*causes, *(Cause("user", {"control": control}) for control in CONTROLS)]


def _make_texts(page: Page, cases: list[dict[str, Any]]) -> list[list[str]]:
    expect(page.locator(".row")).to_have_count(1)  # the page has loaded its texts
    texts: list[list[str]] = page.evaluate(MAKE_TEXTS, cases)
    return texts


def test_the_page_and_the_service_make_the_same_texts(user: BrowserUser) -> None:
    cases, expected = [], []
    for marker, cause, intent, in_sync, redial_in in product(
        get_args(Marker), _causes(), get_args(Intent), (False, True), (None, 0, 0.3, 12.7)
    ):
        cases.append(
            {
                "state": marker,
                "intent": intent,
                "in_sync": in_sync,
                "host": HOST,
                "port": PORT,
                "cause": {"code": cause.code, "params": dict(cause.params)},
                "redial_in": redial_in,
                "fallback": FALLBACK,
            }
        )
        is_active = intent == "enabled" or marker == "WAIT_LE"
        expected.append(
            [
                reason_texts.label(marker),
                reason_texts.reason(marker, cause, ADDRESS),
                reason_texts.advice(marker, cause, is_active, in_sync, redial_in),
            ]
        )
    texts = _make_texts(user.page, cases)
    differing = [
        (case, by_page, by_service)
        for case, by_page, by_service in zip(cases, texts, expected, strict=True)
        if by_page != by_service
    ]
    assert not differing, (len(differing), differing[:5])
    assert len(cases) > 5000


def test_the_page_shows_the_text_of_the_service_for_an_unknown_cause(user: BrowserUser) -> None:
    case = {
        "state": "EXPECTION",
        "intent": "enabled",
        "in_sync": False,
        "host": HOST,
        "port": PORT,
        "cause": {"code": "of_the_future", "params": {}},
        "redial_in": None,
        "fallback": FALLBACK,
    }
    assert _make_texts(user.page, [case]) == [[reason_texts.label("EXPECTION"), FALLBACK, ""]]


MAKE_HINT_TEXTS = """
async (hints) => {
  const { hintText, suggestionText } = await import("/page/hints.js");
  return hints.map((hint) => [hintText(hint), suggestionText(hint)].filter(Boolean).join(" — "));
}
"""


def test_the_page_and_the_service_make_the_same_texts_of_hints(user: BrowserUser) -> None:
    cases: list[dict[str, Any]] = [{"code": code, "params": params} for code, params, _ in HINTS]
    cases += [{"code": "clock", "params": {"seconds": seconds}} for seconds in (59.6, 3599.6, 90061, -86460)]
    expect(user.page.locator(".row")).to_have_count(1)  # the page has loaded its texts
    expected = [reason_texts.hint_text(case["code"], case["params"]) for case in cases]
    assert user.page.evaluate(MAKE_HINT_TEXTS, cases) == expected
