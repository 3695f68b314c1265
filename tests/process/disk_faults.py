"""Faults of the disk under a running process, injected with strace into its calls of fsync and fdatasync.

The data is in the kernel's cache all the same, as after a real failure: the process cannot know whether it
is stored.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.process.server_processes import wait_until

FAILING = "error=EIO"
"""Each sync fails, and the kernel is not asked to write."""
_SYNC_CALLS = "fsync,fdatasync"


def slow(milliseconds: int) -> str:
    """Return the fault that each sync takes at least so long."""
    return f"delay_enter={milliseconds * 1000}"


@contextmanager
def faulty_syncs(pid: int, folder: Path, fault: str) -> Iterator[None]:
    """Inject a fault into all syncs of a process. A process that is killed meanwhile ends it too."""
    trace, messages = folder / "strace.txt", folder / "strace-messages.txt"
    command = ["strace", "-f", "-p", str(pid), "-e", f"trace={_SYNC_CALLS}"]
    with messages.open("w") as output:
        strace = subprocess.Popen(
            [*command, "-e", f"inject={_SYNC_CALLS}:{fault}", "-o", str(trace)], stderr=output
        )
    try:
        wait_until(lambda: "attached" in messages.read_text(), "strace is attached")
        yield
    finally:
        strace.terminate()
        strace.wait()


def count_faults(folder: Path) -> int:
    """Return how many syncs the last fault has hit."""
    trace = (folder / "strace.txt").read_text()
    return trace.count("INJECTED") + trace.count("DELAYED")
