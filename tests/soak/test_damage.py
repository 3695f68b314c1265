"""A damaged store is never served as if it were whole.

Each case starts the service on a copy of a healthy store with one piece of damage. Either it refuses, in
one line that says what to do, or every posting that it tells of is still what it was.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import pytest
from attrs import frozen

from tests.process.server_processes import BIN_DIR, wait_until
from tests.soak.campaign_checks import check_campaign
from tests.soak.docked_service import DockedService, is_store_intact, run_docked_service, run_store_command
from tests.soak.posting_clients import POSTINGS_PATH, PostingClients
from tests.soak.random_seed import choose_seed

pytestmark = pytest.mark.soak

FILE = "store.sqlite3"
FLIPS = 44
LANES = 2
HEADER = 100
"""Bytes before the first page's content."""


@frozen
class Whole:
    """A healthy store that no service holds."""

    state: Path
    rows: list[Any]
    """Its postings."""

    @property
    def data(self) -> bytes:
        return (self.state / FILE).read_bytes()


@pytest.fixture
def whole(tmp_path: Path) -> Whole:
    with run_docked_service(tmp_path / "whole") as one:
        load = PostingClients(one.service_client, "damage", clients=4, max_pause_s=0.02)
        one.start()
        load.start()
        time.sleep(1.5)
        load.stop_when_accepted()
        check_campaign(one, load)
        rows = one.postings()
        one.stop()
    assert 100 < len(rows) < 1000
    assert is_store_intact(one.state_dir)
    return Whole(one.state_dir, rows)


def damaged(data: bytes, chance: Random) -> Mapping[str, bytes]:
    """Copies of a file that is cut off somewhere, or has one bit wrong, by what was done to them."""
    lengths = (0, 1, HEADER - 1, HEADER, 4096, len(data) // 2, len(data) - 4096, len(data) - 1)
    places = [chance.randrange(HEADER) for _ in range(FLIPS // 4)]
    places += [chance.randrange(HEADER, len(data)) for _ in range(FLIPS - len(places))]
    return {
        **{f"cut to {length} bytes": data[:length] for length in lengths},
        **{
            f"bit {bit} of byte {at}": flipped(data, at, bit)
            for at in places
            for bit in [chance.randrange(8)]
        },
    }


def flipped(data: bytes, at: int, bit: int) -> bytes:
    return data[:at] + bytes([data[at] ^ (1 << bit)]) + data[at + 1 :]


def copy(whole: Whole, state: Path, data: bytes) -> None:
    shutil.copytree(whole.state, state)
    (state / FILE).write_bytes(data)


class Attempt:
    """A start of the service that may fail, with what it says on standard output and on standard error."""

    def __init__(self, one: DockedService) -> None:
        self._one = one
        self._said = (one.folder / "stdout", one.folder / "stderr")
        with self._said[0].open("wb") as stdout, self._said[1].open("wb") as stderr:
            command = [str(BIN_DIR / "twistd"), "-n", "--pidfile=", *one.arguments]
            self._process = subprocess.Popen(command, stdout=stdout, stderr=stderr, cwd=one.folder)

    def status(self) -> int | None:
        """The exit status if it ends by itself, None once it answers."""
        wait_until(lambda: self._process.poll() is not None or self._answers(), "it starts, or ends")
        return self._process.poll()

    def _answers(self) -> bool:
        return self._one.service_client.call("GET", "/healthz") is not None

    def end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        finally:
            self._process.kill()
            self._process.wait()

    def output(self) -> str:
        return self._said[0].read_text()

    def errors(self) -> list[str]:
        return self._said[1].read_text().splitlines()


def outcome(one: DockedService, rows: list[Any]) -> str:
    """What becomes of a service that is started on this state; an AssertionError if it may not."""
    attempt = Attempt(one)
    try:
        status = attempt.status()
        told = read_postings(one) if status is None else None
    finally:
        attempt.end()
    assert "Traceback" not in attempt.output(), attempt.output()
    if status is not None:
        assert_refused(one, status, attempt.errors())
        return "refused"
    if told is None:
        return "unreadable"
    assert told == rows, f"silently different: {first_difference(told, rows)}"
    return "unchanged"


def assert_refused(one: DockedService, status: int, errors: list[str]) -> None:
    assert status == 1, f"ended with status {status}: {errors}"
    assert len(errors) == 1, errors
    (line,) = errors
    assert str(one.state_dir / FILE) in line, line
    assert "pmslink store move-aside" in line, line
    found = run_store_command("check", one.state_dir)
    assert found.returncode == 1, f"refused with {line!r}, but store check says {found.stdout!r}"
    assert len(found.stderr.splitlines()) == 1, found.stderr


def read_postings(one: DockedService) -> list[Any] | None:
    """Oldest first; None if the service says that it cannot read them."""
    match one.service_client.call("GET", f"{POSTINGS_PATH}?limit=1000"):
        case (200, {"postings": list(newest_first)}):
            return newest_first[::-1]
        case (503, {"error": {"code": "store"}}):
            return None
        case other:
            raise AssertionError(f"neither postings nor an error of the store: {other}")


def first_difference(told: list[Any], rows: list[Any]) -> str:
    for one, other in zip(told, rows, strict=False):
        if one != other:
            return f"{one} was {other}"
    return f"{len(told)} postings were {len(rows)}"


def test_a_damaged_store_is_refused_or_unchanged(
    tmp_path: Path, whole: Whole, report: Callable[[str], None]
) -> None:
    cases = list(damaged(whole.data, Random(choose_seed())).items())

    def tried(at: int) -> Iterator[tuple[str, str]]:
        with run_docked_service(tmp_path / f"lane-{at}") as one:
            for name, data in cases[at::LANES]:
                one.state_dir = one.folder / name.replace(" ", "-")
                copy(whole, one.state_dir, data)
                try:
                    yield name, outcome(one, whole.rows)
                except AssertionError as problem:
                    yield name, f"wrong: {problem}"

    with ThreadPoolExecutor(LANES) as pool:
        outcomes = dict(
            each for found in pool.map(lambda at: list(tried(at)), range(LANES)) for each in found
        )
    wrong = [f"{name}: {what}" for name, what in outcomes.items() if what.startswith("wrong")]
    counts = Counter(what.partition(":")[0] for what in outcomes.values())
    report(f"{len(cases)} damaged stores of {len(whole.data)} bytes: {dict(counts)}")
    assert not wrong, "\n".join(wrong)


def test_a_damaged_store_is_moved_aside_and_a_new_one_begun(tmp_path: Path, whole: Whole) -> None:
    broken = whole.data[: len(whole.data) // 2]
    with run_docked_service(tmp_path / "lane") as one:
        copy(whole, one.state_dir, broken)
        assert outcome(one, whole.rows) == "refused"
        moved = run_store_command("move-aside", one.state_dir)
        assert moved.returncode == 0, moved.stderr
        assert not (one.state_dir / FILE).exists()
        assert broken in [file.read_bytes() for file in one.state_dir.rglob("*") if file.is_file()]
        one.start()
        one.wait_until_state("ESTABLISHED")
        assert one.postings() == []
        refused = run_store_command("move-aside", one.state_dir)
        assert refused.returncode == 1, "moved aside under a running service"
        assert len(refused.stderr.splitlines()) == 1, refused.stderr
        assert one.service_client.get("/api/v1/status")["store"]["ok"]
        one.stop()
