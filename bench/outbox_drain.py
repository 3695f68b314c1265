"""What waits for a PMS that comes back: how fast it goes out, one posting after the other."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from bench.bench_processes import (
    LINK,
    PATIENCE,
    call,
    free_port,
    load,
    service,
    show,
    state_directory,
    twistd,
)
from bench.commit_throughput import bare

MANY, CALLERS = 10_000, 50
FEW, DELAY = 300, 0.08
"""Postings, and the seconds after which a slow PMS answers each."""


def drained(folder: Path, postings: int, delay: float) -> float:
    """Seconds from the moment at which the link is enabled until all are answered."""
    folder.mkdir()
    pms, control = free_port(), free_port()
    local = "tcp:{}:interface=127.0.0.1"
    simulator = ("pmssim", "--listen", local.format(pms), "--control", local.format(control), "--rooms", 1000)
    with service(folder, pms) as served, twistd(*simulator, port=control):
        api = served.port
        if delay:
            call(control, "POST", "/faults", {"pa_delay": delay})
        load("count", api, min(CALLERS, postings), postings)
        begun = time.monotonic()
        call(api, "POST", f"/api/v1/links/{LINK}/enable")
        while (outbox := call(api, "GET", f"/api/v1/links/{LINK}")["outbox"])["pending"] or _on_its_way(api):
            if time.monotonic() - begun > PATIENCE:
                raise SystemExit(f"not within {PATIENCE:g} s: {outbox['pending']} postings still wait")
            time.sleep(0.2)
        return time.monotonic() - begun


def _on_its_way(api: int) -> bool:
    """Whether the newest posting is not answered yet."""
    path = f"/api/v1/links/{LINK}/postings?limit=1"
    newest: list[dict[str, Any]] = call(api, "GET", path)["postings"]
    return bool(newest[0]["state"] == "sent")


def main() -> None:
    with state_directory() as folder:
        before = bare(folder / "before")
        rate = MANY / drained(folder / "many", MANY, 0.0)
        commits = (before + bare(folder / "after")) / 2
        slow = drained(folder / "few", FEW, DELAY)
    at_once = f"{MANY:,} postings, answered at once"
    late = f"{FEW} postings, answered after {DELAY * 1000:g} ms"
    rows = [
        (at_once, f"{rate:,.0f}/s", f"{rate / commits:.2f} of a row in each commit ({commits:,.0f}/s)"),
        (late, f"{slow:.1f} s", f"{slow / (FEW * DELAY):.2f} of {FEW * DELAY:g} s"),
    ]
    show("sent after an outage", ("measured", "beside"), rows)


if __name__ == "__main__":
    main()
