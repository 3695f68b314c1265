"""`pmslink status`: the table of links."""

from __future__ import annotations

import re

from tests.cli.fake_service import FakeService, Run, make_link


def test_status_shows_the_link_with_the_highest_attention_first(run: Run, service: FakeService) -> None:
    service.links = [
        make_link("fine", "ESTABLISHED", in_sync=True, attention=0),
        make_link("off", "DISABLED", attention=1),
        make_link("doubtful", "ESTABLISHED", in_sync=True, attention=3),
        make_link("new", "ESTABLISHED"),
        make_link("short", "EXPECTION", down_since="2026-01-02T00:00:00.000Z"),
        make_link("long", "EXPECTION", down_since="2026-01-01T00:00:00.000Z", advice="Ask the hotel."),
        make_link("dialling", "WAIT_LS"),
        make_link("later", "A_MARKER_OF_THE_FUTURE"),
    ]
    lines = run("status", "--url", service.url)
    assert [line.split()[0] for line in lines if line[0] != " "] == [
        *("LINK", "long", "short", "dialling", "later", "new", "doubtful", "off", "fine"),
    ]
    assert re.split("  +", lines[0]) == ["LINK", "STATE", "IN SYNC", "SINCE", "REASON"]
    assert re.split("  +", lines[1]) == [
        *("long", "EXPECTION", "label of EXPECTION", "no", "down since 2026-01-01 01:00:00+01:00"),
        "The PMS ended the link",
    ]
    assert lines[2] == "    Ask the hotel."
    assert re.split("  +", lines[-1])[3:] == ["yes", "2026-01-02 04:04:05+01:00", "The PMS ended the link"]
    assert len({line.index("The PMS ended the link") for line in lines if "The PMS" in line}) == 1


def test_status_shows_the_links_of_a_service_that_does_not_rate_them(run: Run, service: FakeService) -> None:
    service.links = [
        make_link("fine", "ESTABLISHED", in_sync=True),
        make_link("down", "EXPECTION", down_since="2026-01-02T00:00:00.000Z"),
    ]
    for link in service.links:
        del link["attention"]
    lines = run("status", "--url", service.url)
    assert [line.split()[0] for line in lines] == ["LINK", "down", "fine"]


def test_status_shows_what_is_held_and_what_would_help(run: Run, service: FakeService) -> None:
    at = "2026-01-02T03:04:05.678Z"
    service.links = [
        make_link(
            "down",
            "EXPECTION",
            advice="Redialling in 4 s.",
            hints=[{"code": "sync_on", "params": {"setting": "sync_on", "value": "declared"}}],
            outages={"last_hour": 3, "last_at": at, "last_seconds": 2.0, "last_cause": "no_answer"},
            not_understood={"records": 2, "bytes": 0, "last_at": at, "last": "GI: RN (room) is missing"},
            clock_offset=7200.0,
        ),
        make_link(
            "held",
            "ESTABLISHED",
            in_sync=True,
            attention=3,
            advice="Night audit since 04:04: postings wait, nothing is lost (2).",
            held={"by": "night_audit", "since": at, "until": None, "waiting": 2},
            outbox={"pending": 2, "unknown": 1, "refused": 0, "oldest": at},
            hints=[],
            clock_offset=1.0,
            by_hand={"open": 3, "differ": 2},
        ),
    ]
    lines = run("status", "--url", service.url)
    assert [line.strip() for line in lines if line[0] == " "] == [
        "Redialling in 4 s.",
        "clock: the PMS is 2 h ahead of the hotel's local time",
        "hint: The PMS never confirmed the link description (LA) — sync_on = declared would help",
        "outages: 3 in the last hour, last 2026-01-02 04:04:05+01:00: no answer to the link check",
        "not understood: 2 records, 0 bytes; last 2026-01-02 04:04:05+01:00: GI: RN (room) is missing",
        "Night audit since 04:04: postings wait, nothing is lost (2).",
        "held: night audit since 2026-01-02 04:04:05+01:00, 2 waiting",
        "postings: 1 in doubt, 0 refused",
        "by hand: 3 changes, 2 of them differ from the PMS",
    ]


def test_status_shows_the_links_of_all_pages(run: Run, service: FakeService) -> None:
    service.links = [make_link(f"hotel-{number}", "ESTABLISHED") for number in range(5)]
    service.links_per_page = 2
    lines = run("status", "--url", service.url)
    assert [line.split()[0] for line in lines] == ["LINK", *(f"hotel-{number}" for number in range(5))]
    assert service.requested_paths == [f"/api/v1/links{query}" for query in ("", "?after=2", "?after=4")]
