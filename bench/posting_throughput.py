"""Postings over HTTP: the rate of acceptance, and the latency; the baseline is a bare route."""

from __future__ import annotations

from statistics import median

from bench.bench_processes import (
    ServerProcess,
    format_spread,
    free_port,
    print_table,
    run_load,
    start_module,
    start_service,
    state_directory,
)

CALLER_COUNTS = (1, 10, 100)
ROUNDS = 5
ROUND_S = 2.0
"""Duration of each round, for each of the two services."""
WARM_UP_CALLERS, WARM_UP_S = 10, 1
STEADY_RATE_PER_S = 500
STEADY_ROUND_S = 10
STEADY_ROUNDS = 3


def measure_rate(server: ServerProcess, caller_count: int) -> tuple[float, float]:
    """Measure responses per second, and microseconds of CPU per response."""
    cpu_before_s = server.cpu_seconds()
    results = run_load("closed", server.port, caller_count, ROUND_S)
    return results["rate"], 1e6 * (server.cpu_seconds() - cpu_before_s) / results["answers"]


def compare_rates(pmslink: ServerProcess, baseline: ServerProcess) -> None:
    """Print the rates of both; their rounds alternate, so that noise affects both alike."""
    rows = []
    for caller_count in CALLER_COUNTS:
        pairs = [
            (measure_rate(baseline, caller_count), measure_rate(pmslink, caller_count)) for _ in range(ROUNDS)
        ]
        (baseline_rates, baseline_cpu), (pmslink_rates, pmslink_cpu) = (
            zip(*results, strict=True) for results in zip(*pairs, strict=True)
        )
        ratios = [pmslink_rate / baseline_rate for (baseline_rate, _), (pmslink_rate, _) in pairs]
        rows.append(
            (
                str(caller_count),
                format_spread(baseline_rates),
                format_spread(pmslink_rates),
                format_spread(ratios, 2),
                "at least 0.6" if caller_count == max(CALLER_COUNTS) else "–",
                f"{median(pmslink_cpu):,.0f} / {median(baseline_cpu):,.0f} µs",
            )
        )
    columns = ("baseline, 1/s", "pmslink, 1/s", "ratio", "target", "CPU per posting, pmslink / baseline")
    print_table("concurrent callers", columns, rows)


def compare_latencies(pmslink: ServerProcess, baseline: ServerProcess) -> None:
    """Print the latencies of both at a steady rate."""
    rounds = [
        [run_load("steady", server.port, STEADY_RATE_PER_S, STEADY_ROUND_S) for server in (baseline, pmslink)]
        for _ in range(STEADY_ROUNDS)
    ]
    targets = {"p50": "–", "p99": "under 50 ms", "max": "–"}
    rows = [
        (
            name,
            *(
                format_spread([latencies[name] for latencies in results], 1, " ms")
                for results in zip(*rounds, strict=True)
            ),
            target,
        )
        for name, target in targets.items()
    ]
    title = f"{STEADY_RATE_PER_S} postings a second for {STEADY_ROUND_S} s, time to 202"
    print_table(title, ("baseline", "pmslink", "target"), rows)


def main() -> None:
    """Start both services, and print both tables."""
    port = free_port()
    with (
        state_directory() as folder,
        start_service(folder) as pmslink,
        start_module("bench.baseline_route", port, port=port) as baseline,
    ):
        for server in (baseline, pmslink):
            run_load("closed", server.port, WARM_UP_CALLERS, WARM_UP_S)
        compare_rates(pmslink, baseline)
        compare_latencies(pmslink, baseline)


if __name__ == "__main__":
    main()
