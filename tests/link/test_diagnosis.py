"""What a link says about a PMS that speaks FIAS a little differently, or not at all: cases D3 to D16."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.logger import LogLevel, capturedLogs

from pmslink.link import reason_texts
from pmslink.link.link import Link
from pmslink.link.link_hints import Hint, HintCode
from pmslink.store.tables.outbox_rows import UnresolvedRow
from pmslink.timestamps import to_ms
from tests.link.link_harness import LinkHarness


def hint(link: Link, code: HintCode) -> Hint | None:
    return link.diagnosis.hints.get(code)


def hint_codes(harness: LinkHarness) -> list[str]:
    return [one.code for one in harness.link.status().hints]


def write(harness: LinkHarness, data: bytes) -> None:
    harness.newest.transport.write(data)  # type: ignore[union-attr]
    harness.run()


# D3


def test_d3_lines_on_a_link_with_stx_and_etx() -> None:
    harness = LinkHarness()
    harness.link.start()
    harness.run()
    write(harness, b"LS|DA261130|TI000000|\r\n")
    harness.run(1)
    status = harness.link.status()
    assert status.marker == "WAIT_LS"
    assert "23 bytes came, no STX … ETX: LS|DA261130|TI000000|" in status.reason
    assert 'framing = "crlf"' in status.advice
    assert status.cause.code == "start_timeout"
    assert status.cause.params["bytes"] == 23
    assert harness.changes[-1] is None  # published without a transition
    framing = hint(harness.link, "framing")
    assert framing is not None
    assert (framing.params["setting"], framing.params["value"]) == ("framing", "crlf")
    harness.run(29.5)  # short of the redial
    assert harness.marker() == "EXPECTION"
    assert "23 bytes came" in harness.link.status().reason  # the start timeout says the same


def test_d3_stx_and_etx_on_a_link_with_lines() -> None:
    harness = LinkHarness(framing="crlf")
    harness.link.start()
    harness.run()
    write(harness, b"\x02LS|DA261130|TI000000|\x03")
    harness.run(1)
    status = harness.link.status()
    assert "23 bytes came with STX … ETX" in status.reason
    assert 'framing = "stx-etx"' in status.advice


def test_d3_the_alert_of_a_tls_server_that_closes_at_once() -> None:
    harness = LinkHarness()
    harness.link.start()
    harness.run()
    write(harness, b"\x15\x03\x01\x00\x02\x02\x46")
    harness.newest.transport.loseConnection()  # type: ignore[union-attr]
    harness.run()
    status = harness.link.status()
    assert status.marker == "EXPECTION"
    assert "7 bytes of TLS came: 15 03 01 00 02 02 46" in status.reason
    assert "tls = true" in status.advice
    tls = hint(harness.link, "tls")
    assert tls is not None
    assert tls.params["value"] is True


@pytest.mark.parametrize("data", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.2p1\r\n"])
@pytest.mark.parametrize("framing", ["stx-etx", "crlf"])
def test_d3_another_service(data: bytes, framing: str) -> None:
    harness = LinkHarness(framing=framing)
    harness.link.start()
    harness.run()
    write(harness, data)
    harness.run(1)
    status = harness.link.status()
    assert data.split(b"\r")[0].decode() in status.reason
    assert "check host and port" in status.advice
    assert list(status.hints) == []


def test_d3_a_record_that_arrives_in_parts_is_no_finding() -> None:
    harness = LinkHarness()
    harness.link.start()
    harness.run()
    write(harness, b"\x06\x02LS|DA2")
    harness.run(0.4)
    write(harness, b"61130|\x03")
    harness.run(1)
    assert harness.marker() == "ESTABLISHED"
    assert list(harness.link.status().hints) == []
    assert not [call for call in harness.clock.getDelayedCalls() if "judge" in repr(call)]


def test_d3_the_hint_ends_with_the_first_record() -> None:
    harness = LinkHarness()
    harness.link.start()
    harness.run()
    write(harness, b"LS|DA261130|\r\n")
    harness.run(1)
    assert hint_codes(harness) == ["framing"]
    harness.send("LS|")
    assert hint_codes(harness) == []


def test_d3_no_name_of_a_guest_is_logged() -> None:
    with capturedLogs() as logs:
        harness = LinkHarness()
        harness.link.start()
        harness.run()
        write(harness, b"GI|RN101|G#1|GNAdams|GSN|\r\n")
        harness.run(31)
    assert "Adams" not in harness.link.status().reason
    assert "Adams" not in str(logs)


# D4


def test_d4_declared_comes_first_where_the_pms_answered_ls() -> None:
    harness = LinkHarness()
    harness.link.start()
    harness.run()
    harness.send("LS|")
    harness.run(30)
    harness.send("LS|")  # the answer to the final check
    harness.run(3.05)
    status = harness.link.status()
    assert (status.marker, status.cause.code) == ("EXPECTION", "never_confirmed")
    assert 'set sync_on = "declared"' in status.advice
    sync_on = hint(harness.link, "sync_on")
    assert sync_on is not None
    assert sync_on.params == {"setting": "sync_on", "value": "declared"}


def test_d4_any_comes_first_where_nothing_came() -> None:
    harness = LinkHarness()
    harness.link.start()
    harness.run()
    harness.send("LS|")
    harness.run(33.05)
    status = harness.link.status()
    assert (status.marker, status.cause.code) == ("EXPECTION", "never_confirmed")
    assert 'set sync_on = "any", or "declared"' in status.advice
    assert [dict(one.params) for one in status.hints] == [{"setting": "sync_on", "value": "any"}]


def test_d4_another_choice_comes_after_any() -> None:
    harness = LinkHarness(sync_on="any")
    harness.link.start()
    harness.run()
    harness.send("LS|")
    harness.run(33.05)
    assert [dict(one.params) for one in harness.link.status().hints] == [
        {"setting": "sync_on", "value": "declared"}
    ]


# D5


def test_d5_a_pms_that_sends_data_but_answers_no_check() -> None:
    harness = LinkHarness()
    harness.link.start()
    harness.dock()
    while harness.link.session.link_checks.last_check is None:
        harness.run(0.5)
    harness.send("GI|RN101|G#1|GSN|")
    harness.run(3)
    assert harness.marker() == "EXPECTION"
    alive_by = hint(harness.link, "alive_by")
    assert alive_by is not None
    assert alive_by.params == {"setting": "alive_by", "value": "LA"}


def test_d5_a_pms_that_is_silent_after_docking_again_and_again() -> None:
    harness = LinkHarness()
    harness.link.start()
    for connections in (1, 2):
        harness.dock()
        while harness.marker() == "ESTABLISHED":
            harness.run(0.5)
        assert hint_codes(harness) == ["alive_by"] * (connections - 1)  # once it may have been a crash
        while harness.marker() == "EXPECTION":
            harness.run(0.5)


def test_d5_a_pms_that_has_answered_before_is_just_silent() -> None:
    harness = LinkHarness(alive_interval=5)
    harness.link.start()
    harness.dock()
    harness.run(5)
    harness.send("LA|")
    harness.run(6)
    harness.send("GI|RN101|G#1|GSN|")
    harness.run(10)
    assert harness.link.status().cause.code == "no_answer"
    assert hint_codes(harness) == []


# D7


def test_d7_the_record_at_which_the_pms_closes_is_named_with_the_setting() -> None:
    harness = LinkHarness(records={"WA": "RNAS"})
    harness.link.start()
    for seconds in (0, 0, 1):  # at the third time, the description is sent with pauses: LD, GI, GO, GC
        while not harness.link.dialer.is_connected:
            harness.run(0.1)
        harness.send("LS|")
        harness.run(seconds)
        harness.newest.transport.loseConnection()  # type: ignore[union-attr]
        harness.run()
    status = harness.link.status()
    assert "LR|RIGC of the link description" in status.reason
    records = hint(harness.link, "records")
    assert records is not None
    assert records.params == {"setting": "records", "value": {"WA": "RNAS", "GC": ""}, "declared": "GC"}


# D9


def test_d9_utf_8_under_a_single_byte_charset_is_noted_once_with_the_record() -> None:
    harness = LinkHarness()
    harness.link.start()
    harness.dock()
    harness.send("GI|RN101|G#1|GNÅse Müller|GSN|")
    harness.send("GI|RN102|G#2|GNJosé|GSN|")
    charset = hint(harness.link, "charset")
    assert charset is not None
    assert charset.params["setting"] == "charset"
    assert charset.params["value"] == "utf-8"
    assert charset.params["record"] == "GI"
    assert "Müller" not in str(charset)


def test_d9_the_reverse() -> None:
    harness = LinkHarness(charset="utf-8")
    harness.link.start()
    harness.dock()
    write(harness, b"\x02GI|RN101|G#1|GNM\xfcller|GSN|\x03")
    charset = hint(harness.link, "charset")
    assert charset is not None
    assert charset.params["value"] == "cp1252"


def test_d9_the_hint_ends_when_the_charset_reads_a_text() -> None:
    harness = LinkHarness()
    harness.link.start()
    harness.dock()
    harness.send("GI|RN101|G#1|GNMüller|GSN|")
    assert hint_codes(harness) == ["charset"]
    write(harness, b"\x02GI|RN102|G#2|GNM\xfcller|GSN|\x03")
    assert hint_codes(harness) == []


def test_d9_text_in_the_charset_of_the_link_gives_no_hint() -> None:
    harness = LinkHarness()
    harness.link.start()
    harness.dock()
    write(harness, b"\x02GI|RN101|G#1|GN\xc5se M\xfcller|GSN|\x03")
    assert hint_codes(harness) == []


# D10


@pytest.mark.parametrize(
    ("record", "offset", "is_hinted"),
    [
        ("LS|DA260101|TI020000|", 7200, True),
        ("LS|DA251231|TI235800|", -120, False),
        ("LS|DA251231|TI235759|", -121, True),
        ("LS|DA260101|TI0000|", 0, False),  # without seconds
        ("LS|TI235959|", -1, False),  # without a date
        ("LS|", None, False),
        ("LS|DA269999|TI000000|", None, False),
    ],
)
def test_d10_the_clock_of_the_pms(record: str, offset: float | None, is_hinted: bool) -> None:
    harness = LinkHarness(timezone="UTC")
    with capturedLogs() as logs:
        harness.link.start()
        harness.run()
        harness.send(record)
        harness.send("LA|")
        harness.send(record)
    assert harness.link.status().clock_offset == offset
    assert (hint(harness.link, "clock") is not None) is is_hinted
    warnings = [entry for entry in logs if "clock of the PMS" in str(entry.get("text"))]
    assert len(warnings) == is_hinted  # once on a connection


def test_d10_a_whole_zone_names_the_setting_and_the_hint_ends_with_a_right_time() -> None:
    harness = LinkHarness(timezone="UTC")
    harness.link.start()
    harness.run()
    harness.send("LS|DA260101|TI020000|")
    clock = hint(harness.link, "clock")
    assert clock is not None
    assert clock.params == {"seconds": 7200.0, "setting": "timezone"}
    harness.send("LA|DA260101|TI000000|")
    assert hint_codes(harness) == []
    assert harness.link.status().clock_offset == 0


def test_d10_a_clock_that_is_just_wrong_names_no_setting() -> None:
    harness = LinkHarness(timezone="UTC")
    harness.link.start()
    harness.run()
    harness.send("LS|DA260101|TI000500|")
    clock = hint(harness.link, "clock")
    assert clock is not None
    assert clock.params == {"seconds": 300.0}


# D11 and D12


def test_d11_an_oversized_record_is_counted_and_logged_once() -> None:
    harness = LinkHarness()
    with capturedLogs() as logs:
        harness.link.start()
        harness.run()
        write(harness, b"\x02GI|RN101|GN" + b"x" * 20000 + b"\x03")
        harness.send("LS|", "LA|")
        write(harness, b"\x02GI|RN102|GN" + b"x" * 20000 + b"\x03")
    status = harness.link.status()
    assert status.in_sync
    assert status.not_understood.bytes == 2 * 20013
    assert status.not_understood.last == "20013 bytes: a record longer than 16 KiB"
    assert status.attention == 2
    assert "20013 bytes" not in status.reason
    assert "a record longer than 16 KiB" in status.advice
    assert len([entry for entry in logs if "skipped" in str(entry.get("text"))]) == 1


def test_d11_separators_between_frames_are_no_loss() -> None:
    harness = LinkHarness()
    harness.link.start()
    harness.run()
    for text in ("LS|", "LA|", "LA|"):
        write(harness, b"\x06" + b"\x02" + text.encode() + b"\x03" + b"\x7f\r\n")
    assert harness.link.status().not_understood.bytes == 0
    assert harness.link.status().attention == 0


def test_d12_records_that_are_not_understood_are_marked_counted_and_logged_once() -> None:
    harness = LinkHarness()
    harness.link.start()
    harness.dock()
    with capturedLogs() as logs:
        harness.send(
            "GI|G#1|GNAdams|GSN|", "GI|RN101|G#2|GA269999|GSN|", "ZZ|RN101|GNAdams|", "GI|RN102|G#3|"
        )
    problems = [entry.problem for entry in harness.link.trace.newest(None, "in", None)]
    assert problems[:4] == [
        None,
        "unknown record id ZZ",
        "GA (arrival date) '269999' is not a date YYMMDD",
        "RN (room) is missing",
    ]
    status = harness.link.status()
    assert status.not_understood.records == 3
    assert status.not_understood.last == "unknown record id ZZ"
    assert status.attention == 2
    assert len([entry for entry in logs if entry["log_level"] is LogLevel.warn]) == 1
    assert "Adams" not in str([entry.get("text") for entry in logs])


def test_d12_the_attention_ends_after_a_day() -> None:
    harness = LinkHarness(alive_by="nothing")
    harness.link.start()
    harness.dock()
    harness.send("ZZ|")
    harness.run(10)
    assert harness.link.status().attention == 2
    harness.link.refresh()
    before = len(harness.changes)
    harness.run(24 * 3600 - 11)
    harness.link.refresh()
    assert len(harness.changes) == before
    harness.run(1)
    harness.link.refresh()
    assert harness.link.status().attention == 0
    assert len(harness.changes) == before + 1


# D13


def test_d13_a_resync_request_without_an_answer() -> None:
    harness = LinkHarness(alive_by="nothing")
    harness.link.start()
    harness.dock()
    harness.link.resync.request()
    harness.run(29)
    assert harness.link.status().advice == ""
    harness.run(2)
    assert "did not answer the resync request (DR)" in harness.link.status().advice
    harness.link.resync.request()
    harness.send("DS|", "DE|")
    assert harness.link.status().advice == ""


# D14


@pytest.mark.parametrize("sync_on", ["LA", "any", "declared"])
def test_d14_an_echo_of_our_records_is_no_pms(sync_on: str) -> None:
    harness = LinkHarness(sync_on=sync_on)
    harness.link.start()
    harness.run(3)  # our LS
    sent = [entry.text for entry in harness.link.trace.newest(None, "out", None)]
    harness.send(*reversed(sent))
    sent = [entry.text for entry in harness.link.trace.newest(None, "out", None)][:-1]
    harness.send(*reversed(sent))
    status = harness.link.status()
    assert status.marker == "EXPECTION"
    assert not status.in_sync
    assert "repeats our own records" in status.reason
    assert hint_codes(harness) == ["mirror"]
    assert status.attention == 4


# D16


def test_d16_three_outages_in_an_hour() -> None:
    harness = LinkHarness(alive_by="nothing")
    harness.link.start()
    harness.dock()
    for _ in range(3):
        harness.run(118)  # stable again, so that the redial is soon
        harness.newest.transport.loseConnection()  # type: ignore[union-attr]
        harness.run(2)
        harness.dock()
    status = harness.link.status()
    assert status.outages.last_hour == 3
    assert status.outages.last_seconds == 2
    assert status.outages.last_cause == "lost"
    assert status.attention == 2
    assert status.advice.startswith("3 outages in the last hour, last ")
    assert ", 2 s: the connection was lost." in status.advice


def test_d16_what_a_user_ends_is_no_outage() -> None:
    harness = LinkHarness()
    harness.link.start()
    harness.dock()
    harness.link.apply_config(harness.make_config(port=5011))
    harness.run()
    harness.send("LS|", "LA|")
    assert harness.link.status().outages.last_at is None


def test_d16_a_pms_that_starts_again_is_an_outage() -> None:
    harness = LinkHarness()
    harness.link.start()
    harness.dock()
    harness.run(10)
    harness.send("LS|")
    harness.send("LA|")
    assert harness.link.status().outages.last_cause == "started"


# Settings that are changed


def test_a_changed_setting_removes_its_hint_and_another_address_all() -> None:
    harness = LinkHarness(timezone="UTC")
    harness.link.start()
    harness.run()
    harness.send("LS|DA260101|TI020000|", "LA|", "GI|RN101|GNMüller|")
    assert hint_codes(harness) == ["charset", "clock"]
    harness.link.apply_config(harness.make_config(timezone="Europe/Vienna"))
    assert hint_codes(harness) == ["charset"]
    harness.link.apply_config(harness.make_config(timezone="Europe/Vienna", port=5011))
    assert hint_codes(harness) == []


def test_every_text_of_a_variant_exists() -> None:
    texts: dict[str, Any] = reason_texts.ENGLISH_TEXTS
    kinds = ("crlf", "stx_etx", "tls", "http", "service", "other")
    for variant in [
        *(f"unreadable_{kind}" for kind in kinds),
        "mirror",
        "no_tls",
        "no_handshake",
        "lost_start",
        "never_confirmed_alive",
    ]:
        assert f"reason.{variant}" in texts
        assert f"advice.{variant}" in texts


def test_d13_a_resync_without_an_end_says_since_when_and_that_rows_wait() -> None:
    harness = LinkHarness(alive_by="nothing")
    harness.link.start()
    harness.dock()
    harness.run(60)
    harness.link.outbox.counts.update(
        UnresolvedRow("hotel", 1, "RE", "pending", 1, to_ms(harness.wall_clock()))
    )
    harness.send("DS|")
    status = harness.link.status()
    assert status.held is not None
    assert (status.held.by, status.held.since, status.held.waiting) == ("resync", harness.wall_clock(), 1)
    assert "sending all rooms and guests since" in status.advice
    assert status.resync.started == harness.wall_clock()
    harness.run(599)
    assert harness.link.status().held is not None
    harness.run(2)  # no record for ten minutes: the end will not come
    assert harness.link.status().held is None
