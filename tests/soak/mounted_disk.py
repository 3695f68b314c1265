"""Disks for a test: an ext4 disk whose power can be cut, and a small disk that can be filled.

Both need root. They are unmounted at the end of the test, also if it fails.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.process.server_processes import wait_until

BLOCK_BYTES = 4096


class Disk:
    """A file system on a directory, and the arguments of `mount` for it."""

    def __init__(self, path: Path, *mount_arguments: str) -> None:
        self.path = path
        self._mount_arguments = mount_arguments
        path.mkdir(parents=True)

    def mount(self) -> None:
        run_command("mount", *self._mount_arguments, str(self.path))

    def unmount(self) -> None:
        """Unmount, as soon as the kernel has noticed that the killed service has no open files."""
        wait_until(lambda: self._try_unmount(), f"{self.path} can be unmounted")

    def _try_unmount(self) -> bool:
        return subprocess.run(["umount", str(self.path)], check=False, capture_output=True).returncode == 0

    def cut_power(self) -> None:
        """Discard all later writes, and what is only in the file system's log."""
        run_command("xfs_io", "-x", "-c", "shutdown", str(self.path))

    def free_bytes(self) -> int:
        """Return the free bytes."""
        stat = os.statvfs(self.path)
        return stat.f_bavail * stat.f_frsize

    def force_unmount(self) -> None:
        """Unmount, even if a process has open files on the disk."""
        if self.path.is_mount():
            run_command("umount", "--lazy", str(self.path))


@contextmanager
def ext4_disk(folder: Path, megabytes: int) -> Iterator[Disk]:
    """Mount an empty ext4 file system in a file. Skip the test if the machine cannot."""
    image = folder / "image"
    make_ext4(image, megabytes)
    with mounted_image(folder, image) as disk:
        yield disk


@contextmanager
def thin_ext4_disk(folder: Path, megabytes: int) -> Iterator[tuple[Disk, Disk]]:
    """Mount an empty ext4 file system in a file on a disk in memory, and return both.

    Only the free blocks of the file system take no space yet on the disk below. When that is full, no data
    can be written to new blocks, while the file system and its journal go on.
    """
    with tmpfs_disk(folder, megabytes + 16) as below:
        image = below.path / "image"
        make_ext4(image, megabytes)
        image.write_bytes(image.read_bytes())
        free_blocks = run_command("dumpe2fs", str(image))
        for first, last in re.findall(r"^  Free blocks: (\d+)-(\d+)$", free_blocks, re.MULTILINE):
            start, length = int(first) * BLOCK_BYTES, (int(last) - int(first) + 1) * BLOCK_BYTES
            run_command("fallocate", "--punch-hole", "-o", str(start), "-l", str(length), str(image))
        with mounted_image(below.path, image) as disk:
            yield disk, below


def make_ext4(image: Path, megabytes: int) -> None:
    with image.open("wb") as file:
        file.truncate(megabytes << 20)
    options = "nodiscard,lazy_itable_init=0,lazy_journal_init=0"
    run_command("mkfs.ext4", "-q", "-F", "-b", str(BLOCK_BYTES), "-E", options, str(image))


@contextmanager
def mounted_image(folder: Path, image: Path) -> Iterator[Disk]:
    disk = Disk(folder / "disk", "-o", "loop", str(image))
    try:
        disk.mount()
    except subprocess.CalledProcessError as problem:
        if "CI" in os.environ:
            raise
        pytest.skip(f"NOT run: this machine mounts no loop devices: {problem.stderr.strip()}")
    try:
        yield disk
    finally:
        disk.force_unmount()


@contextmanager
def tmpfs_disk(folder: Path, megabytes: int) -> Iterator[Disk]:
    """Mount a small file system in memory."""
    disk = Disk(folder / "disk", "-t", "tmpfs", "-o", f"size={megabytes}m", "none")
    disk.mount()
    try:
        yield disk
    finally:
        disk.force_unmount()


def run_command(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
