"""Tests of the rules of pop-ups, as the browser runs them: a table of what happens, and what pops up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.page.browser import open_page
from tests.page.canned_service import make_down_link, make_link, start_canned_service

T0 = "2026-11-20T07:00:00.000Z"
T0_MS = 1_795_158_000_000
NEXT_OUTAGE = "2026-11-20T07:10:00.000Z"
RUN = """async ([steps, mode, known, knowsAll]) => {
  const main = document.querySelector("script[type=module]").src;
  const { PopUpRules } = await import(new URL("core/pop_up_rules.js", main));
  const isFromBefore = ({ isFromBefore = true }) => isFromBefore;
  const rules = new PopUpRules((name) => name === "muted", () => knowsAll, isFromBefore);
  rules.mode = mode;
  rules.know(known);
  let last = 0;
  return steps.map(([action, ...details]) => {
    rules[action](...details);
    const shown = rules.shown;
    const isNew = (shown?.number ?? 0) > last;
    last = Math.max(last, shown?.number ?? 0);
    const link = shown?.link?.name ?? shown?.notice?.link;
    if (!shown) return "none";
    return `${isNew ? "new " : ""}${shown.kind} ${link} ${shown.from ?? ""}>${shown.to ?? ""}`;
  });
}"""
"""Runs the steps, and returns what is shown after each."""


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    with start_canned_service() as service, open_page(browser, service.url) as user:
        yield user.page


def change(link: dict[str, Any], old: str, new: str, seconds: int = 0, is_own: bool = False) -> list[Any]:
    """Return the step of a link whose marker changes, so many seconds after `T0`."""
    return ["onLink", {**link, "state": new}, {"from": old, "to": new}, T0_MS + 1000 * seconds, is_own]


def refresh(link: dict[str, Any]) -> list[Any]:
    return ["onLink", link, None, T0_MS, False]


def down(name: str = "seaside", since: str = T0) -> dict[str, Any]:
    return make_down_link(name, down_since=since, retry={"attempt": 1, "next_at": None})


def off(name: str = "seaside") -> dict[str, Any]:
    cause = {"code": "user", "params": {"control": "disable"}}
    values = {"intent": "disabled", "group": "off", "in_sync": False, "attention": 1, "cause": cause}
    return make_link(name, state="DISABLED", **values)


def notice(state: str = "open", kind: str = "decision", link: str = "grand") -> dict[str, Any]:
    return {"id": 7, "kind": kind, "link": link, "subject": T0 if kind == "down" else "", "state": state}


FAIL = change(down(), "ESTABLISHED", "EXPECTION")
REDIAL = change(down(), "EXPECTION", "WAIT_LS", 5)
FAIL_AGAIN = change(down(), "WAIT_LS", "EXPECTION", 10)
CLOSE = ["closeAll", T0_MS + 6000]
BACK = [change(down(), "WAIT_LS", "ESTABLISHED", 20), refresh(make_link("seaside"))]

CASES: dict[str, tuple[list[list[Any]], list[str]]] = {
    "an outage is one, changed in place, and its end another": (
        [FAIL, REDIAL, FAIL_AGAIN, *BACK],
        [
            "new down seaside ESTABLISHED>EXPECTION",
            "down seaside EXPECTION>WAIT_LS",
            "down seaside WAIT_LS>EXPECTION",
            "down seaside WAIT_LS>ESTABLISHED",
            "new back seaside >",
        ],
    ),
    "a closed one stays closed until the end": (
        [FAIL, CLOSE, REDIAL, FAIL_AGAIN, *BACK],
        ["new down seaside ESTABLISHED>EXPECTION", *["none"] * 4, "new back seaside >"],
    ),
    "the next outage pops up again": (
        [FAIL, CLOSE, *BACK, CLOSE, change(down(since=NEXT_OUTAGE), "ESTABLISHED", "EXPECTION", 600)],
        [
            *("new down seaside ESTABLISHED>EXPECTION", "none", "none", "new back seaside >", "none"),
            "new down seaside ESTABLISHED>EXPECTION",
        ],
    ),
    "a change that is no transition begins none": ([refresh(down()), FAIL_AGAIN], ["none", "none"]),
    "a link that is switched off in its outage": (
        [FAIL, change(off(), "EXPECTION", "DISABLED", 30)],
        ["new down seaside ESTABLISHED>EXPECTION", "new change seaside EXPECTION>DISABLED"],
    ),
    "a change by a person is one for its steps": (
        [
            change({**make_link("grand"), "cause": off()["cause"]}, "CLOSED", "WAIT_LS"),
            change({**make_link("grand"), "cause": off()["cause"]}, "WAIT_LS", "ESTABLISHED", 1),
        ],
        ["new change grand CLOSED>WAIT_LS", "change grand WAIT_LS>ESTABLISHED"],
    ),
    "a change that this page asked for": (
        [change(off(), "ESTABLISHED", "DISABLED", 0, is_own=True)],
        ["none"],
    ),
    "a change by nobody": ([change(make_link("grand"), "WAIT_LS", "ESTABLISHED")], ["none"]),
    "a muted link": ([change(down("muted"), "ESTABLISHED", "EXPECTION")], ["none"]),
    "a notice pops up once, and leaves when it is acknowledged": (
        [
            *(
                ["onNotice", notice(), True],
                ["onNotice", notice(), False],
                CLOSE,
                ["onNotice", notice(), False],
            ),
            *(["onNotice", {**notice(), "id": 8}, True], ["onNotice", {**notice("over"), "id": 8}, False]),
        ],
        ["new notice grand >", "notice grand >", "none", "none", "new notice grand >", "none"],
    ),
    "an acknowledged outage leaves, and is closed": (
        [FAIL, ["onNotice", notice("acknowledged", "down", "seaside"), True], FAIL_AGAIN],
        ["new down seaside ESTABLISHED>EXPECTION", "none", "none"],
    ),
    "of several the newest is shown": (
        [FAIL, change(down("city"), "ESTABLISHED", "EXPECTION"), FAIL_AGAIN, ["mute", "city"]],
        [
            "new down seaside ESTABLISHED>EXPECTION",
            "new down city ESTABLISHED>EXPECTION",
            "down city ESTABLISHED>EXPECTION",
            "down seaside WAIT_LS>EXPECTION",
        ],
    ),
    "closing the one that is shown brings the one before it, and it stays closed": (
        [
            FAIL,
            change(down("city"), "ESTABLISHED", "EXPECTION"),
            ["close", T0_MS],
            REDIAL,
            ["close", T0_MS],
            FAIL_AGAIN,
        ],
        [
            "new down seaside ESTABLISHED>EXPECTION",
            "new down city ESTABLISHED>EXPECTION",
            "down seaside ESTABLISHED>EXPECTION",
            "down seaside EXPECTION>WAIT_LS",
            *("none", "none"),
        ],
    ),
    "an outage that ended while nothing was received leaves": (
        [FAIL, ["know", [notice("open", "down", "seaside")]], ["know", []], refresh(make_link("seaside"))],
        [*("new down seaside ESTABLISHED>EXPECTION", "down seaside ESTABLISHED>EXPECTION"), *["none"] * 2],
    ),
    "a notice that was over while nothing was received leaves": (
        [["onNotice", notice(), True], ["know", [notice()]], ["know", []]],
        ["new notice grand >", "notice grand >", "none"],
    ),
}


@pytest.mark.parametrize(("steps", "shown"), CASES.values(), ids=CASES)
def test_once_per_outage(page: Page, steps: list[list[Any]], shown: list[str]) -> None:
    assert page.evaluate(RUN, [steps, "outage", [], True]) == shown


def test_an_outage_from_before_the_page_pops_up_at_its_end_only(page: Page) -> None:
    known = [notice("open", "down", "seaside")]
    assert page.evaluate(RUN, [[FAIL_AGAIN, *BACK], "outage", known, True]) == [
        *("none", "none", "new back seaside >")
    ]
    # with too many notices to load all, an old outage is recognized by its age
    late = change(down(), "WAIT_LS", "EXPECTION", 121)
    assert page.evaluate(RUN, [[late], "outage", [], False]) == ["none"]
    assert page.evaluate(RUN, [[FAIL_AGAIN], "outage", [], False]) == ["new down seaside WAIT_LS>EXPECTION"]


def test_an_outage_that_is_loaded_before_its_event_pops_up(page: Page) -> None:
    known = [{**notice("open", "down", "seaside"), "isFromBefore": False}]
    assert page.evaluate(RUN, [[FAIL, REDIAL], "outage", known, True]) == [
        *("new down seaside ESTABLISHED>EXPECTION", "down seaside EXPECTION>WAIT_LS")
    ]


def test_at_each_change_of_state_every_change_of_the_marker_pops_up(page: Page) -> None:
    steps = [
        FAIL,
        CLOSE,
        REDIAL,
        FAIL_AGAIN,
        *BACK,
        change(off(), "ESTABLISHED", "DISABLED", 40, is_own=True),
    ]
    assert page.evaluate(RUN, [steps, "marker", [], True]) == [
        *("new change seaside ESTABLISHED>EXPECTION", "none"),
        *("new change seaside EXPECTION>WAIT_LS", "new change seaside WAIT_LS>EXPECTION"),
        *("new change seaside WAIT_LS>ESTABLISHED", "change seaside WAIT_LS>ESTABLISHED"),
        "new change seaside ESTABLISHED>DISABLED",
    ]


def test_never_is_never(page: Page) -> None:
    steps = [FAIL, REDIAL, *BACK, ["onNotice", notice(), True]]
    assert page.evaluate(RUN, [steps, "none", [], True]) == ["none"] * len(steps)
