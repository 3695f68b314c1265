"""Disks for a test: an ext4 disk whose power can be cut, and a small disk that can be filled.

Both need root. They are unmounted at the end of the test, also if it fails.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.process.server_processes import wait_until


class Disk:
    """A file system on a directory, and the arguments of `mount` for it."""

    def __init__(self, path: Path, *mount_arguments: str) -> None:
        self.path = path
        self._mount_arguments = mount_arguments
        path.mkdir()

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
    image, disk = folder / "image", Disk(folder / "disk", "-o", "loop", str(folder / "image"))
    with image.open("wb") as file:
        file.truncate(megabytes << 20)
    run_command("mkfs.ext4", "-q", "-F", str(image))
    try:
        disk.mount()
    except subprocess.CalledProcessError as problem:
        if "CI" in os.environ:
            raise
        pytest.skip(f"NOT run: this machine mounts no loop devices: {problem.stderr.decode().strip()}")
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


def run_command(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
