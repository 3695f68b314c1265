"""A soak: the service never serves a damaged store as if it were intact.

Each case starts the service on a copy of an intact store with one defect. Either the service refuses to
start, with a line that names the remedy, or all postings that it serves are unchanged.
"""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import pytest
from attrs import frozen

from tests.process.server_processes import BIN_DIR, WAIT_TIMEOUT_S, wait_until
from tests.soak.campaign_checks import check_campaign
from tests.soak.campaign_scale import scaled
from tests.soak.docked_service import DockedService, is_store_intact, run_docked_service, run_store_command
from tests.soak.posting_clients import POSTINGS_PATH, PostingClients
from tests.soak.random_seed import choose_seed

pytestmark = pytest.mark.soak

STORE_FILE = "store.sqlite3"
FLIPPED_BITS = 44
LANES = 2
HEADER_BYTES = 100
"""The length of the file header of SQLite."""


@frozen
class IntactStore:
    """An intact store that no service uses."""

    state_dir: Path
    rows: list[Any]
    """The postings in it, oldest first."""

    @property
    def data(self) -> bytes:
        return (self.state_dir / STORE_FILE).read_bytes()


@pytest.fixture
def intact(tmp_path: Path) -> IntactStore:
    with run_docked_service(tmp_path / "intact") as docked:
        clients = PostingClients(docked.service_client, "damage", clients=4, max_pause_s=0.02)
        docked.start()
        clients.start()
        wait_until(lambda: len(clients.accepted_postings) > 150, "postings are accepted")
        clients.stop_when_accepted()
        check_campaign(docked, clients)
        rows = docked.postings()
        docked.stop()
    assert 100 < len(rows) < 1000
    assert is_store_intact(docked.state_dir)
    return IntactStore(docked.state_dir, rows)


def damaged_copies(data: bytes, rng: Random) -> Mapping[str, bytes]:
    """Return truncated copies of a file, and copies with one flipped bit, by a name of the damage."""
    lengths = (0, 1, HEADER_BYTES - 1, HEADER_BYTES, 4096, len(data) // 2, len(data) - 4096, len(data) - 1)
    offsets = [rng.randrange(HEADER_BYTES) for _ in range(scaled(FLIPPED_BITS) // 4)]
    offsets += [rng.randrange(HEADER_BYTES, len(data)) for _ in range(scaled(FLIPPED_BITS) - len(offsets))]
    return {
        **{f"cut to {length} bytes": data[:length] for length in lengths},
        **{
            f"bit {bit} of byte {offset}": flip_bit(data, offset, bit)
            for offset in offsets
            for bit in [rng.randrange(8)]
        },
    }


def flip_bit(data: bytes, offset: int, bit: int) -> bytes:
    return data[:offset] + bytes([data[offset] ^ (1 << bit)]) + data[offset + 1 :]


def copy_store(intact: IntactStore, state_dir: Path, data: bytes) -> None:
    shutil.copytree(intact.state_dir, state_dir)
    (state_dir / STORE_FILE).write_bytes(data)


class StartAttempt:
    """A start of the service that may fail, and its standard output and standard error."""

    def __init__(self, docked: DockedService) -> None:
        self._docked = docked
        self._stdout, self._stderr = (docked.folder / "stdout", docked.folder / "stderr")
        with self._stdout.open("wb") as stdout, self._stderr.open("wb") as stderr:
            command = [str(BIN_DIR / "twistd"), "-n", "--pidfile=", *docked.arguments]
            self._process = subprocess.Popen(command, stdout=stdout, stderr=stderr, cwd=docked.folder)

    def status(self) -> int | None:
        """Wait until the service answers or ends. Return its exit status, or None if it answers."""
        wait_until(lambda: self._process.poll() is not None or self._answers(), "the service answers or ends")
        return self._process.poll()

    def _answers(self) -> bool:
        return self._docked.service_client.call("GET", "/healthz") is not None

    def end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(WAIT_TIMEOUT_S)
        finally:
            self._process.kill()
            self._process.wait()

    def output(self) -> str:
        return self._stdout.read_text()

    def errors(self) -> list[str]:
        return self._stderr.read_text().splitlines()


def start_on_damaged_store(docked: DockedService, rows: list[Any]) -> str:
    """Start the service, and return its reaction in one word. Raise AssertionError for a wrong reaction."""
    attempt = StartAttempt(docked)
    try:
        status = attempt.status()
        postings = read_postings(docked) if status is None else None
    finally:
        attempt.end()
    assert "Traceback" not in attempt.output(), attempt.output()
    if status is not None:
        check_refusal(docked, status, attempt.errors())
        return "refused"
    if postings is None:
        return "unreadable"
    assert postings == rows, f"different without an error: {first_difference(postings, rows)}"
    return "unchanged"


def check_refusal(docked: DockedService, status: int, errors: list[str]) -> None:
    assert status == 1, f"ended with status {status}: {errors}"
    assert len(errors) == 1, errors
    (line,) = errors
    assert str(docked.state_dir / STORE_FILE) in line, line
    assert "pmslink store move-aside" in line, line
    check = run_store_command("check", docked.state_dir)
    assert check.returncode == 1, f"refused with {line!r}, but store check says {check.stdout!r}"
    assert len(check.stderr.splitlines()) == 1, check.stderr


def read_postings(docked: DockedService) -> list[Any] | None:
    """Return the postings, oldest first; None if the service reports that it cannot read them."""
    match docked.service_client.call("GET", f"{POSTINGS_PATH}?limit=1000"):
        case (200, {"postings": list(newest_first)}):
            return newest_first[::-1]
        case (503, {"error": {"code": "store"}}):
            return None
        case other:
            raise AssertionError(f"neither postings nor an error of the store: {other}")


def first_difference(postings: list[Any], rows: list[Any]) -> str:
    for posting, row in zip(postings, rows, strict=False):
        if posting != row:
            return f"{posting} was {row}"
    return f"{len(postings)} postings were {len(rows)}"


def test_a_damaged_store_is_refused_or_unchanged(
    tmp_path: Path, intact: IntactStore, report: Callable[[str], None]
) -> None:
    cases = list(damaged_copies(intact.data, Random(choose_seed())).items())

    def run_lane(lane: int) -> Iterator[tuple[str, str]]:
        with run_docked_service(tmp_path / f"lane-{lane}") as docked:
            for name, data in cases[lane::LANES]:
                docked.state_dir = docked.folder / name.replace(" ", "-")
                copy_store(intact, docked.state_dir, data)
                try:
                    yield name, start_on_damaged_store(docked, intact.rows)
                except AssertionError as problem:
                    yield name, f"wrong: {problem}"

    with ThreadPoolExecutor(LANES) as pool:
        outcomes = dict(
            case for results in pool.map(lambda lane: list(run_lane(lane)), range(LANES)) for case in results
        )
    errors = [f"{name}: {reaction}" for name, reaction in outcomes.items() if reaction.startswith("wrong")]
    counts = Counter(reaction.partition(":")[0] for reaction in outcomes.values())
    report(f"{len(cases)} damaged stores of {len(intact.data)} bytes: {dict(counts)}")
    assert not errors, "\n".join(errors)


def test_a_damaged_store_is_moved_aside_and_replaced_by_a_new_one(
    tmp_path: Path, intact: IntactStore
) -> None:
    damaged = intact.data[: len(intact.data) // 2]
    with run_docked_service(tmp_path / "lane") as docked:
        copy_store(intact, docked.state_dir, damaged)
        assert start_on_damaged_store(docked, intact.rows) == "refused"
        moved = run_store_command("move-aside", docked.state_dir)
        assert moved.returncode == 0, moved.stderr
        assert not (docked.state_dir / STORE_FILE).exists()
        assert damaged in [file.read_bytes() for file in docked.state_dir.rglob("*") if file.is_file()]
        docked.start()
        docked.wait_until_state("ESTABLISHED")
        assert docked.postings() == []
        rejected = run_store_command("move-aside", docked.state_dir)
        assert rejected.returncode == 1, "the store of a running service was moved aside"
        assert len(rejected.stderr.splitlines()) == 1, rejected.stderr
        assert docked.service_client.get("/api/v1/status")["store"]["ok"]
        docked.stop()
