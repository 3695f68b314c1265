"""Postings over HTTP: how many are accepted, beside a bare route, and how long a caller waits."""

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
"""How long each round lasts, for each of the two."""
STEADY_RATE_PER_S = 500
STEADY_ROUND_S = 10
STEADY_ROUNDS = 3


def measure_callers(served: ServerProcess, callers: int) -> tuple[float, float]:
    """Answers in a second, and microseconds of CPU for each."""
    before = served.cpu_seconds()
    measured = run_load("closed", served.port, callers, ROUND_S)
    return measured["rate"], 1e6 * (served.cpu_seconds() - before) / measured["answers"]


def compare_rates(pmslink: ServerProcess, baseline: ServerProcess) -> None:
    """One after the other in turn, so that both have the same noise."""
    rows = []
    for callers in CALLER_COUNTS:
        pairs = [
            (measure_callers(baseline, callers), measure_callers(pmslink, callers)) for _ in range(ROUNDS)
        ]
        (of_bare, bare_cpu), (of_pmslink, cpu) = (
            zip(*side, strict=True) for side in zip(*pairs, strict=True)
        )
        ratios = [accepted / answered for (answered, _), (accepted, _) in pairs]
        target = "0.6 at least" if callers == max(CALLER_COUNTS) else "–"
        cost = f"{median(cpu):,.0f} / {median(bare_cpu):,.0f} µs"
        rows.append(
            (
                str(callers),
                format_spread(of_bare),
                format_spread(of_pmslink),
                format_spread(ratios, 2),
                target,
                cost,
            )
        )
    columns = ("bare route, 1/s", "pmslink, 1/s", "ratio", "target", "CPU of each, pmslink / bare")
    print_table("callers at a time", columns, rows)


def compare_latencies(pmslink: ServerProcess, baseline: ServerProcess) -> None:
    """At times that are fixed in advance, from these to the answer."""
    rounds = [
        [run_load("steady", served.port, STEADY_RATE_PER_S, STEADY_ROUND_S) for served in (baseline, pmslink)]
        for _ in range(STEADY_ROUNDS)
    ]
    targets = {"p50": "–", "p99": "under 50 ms", "max": "–"}
    rows = [
        (
            name,
            *(
                format_spread([figure[name] for figure in side], 1, " ms")
                for side in zip(*rounds, strict=True)
            ),
            target,
        )
        for name, target in targets.items()
    ]
    title = f"{STEADY_RATE_PER_S} postings a second for {STEADY_ROUND_S} s, until 202"
    print_table(title, ("bare route", "pmslink", "target"), rows)


def main() -> None:
    port = free_port()
    with (
        state_directory() as folder,
        start_service(folder) as pmslink,
        start_module("bench.baseline_route", port, port=port) as bare,
    ):
        for served in (bare, pmslink):
            run_load("closed", served.port, 10, 1)
        compare_rates(pmslink, bare)
        compare_latencies(pmslink, bare)


if __name__ == "__main__":
    main()
