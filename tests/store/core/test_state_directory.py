"""The state directory: its lock, which ends with its process, and a store that is moved aside."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from pmslink.store.core.database import SqliteDatabase
from pmslink.store.core.state_directory import (
    LOCK_FILE_NAME,
    STORE_FILE_NAME,
    DirectoryLock,
    create_state_directory,
    move_aside,
)
from pmslink.store.core.store_errors import StoreError
from tests.store.store_harness import START_TIME, FaultyDatabase, StoreHarness

PARTS = (STORE_FILE_NAME, f"{STORE_FILE_NAME}-wal", f"{STORE_FILE_NAME}-shm")

# the lock


@contextmanager
def process(directory: Path, does: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Start a process that locks a directory and runs `code`; yield it with the process id that it prints."""
    program = "\n".join(
        [
            "import os, subprocess, sys, time",
            "from pathlib import Path",
            "from pmslink.store.core.state_directory import DirectoryLock",
            "lock = DirectoryLock(Path(sys.argv[1]))",
            does,
        ]
    )
    command = [sys.executable, "-c", program, str(directory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        try:
            yield running, int(running.stdout.readline())
        finally:
            running.kill()


WAITS = "print(os.getpid(), flush=True); time.sleep(60)"


def holder(directory: Path) -> str:
    """Return the process id in the error that a second process gets."""
    with pytest.raises(StoreError) as caught:
        DirectoryLock(directory)
    message = str(caught.value)
    begin = f"the state directory {directory} is in use by another pmslink, process "
    assert message.startswith(begin)
    assert message.endswith(": stop that process, or use another directory")
    return message.removeprefix(begin).partition(":")[0]


def test_the_error_of_a_second_owner_names_the_process_that_holds_the_lock(tmp_path: Path) -> None:
    lock = DirectoryLock(tmp_path)
    assert holder(tmp_path) == str(os.getpid())
    assert stat.S_IMODE((tmp_path / LOCK_FILE_NAME).stat().st_mode) == 0o600
    lock.release()
    DirectoryLock(tmp_path).release()


def test_the_lock_is_released_when_its_process_is_killed(tmp_path: Path) -> None:
    with process(tmp_path, WAITS) as (running, pid):
        assert holder(tmp_path) == str(pid) == str(running.pid)
        running.send_signal(signal.SIGKILL)
        running.wait()
        DirectoryLock(tmp_path).release()


def test_child_processes_do_not_inherit_the_lock(tmp_path: Path) -> None:
    starts = "child = subprocess.Popen(['sleep', '60']); print(child.pid, flush=True); time.sleep(60)"
    with process(tmp_path, starts) as (running, child):
        try:
            running.kill()
            running.wait()
            DirectoryLock(tmp_path).release()
        finally:
            os.kill(child, signal.SIGKILL)


def test_the_lock_survives_a_fork_and_gets_the_new_process_id(tmp_path: Path) -> None:
    forks = f"if os.fork(): os._exit(0)\nlock.write_pid(); {WAITS}"
    with process(tmp_path, forks) as (running, child):
        try:
            running.wait()
            assert holder(tmp_path) == str(child) != str(running.pid)
        finally:
            os.kill(child, signal.SIGKILL)


def test_a_shorter_process_id_replaces_a_longer_one_completely(tmp_path: Path) -> None:
    (tmp_path / LOCK_FILE_NAME).write_text("99999999999\n")
    lock = DirectoryLock(tmp_path)
    assert (tmp_path / LOCK_FILE_NAME).read_text() == f"{os.getpid()}\n"
    lock.release()


def test_a_holder_without_a_process_id_is_reported_as_unknown(tmp_path: Path) -> None:
    lock = DirectoryLock(tmp_path)
    (tmp_path / LOCK_FILE_NAME).write_text("")
    assert holder(tmp_path) == "unknown"
    lock.release()


def test_a_full_disk_does_not_prevent_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", fail)
    lock = DirectoryLock(tmp_path)
    with pytest.raises(StoreError, match="in use by another pmslink, process unknown"):
        DirectoryLock(tmp_path)
    lock.release()


def test_a_missing_directory_cannot_be_locked(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"nowhere: cannot be locked: No such file or directory"):
        DirectoryLock(tmp_path / "nowhere")


# the directory


def test_a_state_directory_is_accessible_to_its_owner_only(tmp_path: Path) -> None:
    directory = tmp_path / "some" / "where"
    create_state_directory(directory)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    create_state_directory(directory)


def test_the_error_says_why_the_directory_cannot_be_created(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=rf"state_dir = {tmp_path}/file: cannot be created: File exists"):
        create_state_directory(tmp_path / "file")
    with pytest.raises(StoreError, match="cannot be created: Not a directory"):
        create_state_directory(tmp_path / "file" / "below")


def test_a_directory_that_is_not_writable_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        os, "access", lambda path, mode: False
    )  # root, who may run this test, can write to any directory
    with pytest.raises(StoreError, match=rf"state_dir = {tmp_path}: is not writable"):
        create_state_directory(tmp_path)


# Moving a store aside.


def test_all_files_of_a_store_are_moved_aside(tmp_path: Path) -> None:
    harness = StoreHarness(FaultyDatabase(SqliteDatabase(tmp_path)))
    data = {part: (tmp_path / part).read_bytes() for part in PARTS}
    moved = move_aside(tmp_path, START_TIME)
    harness.crash()
    assert moved == [tmp_path / f"{part}.20260101T000000" for part in PARTS]
    assert {path.name for path in tmp_path.iterdir()} == {LOCK_FILE_NAME, *(path.name for path in moved)}
    for part in (STORE_FILE_NAME, f"{STORE_FILE_NAME}-wal"):
        assert (tmp_path / f"{part}.20260101T000000").read_bytes() == data[part]


def test_the_next_start_creates_a_new_store(tmp_path: Path) -> None:
    (tmp_path / STORE_FILE_NAME).write_text("damaged")
    move_aside(tmp_path, START_TIME)
    harness = StoreHarness(FaultyDatabase(SqliteDatabase(tmp_path)))
    assert harness.store.startup_snapshot.unresolved_rows == []
    harness.crash()


def test_an_earlier_store_that_was_moved_aside_is_not_overwritten(tmp_path: Path) -> None:
    for content in ("first", "second"):
        (tmp_path / STORE_FILE_NAME).write_text(content)
        move_aside(tmp_path, START_TIME)
    contents = {path.name: path.read_text() for path in tmp_path.glob(f"{STORE_FILE_NAME}.*")}
    assert sorted(contents.values()) == ["first", "second"]
    assert contents[f"{STORE_FILE_NAME}.20260101T000000"] == "first"


def test_a_store_that_was_moved_aside_has_the_time_in_its_name(tmp_path: Path) -> None:
    for seconds in (0, 1):
        (tmp_path / STORE_FILE_NAME).touch()
        (path,) = move_aside(tmp_path, START_TIME + timedelta(seconds=seconds))
        assert path.name == f"{STORE_FILE_NAME}.20260101T00000{seconds}"


def test_moving_aside_a_missing_store_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=rf"{tmp_path}/{STORE_FILE_NAME}: there is no store to move aside"):
        move_aside(tmp_path, START_TIME)


def test_a_store_in_use_is_not_moved_aside(tmp_path: Path) -> None:
    (tmp_path / STORE_FILE_NAME).touch()
    lock = DirectoryLock(tmp_path)
    with pytest.raises(StoreError, match=f"in use by another pmslink, process {os.getpid()}"):
        move_aside(tmp_path, START_TIME)
    assert {path.name for path in tmp_path.iterdir()} == {LOCK_FILE_NAME, STORE_FILE_NAME}
    lock.release()
    assert move_aside(tmp_path, START_TIME)
