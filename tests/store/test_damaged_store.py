"""A damaged or unreadable store: the error says what to do, and the file is not changed."""

from __future__ import annotations

import re
import shutil
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import exc

from pmslink.store.core.database import SqliteDatabase
from pmslink.store.core.state_directory import STORE_FILE_NAME
from pmslink.store.core.store_errors import StoreError
from pmslink.store.operations.hotel_updates import append_records
from pmslink.store.store_service import open_store
from pmslink.store.tables.link_rows import StoredLink, store_links
from pmslink.store.tables.log_entries import SyncChanged, append_sync_changes, append_transitions
from tests.store.store_harness import (
    LINK_NAME,
    RETENTION,
    START_TIME,
    FaultyDatabase,
    StoreHarness,
    make_record,
)
from tests.store.tables.test_history_queries import make_transition

GUEST = RETENTION.guest
HISTORY = RETENTION.history


@pytest.fixture(scope="module")
def store_content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the file of a cleanly stopped store with rows in each table."""
    directory = tmp_path_factory.mktemp("store_content")
    harness = StoreHarness(FaultyDatabase(SqliteDatabase(directory)))
    harness.submit(store_links, StoredLink(LINK_NAME, None, "enabled"))
    for number in range(60):
        harness.enqueue(room=str(number), key=str(number), asked="a")
        harness.submit(append_records, make_record(f"GI|RN{number}|GNAdams|"))
        harness.submit(append_transitions, make_transition(number))
        harness.submit(append_sync_changes, SyncChanged(number, LINK_NAME, START_TIME, in_sync=True))
    harness.stop()
    return (directory / STORE_FILE_NAME).read_bytes()


def try_to_open(directory: Path) -> str:
    """Open the store and return the error text, or an empty text."""
    try:
        open_store(SqliteDatabase(directory), START_TIME, replay_limit=100)
    except StoreError as problem:
        return str(problem)
    return ""


def is_damage_error(message: str, path: Path) -> bool:
    return (
        message.startswith(f"{path} is damaged: ")
        and "run pmslink store move-aside" in message
        and message.isprintable()
    )


Cut = Callable[[bytes], bytes]
CUTS: dict[str, Cut] = {
    "nothing": lambda data: b"",
    "one byte": lambda data: data[:1],
    "the header": lambda data: data[:100],
    "one page": lambda data: data[:4096],
    "half of it": lambda data: data[: len(data) // 2],
    "all but a page": lambda data: data[:-4096],
    "not even sqlite": lambda data: b"This is no database.\n" * 1000,
    "zeros": lambda data: bytes(len(data)),
}


@pytest.mark.parametrize("cut", CUTS)
def test_a_truncated_file_is_reported_as_damaged(cut: str, store_content: bytes, tmp_path: Path) -> None:
    (tmp_path / STORE_FILE_NAME).write_bytes(CUTS[cut](store_content))
    before = (tmp_path / STORE_FILE_NAME).read_bytes()
    message = try_to_open(tmp_path)
    assert is_damage_error(message, tmp_path / STORE_FILE_NAME), message
    with pytest.raises(StoreError, match="is damaged"):
        SqliteDatabase(tmp_path).check_integrity()
    assert (tmp_path / STORE_FILE_NAME).read_bytes() == before


def test_a_flipped_bit_is_reported_as_damage_or_changes_no_structure(
    store_content: bytes, tmp_path: Path
) -> None:
    chance = Random(3)
    reported = 0
    for number in range(200):
        directory = tmp_path / str(number)
        directory.mkdir()
        at = chance.randrange(len(store_content) if number % 2 else 8192)
        (directory / STORE_FILE_NAME).write_bytes(flipped(store_content, at, chance.randrange(8)))
        if message := try_to_open(directory):
            reported += 1
            assert is_damage_error(message, directory / STORE_FILE_NAME) or "by a newer pmslink" in message, (
                message
            )
        shutil.rmtree(directory)
    assert reported > 20


def flipped(data: bytes, at: int, bit: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]


def test_an_unfinished_creation_is_repeated(tmp_path: Path) -> None:
    (tmp_path / f"{STORE_FILE_NAME}.new").write_bytes(b"half")
    assert try_to_open(tmp_path) == ""
    assert [path.name for path in tmp_path.iterdir()] == [STORE_FILE_NAME]
    assert stat.S_IMODE((tmp_path / STORE_FILE_NAME).stat().st_mode) == 0o600


def test_a_store_above_the_size_of_the_startup_check_is_checked_on_demand(
    store_content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = store_content.rindex(b"GI|RN59|GNAdams|") // 4096 * 4096
    (tmp_path / STORE_FILE_NAME).write_bytes(
        store_content[:at] + bytes(2) + store_content[at + 2 :]
    )  # a page of records
    monkeypatch.setattr("pmslink.store.core.database.STARTUP_CHECK_MAX_BYTES", 1000)
    SqliteDatabase(tmp_path).create()
    with pytest.raises(StoreError, match="is damaged"):
        SqliteDatabase(tmp_path).check_integrity()


def test_the_error_for_an_unreadable_store_says_what_to_check(tmp_path: Path) -> None:
    path = tmp_path / STORE_FILE_NAME
    path.mkdir()  # unreadable even for root, to whom permissions do not apply
    for message in (try_to_open(tmp_path), checked(tmp_path)):
        assert re.fullmatch(rf"{path} cannot be opened: [a-zA-Z/ ]+\. Check the disk, .*", message), message


def checked(directory: Path) -> str:
    with pytest.raises(StoreError) as caught:
        SqliteDatabase(directory).check_integrity()
    return str(caught.value)


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_full_disk_is_not_reported_as_damage(tmp_path: Path, wrapped: bool) -> None:
    database = SqliteDatabase(tmp_path)
    for code, message in [(sqlite3.SQLITE_FULL, "cannot be opened: x. Check"), (1, "is damaged: x. Keep")]:
        error = sqlite3.OperationalError("x")
        error.sqlite_errorcode = code
        problem = exc.DBAPIError("SELECT", {}, error) if wrapped else error
        assert message in str(database.to_store_error(problem))
    assert "is damaged: ValueError. Keep" in str(database.to_store_error(ValueError()))


def test_checking_a_missing_store_creates_none(tmp_path: Path) -> None:
    assert checked(tmp_path) == f"{tmp_path / STORE_FILE_NAME}: there is no store"
    assert list(tmp_path.iterdir()) == []
