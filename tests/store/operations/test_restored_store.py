"""A store that was restored from an older copy books nothing twice (case E8)."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from twisted.logger import LogEvent

from pmslink.cli.main import main
from pmslink.store import store_service
from pmslink.store.core.database import SqliteDatabase
from pmslink.store.core.high_water_mark import HIGH_WATER_FILE_NAME, HighWaterFile
from pmslink.store.core.state_directory import STORE_FILE_NAME
from pmslink.store.core.transaction import Transaction
from pmslink.store.operations.outbox_delivery import ClaimNext, claim_next
from pmslink.store.store_service import RUN_UPDATE_INTERVAL_S
from pmslink.store.tables.link_rows import StoredLink, read_links, store_links
from pmslink.store.tables.outbox_rows import OutboxRow, newest_rows, update_row
from tests.store.store_harness import LINK_NAME, START_MS, FaultyDatabase, StoreHarness, make_row


class RestorableStore:
    """A running store in a directory, and a copy of it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.harness = StoreHarness(FaultyDatabase(SqliteDatabase(directory)), high_water_file=self.file)

    @property
    def file(self) -> HighWaterFile:
        return HighWaterFile(self.directory)

    @property
    def copy(self) -> Path:
        return self.directory / "copy.sqlite3"

    def make_copy(self) -> None:
        """Copy the store while the service uses it, as docs/operations.md says."""
        store, copy = sqlite3.connect(self.directory / STORE_FILE_NAME), sqlite3.connect(self.copy)
        with closing(store), closing(copy):
            store.backup(copy)

    def restore(self) -> None:
        """Put the copy in the place of the store of the stopped service."""
        for suffix in ("-wal", "-shm"):
            (self.directory / f"{STORE_FILE_NAME}{suffix}").unlink(missing_ok=True)
        os.replace(self.copy, self.directory / STORE_FILE_NAME)

    def restart(self, passed: timedelta = timedelta(seconds=1)) -> None:
        self.harness.now += passed
        self.harness.published.clear()
        self.harness.start()

    def states(self) -> dict[int | None, tuple[str, str | None]]:
        rows = self.harness.read(newest_rows, LINK_NAME, None, None, 1000)
        return {row.number: (row.state, row.reason) for row in rows}


@pytest.fixture
def restorable(tmp_path: Path) -> Iterator[RestorableStore]:
    store = RestorableStore(tmp_path)
    yield store
    store.harness.crash()


def confirm_rows(transaction: Transaction, rows: Sequence[OutboxRow]) -> Sequence[OutboxRow]:
    """Operation: make rows final, so that their numbers are free again."""
    return [update_row(transaction, row, state="done", queued=0) for row in rows]


def claim(harness: StoreHarness) -> Any:
    return harness.submit(claim_next, ClaimNext(LINK_NAME, START_MS, send_limit=9))


@pytest.mark.parametrize("end", ["stop", "crash"])
def test_e8_rows_that_are_not_final_become_unknown(restorable: RestorableStore, end: str) -> None:
    harness = restorable.harness
    harness.insert_rows(
        make_row(11, "done"), make_row(12, "refused"), make_row(13, "sent"), make_row(14, "unknown", queued=1)
    )
    pending = [harness.enqueue().number for _ in range(2)]
    harness.enqueue(record="RE", digits=None, subject="RS")
    restorable.make_copy()
    harness.advance(RUN_UPDATE_INTERVAL_S)
    assert claim(harness).number == 14, "it is sent after the copy was made"
    getattr(harness, end)()
    restorable.restore()
    restorable.restart()
    assert harness.store.startup_snapshot.restored
    assert restorable.states() == {
        11: ("done", None),
        12: ("refused", None),
        **dict.fromkeys([13, 14, *pending, None], ("unknown", "restored")),
    }
    assert harness.event_types() == ["posting.unknown"] * 5
    assert claim(harness) is None, "nothing is sent by itself"


@pytest.mark.parametrize("digits", range(2, 9))
@pytest.mark.parametrize("last", [0, 3, 98])
def test_e8_no_number_that_was_used_since_the_copy_is_used_again(
    restorable: RestorableStore, digits: int, last: int
) -> None:
    harness = restorable.harness
    for _ in range(last):
        row = harness.enqueue(digits=digits)
        harness.submit(confirm_rows, row)
    restorable.make_copy()
    used = {harness.enqueue(digits=digits).number for _ in range(30)}
    harness.stop()
    restorable.restore()
    restorable.restart()
    numbers = [harness.enqueue(digits=digits).number for _ in range(30)]
    assert not used & set(numbers)
    assert len(set(numbers)) == 30
    assert all(number is not None and 1 <= number < 10**digits for number in numbers)


def test_e8_several_restores_use_no_number_twice(restorable: RestorableStore) -> None:
    harness = restorable.harness
    numbers = []
    for _ in range(5):
        numbers.append(harness.enqueue(digits=4).number)
        restorable.make_copy()
        numbers.extend(harness.enqueue(digits=4).number for _ in range(100))
        harness.stop()
        restorable.restore()
        restorable.restart()
    assert len(set(numbers)) == 505


def test_e8_a_resync_is_wanted_on_every_link(restorable: RestorableStore) -> None:
    harness = restorable.harness
    harness.submit(store_links, StoredLink(LINK_NAME, None, "enabled", resync_wanted=False))
    harness.submit(store_links, StoredLink("annexe", None, "disabled", resync_wanted=False))
    restorable.make_copy()
    harness.stop()
    restorable.restore()
    restorable.restart()
    assert [(link.name, link.resync_wanted) for link in harness.read(read_links)] == [
        (LINK_NAME, True),
        ("annexe", True),
    ]


def test_e8_the_sequence_goes_on_above_all_numbers_of_the_lost_store(restorable: RestorableStore) -> None:
    harness = restorable.harness
    restorable.make_copy()
    harness.now += timedelta(days=30)  # a clock that was ahead gave the numbers of the time
    harness.stop()
    harness.start()
    newest = harness.enqueue().id
    harness.stop()
    harness.now -= timedelta(days=30)
    restorable.restore()
    restorable.restart()
    assert harness.store.startup_snapshot.restored
    assert harness.enqueue().id > newest


def test_e8_the_next_start_is_an_ordinary_one(restorable: RestorableStore) -> None:
    harness = restorable.harness
    restorable.make_copy()
    harness.stop()
    restorable.restore()
    for end in ("crash", "stop", "stop"):
        restorable.restart()
        number = harness.enqueue().number
        getattr(harness, end)()
    restorable.restart()
    assert not harness.store.startup_snapshot.restored
    assert restorable.states()[number] == ("pending", None)


def test_e8_a_crash_before_the_restored_store_is_continued_loses_nothing(
    restorable: RestorableStore,
) -> None:
    harness = restorable.harness
    harness.enqueue()
    restorable.make_copy()
    harness.stop()
    restorable.restore()
    opened = harness.database.commit_count + 1
    harness.database.fails_at = lambda commit: commit > opened
    restorable.restart()
    assert harness.journal.is_failing
    harness.crash()
    harness.database.stop_failing()
    restorable.restart()
    assert restorable.states() == {1: ("unknown", "restored")}


@pytest.mark.parametrize("end", ["stop", "crash"])
def test_e8_a_store_in_its_place_is_no_copy(restorable: RestorableStore, end: str) -> None:
    harness = restorable.harness
    for _ in range(3):
        harness.enqueue()
        harness.advance(RUN_UPDATE_INTERVAL_S)
        getattr(harness, end)()
        restorable.restart(timedelta(seconds=0))
        assert not harness.store.startup_snapshot.restored


@pytest.mark.parametrize("content", [None, b"", b"rubbish", b"9" * 30, b"9" * 16, b"-5", b"1\n"])
def test_e8_without_a_valid_mark_the_store_is_no_copy(
    restorable: RestorableStore, content: bytes | None
) -> None:
    harness = restorable.harness
    harness.stop()
    file = restorable.directory / HIGH_WATER_FILE_NAME
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    restorable.restart()
    assert not harness.store.startup_snapshot.restored
    assert (restorable.file.read() or 0) > START_MS, "the next mark is written"


def test_e8_the_service_stops_if_a_restored_store_cannot_be_continued(
    restorable: RestorableStore, monkeypatch: pytest.MonkeyPatch, leak_check: list[LogEvent]
) -> None:
    def fail(transaction: Transaction, arguments: Sequence[None]) -> Sequence[int]:
        raise ValueError("a row has no guest")

    harness = restorable.harness
    restorable.make_copy()
    harness.advance(RUN_UPDATE_INTERVAL_S)
    harness.stop()
    restorable.restore()
    monkeypatch.setattr(store_service, "continue_restored_store", fail)
    restorable.restart()
    harness.advance(RUN_UPDATE_INTERVAL_S)
    assert not harness.is_usable
    assert leak_check.pop()["log_failure"].value.args == ("a row has no guest",)
    harness.stop()
    monkeypatch.undo()
    restorable.restart()
    assert harness.store.startup_snapshot.restored, "the next start tries again"
    assert harness.is_usable


def test_e8_a_new_store_beside_an_old_mark_is_no_copy(restorable: RestorableStore) -> None:
    harness = restorable.harness
    harness.stop()
    (restorable.directory / STORE_FILE_NAME).unlink()
    restorable.restart()
    assert not harness.store.startup_snapshot.restored


def test_e8_a_mark_that_cannot_be_written_stops_nothing(restorable: RestorableStore) -> None:
    harness = restorable.harness
    unfinished = restorable.directory / f"{HIGH_WATER_FILE_NAME}.new"
    unfinished.mkdir()
    harness.advance(RUN_UPDATE_INTERVAL_S)
    assert harness.enqueue().number == 1
    harness.stop()
    unfinished.rmdir()
    restorable.restart()
    assert not harness.store.startup_snapshot.restored


def test_e8_a_person_can_say_that_the_store_is_a_copy(
    restorable: RestorableStore, capsys: pytest.CaptureFixture[str]
) -> None:
    harness = restorable.harness
    harness.enqueue()
    harness.stop()
    (restorable.directory / HIGH_WATER_FILE_NAME).unlink()
    assert main(["store", "restored", "--state-dir", str(restorable.directory)]) == 0
    assert f"{restorable.directory / STORE_FILE_NAME}: at the next start, all rows" in capsys.readouterr().out
    restorable.restart()
    assert harness.store.startup_snapshot.restored
    assert restorable.states() == {1: ("unknown", "restored")}
    harness.stop()
    restorable.restart()
    assert not harness.store.startup_snapshot.restored
