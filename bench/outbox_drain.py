"""What waits for a PMS that comes back: how fast it goes out, one posting after the other."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from bench.bench_processes import (
    LINK,
    WAIT_TIMEOUT_S,
    call,
    free_port,
    print_table,
    run_load,
    start_service,
    start_twistd,
    state_directory,
)
from bench.commit_throughput import measure_baseline

MANY_POSTINGS, CALLER_COUNT = 10_000, 50
FEW_POSTINGS, ANSWER_DELAY_S = 300, 0.08
"""Postings, and the seconds after which a slow PMS answers each."""


def measure_drain(folder: Path, postings: int, delay: float) -> float:
    """Seconds from the moment at which the link is enabled until all are answered."""
    folder.mkdir()
    pms, control = free_port(), free_port()
    local = "tcp:{}:interface=127.0.0.1"
    simulator = ("pmssim", "--listen", local.format(pms), "--control", local.format(control), "--rooms", 1000)
    with start_service(folder, pms) as served, start_twistd(*simulator, port=control):
        api = served.port
        if delay:
            call(control, "POST", "/faults", {"pa_delay": delay})
        run_load("count", api, min(CALLER_COUNT, postings), postings)
        begun = time.monotonic()
        call(api, "POST", f"/api/v1/links/{LINK}/enable")
        while (outbox := call(api, "GET", f"/api/v1/links/{LINK}")["outbox"])["pending"] or _is_unanswered(
            api
        ):
            if time.monotonic() - begun > WAIT_TIMEOUT_S:
                raise SystemExit(f"not within {WAIT_TIMEOUT_S:g} s: {outbox['pending']} postings still wait")
            time.sleep(0.2)
        return time.monotonic() - begun


def _is_unanswered(api: int) -> bool:
    """Whether the newest posting is not answered yet."""
    path = f"/api/v1/links/{LINK}/postings?limit=1"
    newest: list[dict[str, Any]] = call(api, "GET", path)["postings"]
    return bool(newest[0]["state"] == "sent")


def main() -> None:
    with state_directory() as folder:
        before = measure_baseline(folder / "before")
        rate = MANY_POSTINGS / measure_drain(folder / "many", MANY_POSTINGS, 0.0)
        commits = (before + measure_baseline(folder / "after")) / 2
        slow = measure_drain(folder / "few", FEW_POSTINGS, ANSWER_DELAY_S)
    at_once = f"{MANY_POSTINGS:,} postings, answered at once"
    late = f"{FEW_POSTINGS} postings, answered after {ANSWER_DELAY_S * 1000:g} ms"
    rows = [
        (at_once, f"{rate:,.0f}/s", f"{rate / commits:.2f} of a row in each commit ({commits:,.0f}/s)"),
        (
            late,
            f"{slow:.1f} s",
            f"{slow / (FEW_POSTINGS * ANSWER_DELAY_S):.2f} of {FEW_POSTINGS * ANSWER_DELAY_S:g} s",
        ),
    ]
    print_table("sent after an outage", ("measured", "beside"), rows)


if __name__ == "__main__":
    main()
