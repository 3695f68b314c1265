"""The limit of open files: each port and each connection of a process uses one descriptor."""

from __future__ import annotations

import resource


def raise_descriptor_limit(needed: int | None = None) -> None:
    """Raise the soft limit of open files to the hard limit.

    If `needed` is given, a soft limit that is high enough stays unchanged.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if needed is None or soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
