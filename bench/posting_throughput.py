"""Postings over HTTP: how many are accepted, beside a bare route, and how long a caller waits."""

from __future__ import annotations

from statistics import median

from bench.bench_processes import Served, free_port, load, module, service, show, spread, state_directory

CALLERS = (1, 10, 100)
ROUNDS = 5
SECONDS = 2.0
"""How long each round lasts, for each of the two."""
STEADY = 500
STEADY_SECONDS = 10
STEADY_ROUNDS = 3


def one(served: Served, callers: int) -> tuple[float, float]:
    """Answers in a second, and microseconds of CPU for each."""
    before = served.cpu()
    measured = load("closed", served.port, callers, SECONDS)
    return measured["rate"], 1e6 * (served.cpu() - before) / measured["answers"]


def rates(pmslink: Served, bare: Served) -> None:
    """One after the other in turn, so that both have the same noise."""
    rows = []
    for callers in CALLERS:
        pairs = [(one(bare, callers), one(pmslink, callers)) for _ in range(ROUNDS)]
        (of_bare, bare_cpu), (of_pmslink, cpu) = (
            zip(*side, strict=True) for side in zip(*pairs, strict=True)
        )
        ratios = [accepted / answered for (answered, _), (accepted, _) in pairs]
        target = "0.6 at least" if callers == max(CALLERS) else "–"
        cost = f"{median(cpu):,.0f} / {median(bare_cpu):,.0f} µs"
        rows.append((str(callers), spread(of_bare), spread(of_pmslink), spread(ratios, 2), target, cost))
    columns = ("bare route, 1/s", "pmslink, 1/s", "ratio", "target", "CPU of each, pmslink / bare")
    show("callers at a time", columns, rows)


def waits(pmslink: Served, bare: Served) -> None:
    """At times that are fixed in advance, from these to the answer."""
    rounds = [
        [load("steady", served.port, STEADY, STEADY_SECONDS) for served in (bare, pmslink)]
        for _ in range(STEADY_ROUNDS)
    ]
    targets = {"p50": "–", "p99": "under 50 ms", "max": "–"}
    rows = [
        (
            name,
            *(spread([figure[name] for figure in side], 1, " ms") for side in zip(*rounds, strict=True)),
            target,
        )
        for name, target in targets.items()
    ]
    title = f"{STEADY} postings a second for {STEADY_SECONDS} s, until 202"
    show(title, ("bare route", "pmslink", "target"), rows)


def main() -> None:
    port = free_port()
    with (
        state_directory() as folder,
        service(folder) as pmslink,
        module("bench.baseline_route", port, port=port) as bare,
    ):
        for served in (bare, pmslink):
            load("closed", served.port, 10, 1)
        rates(pmslink, bare)
        waits(pmslink, bare)


if __name__ == "__main__":
    main()
