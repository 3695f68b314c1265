"""10 000 links in one process, docked to simulators: time, CPU and memory, and the same with fewer links."""

from __future__ import annotations

import json
import subprocess
import sys
from statistics import quantiles
from typing import Any

from bench.bench_processes import print_table

LINK_COUNTS = (500, 1000, 10_000)
RUN_TIMEOUT_S = 900


def measure(link_count: int) -> dict[str, Any]:
    """Return the figures of a service with so many links, measured in a process of its own."""
    command = [sys.executable, "-m", "bench.many_links_service", str(link_count)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=RUN_TIMEOUT_S)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def p99_ms(seconds: list[float]) -> str:
    """Return the 99th percentile and the maximum of durations."""
    return f"{1000 * quantiles(seconds, n=100)[98]:.0f} ms (longest {1000 * max(seconds):.0f})"


def milliseconds(seconds: float) -> str:
    """Format a duration in milliseconds; 0 was not measured."""
    return f"{1000 * seconds:.1f} ms" if seconds else "–"


def main() -> None:
    """Run all measurements and print the table."""
    figures = {count: measure(count) for count in LINK_COUNTS}

    def row(name: str, show: Any, target: str = "–") -> tuple[str, ...]:
        return (name, *(show(figures[count]) for count in LINK_COUNTS), target)

    base = figures[LINK_COUNTS[0]]["cpu_per_docking_s"]
    rows = [
        row("all in sync after the start", lambda run: f"{run['start_s']:.1f} s", "60 s"),
        row("the first resync of all stored", lambda run: f"{run['resyncs_s']:.1f} s"),
        row(
            "CPU per docking, with a resync of 10 rooms",
            lambda run: f"{milliseconds(run['cpu_per_docking_s'])} (× {run['cpu_per_docking_s'] / base:.2f})",
            "× 1.5",
        ),
        row("one link's `GET` meanwhile, p99", lambda run: p99_ms(run["docking_requests_s"]), "200 ms"),
        row("all in sync after all PMSs were away", lambda run: f"{run['recovery_s']:.1f} s", "60 s"),
        row("CPU per link of it", lambda run: milliseconds(run["cpu_per_recovery_s"])),
        row("one link's `GET` meanwhile, p99", lambda run: p99_ms(run["recovery_requests_s"]), "200 ms"),
        row("links dropped by the service itself", lambda run: str(sum(run["own_drops"].values())), "0"),
        row("memory of a link and its 10 rooms", lambda run: f"{run['link_kib']:.1f} KiB", "40 KiB"),
        row("CPU while idle", lambda run: f"{run['idle_ratio']:.1%} of a core", "25 %"),
        *(
            row(f"`GET /links?{query}`", lambda run, query=query: milliseconds(run["page_s"][query]), "20 ms")
            for query in figures[LINK_COUNTS[0]]["page_s"]
        ),
        row("longest turn without a request", lambda run: milliseconds(run["idle_turn_s"])),
        row("longest turn of `GET /metrics`", lambda run: milliseconds(run["metrics_turn_s"]), "50 ms"),
        row("`GET /metrics`", lambda run: f"{run['metrics_s']:.2f} s"),
        row(
            "longest turn while 100 streams begin",
            lambda run: milliseconds(run["subscribers_turn_s"]),
            "50 ms with 1 000 links",
        ),
        row("100 streams begin", lambda run: milliseconds(run["subscribers_s"])),
    ]
    print_table("links of one process", [*(f"{count:,}" for count in LINK_COUNTS), "target"], rows)
    drops = {count: run["own_drops"] for count, run in figures.items() if run["own_drops"]}
    if drops:
        print(f"dropped by the service itself, by cause: {drops}")


if __name__ == "__main__":
    main()
