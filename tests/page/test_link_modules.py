"""Tests of the page's modules about one link that need no view: steps, phases, records, problems."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from pmslink.fias.record import Record
from pmslink.hotel.record_problems import find_record_problem
from tests.page.browser import open_page
from tests.page.canned_service import ago, make_down_link, make_link, start_canned_service


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """Open a page of a service without links, whose modules a test can import."""
    with start_canned_service() as service, open_page(browser, service.url) as user:
        load_texts(user.page)
        yield user.page


def load_texts(page: Page) -> None:
    """Wait until the page is there, and load the texts of the views of a link."""
    page.get_by_role("heading", level=1).wait_for()
    call(page, "core/texts.js", "loadLinkTexts")


def call(page: Page, module: str, function: str, *arguments: Any) -> Any:
    """Call a function of a module of the page."""
    return page.evaluate(
        """async ([module, name, values]) => {
          const main = document.querySelector('script[type=module]').src;
          return (await import(new URL(module, main)))[name](...values);
        }""",
        [module, function, list(arguments)],
    )


# Steps.

DONE, FAILED, WAITING, AHEAD = "done", "failed", "waiting", "ahead"


def steps_of(page: Page, link: dict[str, Any]) -> list[str]:
    return [step["state"] for step in call(page, "core/link_steps.js", "linkSteps", link)]


def down(code: str, **params: Any) -> dict[str, Any]:
    return make_down_link("grand", cause={"code": code, "params": params}, last_in_sync=ago(minutes=6))


STEP_CASES = [
    (down("unresolved"), [FAILED, AHEAD, AHEAD, AHEAD, AHEAD]),
    (down("refused", detail="Connection refused"), [DONE, FAILED, AHEAD, AHEAD, AHEAD]),
    (down("dial_timeout"), [DONE, FAILED, AHEAD, AHEAD, AHEAD]),
    (down("port_taken", port=5010), [DONE, FAILED, AHEAD, AHEAD, AHEAD]),
    (down("start_timeout", seconds=30), [DONE, DONE, FAILED, AHEAD, AHEAD]),
    (down("overlong"), [DONE, DONE, FAILED, AHEAD, AHEAD]),
    (down("start_timeout", variant="no_handshake", seconds=30), [DONE, FAILED, AHEAD, AHEAD, AHEAD]),
    (down("lost", variant="lost_start"), [DONE, DONE, FAILED, AHEAD, AHEAD]),
    (down("lost", variant="lost_record", declared="GI"), [DONE, DONE, DONE, FAILED, AHEAD]),
    (down("never_confirmed"), [DONE, DONE, DONE, DONE, FAILED]),
    (down("lost", detail="the PMS closed it"), [DONE, DONE, DONE, DONE, DONE, FAILED]),
    (down("no_answer", seconds=3), [DONE, DONE, DONE, DONE, DONE, FAILED]),
    (down("displaced"), [DONE, DONE, DONE, DONE, DONE, FAILED]),
    (down("pms_ended"), [DONE, DONE, DONE, DONE, DONE, FAILED]),
    (make_down_link("grand", state="ESTABLISHED"), [DONE, DONE, DONE, DONE, WAITING]),
    (
        make_link(
            "grand", state="WAIT_LS", in_sync=False, attention=4, cause={"code": "started", "params": {}}
        ),
        [WAITING, AHEAD, AHEAD, AHEAD, AHEAD],
    ),
    (make_link("grand"), [DONE] * 5),
    (make_link("grand", state="DISABLED", intent="disabled", in_sync=False, attention=1), []),
]


@pytest.mark.parametrize(("link", "states"), STEP_CASES)
def test_the_step_at_which_a_link_stops(page: Page, link: dict[str, Any], states: list[str]) -> None:
    assert steps_of(page, link) == states


def test_a_redial_within_an_outage_stops_at_the_same_step(page: Page) -> None:
    link = down("refused", detail="Connection refused") | {"state": "WAIT_LS"}
    assert steps_of(page, link) == [DONE, FAILED, AHEAD, AHEAD, AHEAD]


# Phases.


def phase(kind: str, since: int, until: int) -> dict[str, Any]:
    return {
        "kind": kind,
        "since": f"2026-11-30T10:{since:02}:00.000Z",
        "until": f"2026-11-30T10:{until:02}:00.000Z",
    }


def milliseconds(page: Page, minute: int) -> float:
    value: float = page.evaluate(f"Date.parse('2026-11-30T10:{minute:02}:00Z')")
    return value


def test_numbers_count_what_is_known(page: Page) -> None:
    phases = [
        phase("unknown", 0, 20),
        phase("in_sync", 20, 35),
        phase("unknown", 35, 40),
        phase("down", 40, 45),
    ]
    known = call(page, "core/phases.js", "knownPhases", phases)
    assert [one["kind"] for one in known] == ["in_sync", "unknown", "down"]
    assert call(page, "core/phases.js", "summarize", known) == {
        "share": 0.75,
        "known": 1200,
        "outages": 1,
        "longest": 300,
    }
    assert call(page, "core/phases.js", "summarize", [])["share"] is None


def test_a_short_outage_is_drawn_wide_enough_to_be_seen_and_within_the_strip(page: Page) -> None:
    phases = [phase("in_sync", 0, 59)]
    phases.append({**phase("down", 59, 59), "until": "2026-11-30T10:59:01.000Z"})
    begin, end = milliseconds(page, 0), milliseconds(page, 59) + 1000
    bars = call(page, "core/phases.js", "phaseBars", phases, begin, end, 800, 2)
    assert [bar["kind"] for bar in bars] == ["in_sync", "down"]  # the outage is drawn over the rest
    assert bars[1]["width"] == 2
    assert bars[1]["x"] + bars[1]["width"] <= 800


def test_outages_that_touch_on_the_strip_are_one_bar(page: Page) -> None:
    phases = []
    for second in range(0, 3000, 2):
        minute, rest = divmod(second, 60)
        at = [f"2026-11-30T10:{minute:02}:{rest + offset:02}.000Z" for offset in (0, 1)]
        phases += [
            {"kind": "down", "since": at[0], "until": at[1]},
            {"kind": "in_sync", "since": at[1], "until": at[1]},
        ]
    bars = call(
        page, "core/phases.js", "phaseBars", phases, milliseconds(page, 0), milliseconds(page, 50), 800, 2
    )
    assert sum(bar["kind"] == "down" for bar in bars) == 1


def test_a_part_of_the_time_is_cut_out_of_the_phases(page: Page) -> None:
    phases = [phase("in_sync", 0, 20), phase("down", 20, 30), phase("in_sync", 30, 50)]
    cut = call(
        page, "core/phases.js", "phasesBetween", phases, milliseconds(page, 25), milliseconds(page, 40)
    )
    assert cut == [phase("down", 25, 30), phase("in_sync", 30, 40)]


# Events of the history.


def test_what_people_did_stands_among_the_phases(page: Page) -> None:
    phases = [phase("in_sync", 0, 20), phase("off", 20, 30)]
    audit = [
        {"id": 4, "at": "2026-11-30T10:20:00.000Z", "action": "link.disable", "result": "done"},
        {"id": 3, "at": "2026-11-30T10:15:00.000Z", "action": "link.disconnect", "result": "not_applicable"},
        {"id": 2, "at": "2026-11-30T10:10:00.000Z", "action": "link.change", "result": "done"},
        {"id": 1, "at": "2026-11-30T09:10:00.000Z", "action": "link.change", "result": "done"},
    ]
    events = call(page, "core/history_events.js", "historyEvents", phases, audit)
    assert [event["key"] for event in events] == [
        "phase 2026-11-30T10:20:00.000Z",
        "audit 3",
        "audit 2",
        "first",
    ]
    assert [event.get("isOngoing") for event in events] == [True, None, None, False]


# Records.


def test_newer_records_are_added_on_top_without_repeats(page: Page) -> None:
    def merged(known: list[int], newer: list[int], limit: int = 10) -> list[int]:
        records = [[{"id": id} for id in ids] for ids in (known, newer)]
        return [one["id"] for one in call(page, "core/records.js", "mergeRecords", *records, limit)]

    assert merged([], [3, 2, 1]) == [3, 2, 1]
    assert merged([3, 2, 1], [4, 3, 2]) == [4, 3, 2, 1]
    assert merged([3, 2, 1], [4, 3], limit=3) == [4, 3, 2]
    assert merged([3, 2, 1], [9, 8]) == [9, 8]  # there may be records in between
    assert merged([3, 2, 1], []) == []


def test_bytes_are_shown_only_where_they_are_certain(page: Page) -> None:
    assert call(page, "core/records.js", "hexOf", "LS|\r\n") == "4c 53 7c 0d 0a"
    assert call(page, "core/records.js", "hexOf", "x" * 100) == " ".join(["78"] * 64)
    assert call(page, "core/records.js", "hexOf", "GNMüller|") is None


CATALOGUE = {
    "records": ["GI", "PA"],
    "fields": ["RN", "GN", "CT"],
    "personal": ["GN", "CT"],
    "answers": ["PA"],
}


def line_of(page: Page, is_masked: bool, **record: Any) -> str:
    whole = {"at": "2026-11-30T10:00:00.000Z", "direction": "in", "problem": None, **record}
    line: str = call(page, "core/records.js", "recordLine", whole, is_masked, CATALOGUE)
    return line


def test_a_saved_record_hides_what_the_view_hides(page: Page) -> None:
    guest = {
        "type": "GI",
        "text": "GI|RN101|GNClark|XXmaybe|",
        "fields": [["RN", "101"], ["GN", "Clark"], ["XX", "maybe"]],
    }
    assert line_of(page, True, **guest) == "2026-11-30T10:00:00.000Z < GI|RN101|GN•••|XX•••|"
    assert line_of(page, False, **guest) == "2026-11-30T10:00:00.000Z < GI|RN101|GNClark|XXmaybe|"
    answer = {"type": "PA", "text": "PA|CTclosed|", "fields": [["CT", "closed"]]}
    assert line_of(page, True, **answer).endswith("PA|CTclosed|")
    unknown = {
        "type": "XZ",
        "text": "XZ|GNClark|",
        "fields": [["GN", "Clark"]],
        "problem": "unknown record id XZ",
    }
    assert line_of(page, True, **unknown).endswith("< •••  # unknown record id XZ")


PROBLEMS = [
    find_record_problem(Record(text))
    for text in (
        "XZ|RN101|",
        "�|",
        "GI|G#1|",
        f"GI|RN{'1' * 60}|",
        "GI|RN101|GAnever|",
        "GI|RN101|CSx|",
        "RE|RN101|DNx|RSxx|",
        "WR|RN101|",
        "WR|RN101|TI99|DA261340|",
        "PA|P#x|",
    )
] + [
    "our own record, sent back",
    "the hotel has 10000 rooms already",
    "the hotel has 50000 guests already",
    "the room has 50 guests already",
]


def test_each_problem_of_a_record_has_words_in_the_language_of_the_reader(browser: Browser) -> None:
    assert all(PROBLEMS)
    with start_canned_service() as service, open_page(browser, service.url, locale="zh-CN") as user:
        load_texts(user.page)
        for problem in PROBLEMS:
            text = call(user.page, "core/record_problems.js", "problemText", problem)
            assert any("\u4e00" <= character <= "\u9fff" for character in text), (problem, text)
            assert "{" not in text, text


def test_a_problem_without_words_is_told_in_those_of_the_service(page: Page) -> None:
    assert call(page, "core/record_problems.js", "problemText", "of the future; XX (x) is missing") == (
        "of the future; XX is missing"
    )
