"""The state directory: create it, lock it, and move a damaged store aside."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from pmslink.store.core.store_errors import StoreError

STORE_FILE_NAME = "store.sqlite3"
LOCK_FILE_NAME = "lock"
_STORE_FILE_NAMES = (STORE_FILE_NAME, f"{STORE_FILE_NAME}-wal", f"{STORE_FILE_NAME}-shm")


class DirectoryLock:
    """The lock of a state directory, which one service holds. Two would disconnect each other's links.

    The lock is released when the process ends. It survives a fork; after one, call `write_pid` again, because
    the file contains the process id of the holder.
    """

    def __init__(self, directory: Path) -> None:
        """Take the lock. Raises StoreError, which names the process that holds it."""
        self.path = directory / LOCK_FILE_NAME
        try:
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as problem:
            raise StoreError(
                f"the state directory {directory}: cannot be locked: {problem.strerror}"
            ) from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._file, 20).decode("ascii", "replace").strip() or "unknown"
            os.close(self._file)
            raise StoreError(
                f"the state directory {directory} is in use by another pmslink, process {holder}: "
                "stop that process, or use another directory"
            ) from None
        self.write_pid()

    def write_pid(self) -> None:
        """Write the id of this process into the lock file. On a full disk, the file stays without one."""
        with suppress(OSError):  # the lock holds all the same
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Release the lock."""
        os.close(self._file)


def create_state_directory(directory: Path) -> None:
    """Create a state directory that only its owner can read. Raises StoreError."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        raise StoreError(f"state_dir = {directory}: cannot be created: {problem.strerror}") from None
    if not os.access(directory, os.W_OK | os.X_OK):
        raise StoreError(f"state_dir = {directory}: is not writable")


def move_aside(directory: Path, now: datetime) -> list[Path]:
    """Rename the files of a store, so that the next start creates a new one, and return the new paths.

    Raises StoreError.
    """
    lock = DirectoryLock(directory)
    try:
        while (directory / f"{STORE_FILE_NAME}.{(suffix := now.strftime('%Y%m%dT%H%M%S'))}").exists():
            now += timedelta(seconds=1)
        moved = []
        for name in _STORE_FILE_NAMES:
            if (directory / name).exists():
                moved.append((directory / name).rename(directory / f"{name}.{suffix}"))
    finally:
        lock.release()
    if not moved:
        raise StoreError(f"{directory / STORE_FILE_NAME}: there is no store to move aside")
    return moved
