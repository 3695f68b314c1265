"""The rate at which queued postings are sent to a PMS after an outage, one posting after the other."""

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
"""Number of postings for a slow PMS, and the delay of each of its answers."""
POLL_INTERVAL_S = 0.2


def measure_drain(folder: Path, posting_count: int, answer_delay_s: float) -> float:
    """Measure the seconds from the enabling of the link until all postings are answered."""
    folder.mkdir()
    pms_port, control_port, endpoint = free_port(), free_port(), "tcp:{}:interface=127.0.0.1"
    listen = ("--listen", endpoint.format(pms_port), "--control", endpoint.format(control_port))
    with (
        start_service(folder, pms_port) as pmslink,
        start_twistd("pmssim", *listen, "--rooms", 1000, port=control_port),
    ):
        if answer_delay_s:
            call(control_port, "POST", "/faults", {"pa_delay": answer_delay_s})
        run_load("count", pmslink.port, min(CALLER_COUNT, posting_count), posting_count)
        started_at = time.monotonic()
        call(pmslink.port, "POST", f"/api/v1/links/{LINK}/enable")
        while (pending := _pending_count(pmslink.port)) or _is_newest_unanswered(pmslink.port):
            if time.monotonic() - started_at > WAIT_TIMEOUT_S:
                raise SystemExit(f"not within {WAIT_TIMEOUT_S:g} s: {pending} postings are still pending")
            time.sleep(POLL_INTERVAL_S)
        return time.monotonic() - started_at


def _pending_count(api_port: int) -> int:
    count: int = call(api_port, "GET", f"/api/v1/links/{LINK}")["outbox"]["pending"]
    return count


def _is_newest_unanswered(api_port: int) -> bool:
    postings: list[dict[str, Any]] = call(api_port, "GET", f"/api/v1/links/{LINK}/postings?limit=1")[
        "postings"
    ]
    return bool(postings[0]["state"] == "sent")


def main() -> None:
    """Measure both PMSs and print the table."""
    with state_directory() as folder:
        baseline_before = measure_baseline(folder / "before")
        rate = MANY_POSTINGS / measure_drain(folder / "many", MANY_POSTINGS, 0.0)
        baseline = (baseline_before + measure_baseline(folder / "after")) / 2
        slow_s = measure_drain(folder / "few", FEW_POSTINGS, ANSWER_DELAY_S)
    delays_s = FEW_POSTINGS * ANSWER_DELAY_S
    rows = [
        (
            f"{MANY_POSTINGS:,} postings, answered at once",
            f"{rate:,.0f}/s",
            f"{rate / baseline:.2f} of one row per commit ({baseline:,.0f}/s)",
        ),
        (
            f"{FEW_POSTINGS} postings, answered after {ANSWER_DELAY_S * 1000:g} ms",
            f"{slow_s:.1f} s",
            f"{slow_s / delays_s:.2f} of {delays_s:g} s",
        ),
    ]
    print_table("sent after an outage", ("measured", "baseline"), rows)


if __name__ == "__main__":
    main()
