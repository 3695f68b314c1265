"""Disks of their own for a test: one that is cut off from its power, and one that fills up.

Both need root. Whatever is mounted is unmounted at the end, however the test ends.
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
    """What is mounted, with these arguments of mount, on a directory."""

    def __init__(self, path: Path, *mount_arguments: str) -> None:
        self.path = path
        self._mount_arguments = mount_arguments
        path.mkdir()

    def mount(self) -> None:
        run_command("mount", *self._mount_arguments, str(self.path))

    def unmount(self) -> None:
        """Whoever had files open there has just ended: the kernel may need a moment to notice."""
        wait_until(lambda: self._try_unmount(), f"{self.path} can be unmounted", 20)

    def _try_unmount(self) -> bool:
        return subprocess.run(["umount", str(self.path)], check=False, capture_output=True).returncode == 0

    def cut_power(self) -> None:
        """Nothing reaches the disk from now on, not even what is in the file system's log."""
        run_command("xfs_io", "-x", "-c", "shutdown", str(self.path))

    def free_bytes(self) -> int:
        """Bytes that are left."""
        room = os.statvfs(self.path)
        return room.f_bavail * room.f_frsize

    def force_unmount(self) -> None:
        """Unmounted at last, even while somebody still holds a file there."""
        if self.path.is_mount():
            run_command("umount", "--lazy", str(self.path))


@contextmanager
def ext4_disk(folder: Path, megabytes: int) -> Iterator[Disk]:
    """A disk with a journal, in a file, with nothing on it."""
    image, disk = folder / "image", Disk(folder / "disk", "-o", "loop", str(folder / "image"))
    with image.open("wb") as file:
        file.truncate(megabytes << 20)
    run_command("mkfs.ext4", "-q", "-F", str(image))
    try:
        disk.mount()
    except subprocess.CalledProcessError as refused:
        if "CI" in os.environ:
            raise
        pytest.skip(f"NOT run: this machine mounts no loop devices: {refused.stderr.decode().strip()}")
    try:
        yield disk
    finally:
        disk.force_unmount()


@contextmanager
def tmpfs_disk(folder: Path, megabytes: int) -> Iterator[Disk]:
    """A small disk in memory."""
    disk = Disk(folder / "disk", "-t", "tmpfs", "-o", f"size={megabytes}m", "none")
    disk.mount()
    try:
        yield disk
    finally:
        disk.force_unmount()


def run_command(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
