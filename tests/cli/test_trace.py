"""`pmslink trace`: records, decoded and followed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pmslink.cli.main import main
from tests.cli.fake_service import FakeService, Run


def test_past_records_are_decoded_oldest_first(run: Run, service: FakeService) -> None:
    service.record("in", "LS|DA260101|TI080000|")
    service.record("out", "PS|RN101|PTC|TA1050|P#17|+0|")
    service.record("in", "GI|RN101|GNMüller|HSx|SF|")
    assert run("trace", "grand", "--url", service.url, "--lines", "2", "--once") == [
        "2026-01-01 01:00:01.250+01:00 → PS posting simple  RN room=101  PT posting type=C"
        "  TA total amount=1050  P# posting number=17  +0 cash rounding=",
        "2026-01-01 01:00:02.250+01:00 ← GI guest check-in  RN room=101  GN name=Müller  HS=x  SF swap flag=",
    ]


def test_unknown_record_and_escape_sequence_are_printed_safely(run: Run, service: FakeService) -> None:
    service.record("in", "QQ|RN\x1b[2J|")
    (line,) = run("trace", "grand", "--url", service.url, "--once")
    assert line.endswith(r"← QQ unknown record  RN room=\x1b[2J")


def test_a_record_that_is_not_understood_is_marked(run: Run, service: FakeService) -> None:
    service.record("in", "GI|GNAdams|", problem="RN (room) is missing")
    (line,) = run("trace", "grand", "--url", service.url, "--once")
    assert line.endswith("← GI guest check-in  GN name=Adams  !! RN (room) is missing")


def test_lines_0_shows_no_past_records(run: Run, service: FakeService) -> None:
    service.record("in", "LS|")
    assert run("trace", "grand", "--url", service.url, "--lines", "0", "--once") == []


def follow(monkeypatch: pytest.MonkeyPatch, *actions: Callable[[], object]) -> None:
    """Run these actions between the polls of `trace`, and press Ctrl-C at the end."""
    remaining = iter(actions)

    def sleep(seconds: float) -> None:
        assert seconds == 0.5
        try:
            next(remaining)()
        except StopIteration:
            raise KeyboardInterrupt from None

    monkeypatch.setattr("pmslink.cli.trace.sleep", sleep)


def test_new_records_are_shown_once(run: Run, service: FakeService, monkeypatch: pytest.MonkeyPatch) -> None:
    def records(*texts: str) -> Callable[[], None]:
        def add() -> None:
            for text in texts:
                service.record("in", text)

        return add

    follow(monkeypatch, records(), records("LS|"), records(), records("GI|", "GO|"), records(*["RE|"] * 60))
    lines = run("trace", "grand", "--url", service.url)
    assert [line.split()[3] for line in lines] == ["LS", "GI", "GO", *["RE"] * 60]


def test_possibly_missing_records_are_reported(
    run: Run, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flood() -> None:
        for _ in range(1200):
            service.record("in", "RE|")

    service.record("in", "LS|")
    follow(monkeypatch, flood, lambda: service.record("in", "LE|"))
    lines = run("trace", "grand", "--url", service.url)
    assert lines[1] == "… at least 1000 records since the last poll: some may be missing here"
    assert [line.split()[3] for line in [lines[0], *lines[2:]]] == ["LS", *["RE"] * 1000, "LE"]


def test_unreachable_service_ends_trace_with_one_error_line(
    service: FakeService, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    service.record("in", "LS|")
    follow(monkeypatch, service.stop)
    assert main(["trace", "grand", "--url", service.url]) == 1
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 1
    assert printed.err.startswith(f"{service.url} cannot be reached: ")
    assert len(printed.err.splitlines()) == 1
