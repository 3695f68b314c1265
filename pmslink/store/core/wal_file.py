"""The write-ahead log (WAL) of a SQLite database after a sync that failed.

The kernel does not write a page again that it failed to write once: the next sync reports success without
it. On ext4 not even overwriting the page helps, if its block was new: the block keeps its mark "unwritten",
and reads as zeros after a power cut. Only a page of a part of the file that did not exist before is written
reliably. So what may be lost is cut off, or copied to a new file.

The format is documented at https://www.sqlite.org/walformat.html.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import struct
from pathlib import Path

_COPIES_OF_HEADER = 2
_INDEX_HEADER = struct.Struct("=3I2BH8I")
"""The header of the index of a WAL: version, unused, change, is-initialized, byte order, page size, number of
the last frame, and others."""
_INDEX_VERSION = 3007000
_LOCK_OF_CONNECTIONS = 128
"""The byte of the index that each process with a connection has locked."""
_WAL_HEADER_BYTES = 32
_FRAME_HEADER_BYTES = 24


class WalIndexError(OSError):
    """The index of a WAL cannot be read."""


class WalIndex:
    """The index of a WAL, which SQLite has in shared memory while any connection is open.

    It is never closed: with a file, Linux drops all locks that the process has on it, also those of SQLite.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def end_of_commits(self) -> int:
        """Return how long the WAL is up to its last commit, in bytes. Raises WalIndexError."""
        content = os.pread(self._open(), _COPIES_OF_HEADER * _INDEX_HEADER.size, 0)
        first, second = content[: _INDEX_HEADER.size], content[_INDEX_HEADER.size :]
        if first != second or len(first) < _INDEX_HEADER.size:
            raise WalIndexError("the index of the WAL is being written")
        version, _, _, is_initialized, _, page_bytes, last_frame, *_ = _INDEX_HEADER.unpack(first)
        if version != _INDEX_VERSION or not is_initialized:
            raise WalIndexError("the index of the WAL has an unknown format")
        if not last_frame:
            return 0
        page_bytes = 65536 if page_bytes == 1 else page_bytes
        return int(_WAL_HEADER_BYTES + last_frame * (_FRAME_HEADER_BYTES + page_bytes))

    def _open(self) -> int:
        if self._descriptor is None or os.fstat(self._descriptor).st_ino != self._path.stat().st_ino:
            self._descriptor = os.open(self._path, os.O_RDONLY)
        return self._descriptor


def cut_off_after_commits(wal: Path, index: WalIndex) -> None:
    """Remove what follows the last commit from a WAL that nobody is writing, and sync it. Raises OSError."""
    end = index.end_of_commits()
    if wal.exists():
        with wal.open("r+b") as file:
            if os.fstat(file.fileno()).st_size > end:
                file.truncate(end)
            os.fsync(file.fileno())


def copy_to_new_file(wal: Path, index: Path) -> None:
    """Replace a WAL by a copy that is on the disk for certain. Raises OSError.

    On a full disk it stays as it is, and while another process uses it, for example for a backup.
    """
    if not wal.exists() or _is_in_use(index):
        return
    copy = wal.with_name(f"{wal.name}.new")
    try:
        shutil.copyfile(wal, copy)
        shutil.copymode(wal, copy)
        sync_to_disk(copy)
        copy.rename(wal)
        sync_to_disk(wal.parent)
    except OSError as error:
        copy.unlink(missing_ok=True)
        if error.errno != errno.ENOSPC:
            raise


def _is_in_use(index: Path) -> bool:
    """Return whether another process has a connection: each has a lock on one byte of the index."""
    if not index.exists():
        return False
    with index.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _LOCK_OF_CONNECTIONS)
        except OSError:
            return True
    return False


def sync_to_disk(path: Path) -> None:
    """Write a file, or the names in a directory, to the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
