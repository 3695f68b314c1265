"""Postings over HTTP: the rate of acceptance, and the latency, of pmslink and of three other servers.

FastAPI and aiohttp store each posting with sqlite3, as durably as pmslink does. The bare Klein route stores
nothing: it shows what HTTP alone costs. Rounds alternate, so that noise affects all servers alike. A target
is a ratio of two rates of the same round. The CPU of a server per posting is meaningful on a busy machine,
too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
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

TARGETS: Mapping[int, Mapping[str, float]] = {
    1: {"FastAPI": 1.2, "aiohttp": 0.8},
    10: {"FastAPI": 1.2, "aiohttp": 0.8},
    100: {"FastAPI": 2.0, "aiohttp": 1.2},
}
"""By number of concurrent callers: the least ratio of pmslink's rate to that of another server."""
MODULES = {
    "Klein, stores nothing": "bench.baseline_route",
    "aiohttp": "bench.posting_aiohttp",
    "FastAPI": "bench.posting_fastapi",
}
PMSLINK = "pmslink"
ROUNDS = 5
ROUND_S = 2.0
"""Duration of each round, for each of the servers."""
WARM_UP_CALLERS, WARM_UP_S = 10, 1
STEADY_RATE_PER_S = 500
STEADY_ROUND_S = 5
STEADY_ROUNDS = 3

Round = Mapping[str, tuple[float, float]]
"""Responses per second, and microseconds of CPU per response, by server."""


@contextmanager
def start_servers(folder: Path) -> Iterator[dict[str, ServerProcess]]:
    """Start all servers, and warm them up."""
    with ExitStack() as stack:
        servers = {}
        for name, module in MODULES.items():
            port = free_port()
            servers[name] = stack.enter_context(start_module(module, port, folder / f"{name}.db", port=port))
        servers[PMSLINK] = stack.enter_context(start_service(folder))
        for server in servers.values():
            run_load("closed", server.port, WARM_UP_CALLERS, WARM_UP_S)
        yield servers


def measure_rate(server: ServerProcess, caller_count: int) -> tuple[float, float]:
    """Measure responses per second, and microseconds of CPU per response."""
    cpu_before_s = server.cpu_seconds()
    results = run_load("closed", server.port, caller_count, ROUND_S)
    return results["rate"], 1e6 * (server.cpu_seconds() - cpu_before_s) / results["answers"]


def compare_rates(servers: Mapping[str, ServerProcess]) -> None:
    """Print the rates of all servers for each number of callers."""
    for caller_count, targets in TARGETS.items():
        rounds: list[Round] = [
            {name: measure_rate(server, caller_count) for name, server in servers.items()}
            for _ in range(ROUNDS)
        ]
        rows = [
            (name, *_format_server(rounds, name), *_format_ratio(rounds, name, targets)) for name in servers
        ]
        columns = ("postings/s", "CPU of the server per posting", "pmslink / this", "target")
        print_table(f"{caller_count} callers", columns, rows)


def _format_server(rounds: list[Round], name: str) -> tuple[str, str]:
    rates, cpu = zip(*(round_[name] for round_ in rounds), strict=True)
    return format_spread(rates), f"{median(cpu):,.0f} µs"


def _format_ratio(rounds: list[Round], name: str, targets: Mapping[str, float]) -> tuple[str, str]:
    if name == PMSLINK:
        return "", ""
    ratios = [round_[PMSLINK][0] / round_[name][0] for round_ in rounds]
    return format_spread(ratios, 2), f"at least {targets[name]}" if name in targets else "–"


def compare_latencies(servers: Mapping[str, ServerProcess]) -> None:
    """Print the latencies of all servers at a steady rate."""
    rounds = [
        {
            name: run_load("steady", server.port, STEADY_RATE_PER_S, STEADY_ROUND_S)
            for name, server in servers.items()
        }
        for _ in range(STEADY_ROUNDS)
    ]
    rows = [
        (
            name,
            *(
                format_spread([round_[name][figure] for round_ in rounds], 1, " ms")
                for figure in ("p50", "p99", "max")
            ),
            "p99 under 50 ms" if name == PMSLINK else "–",
        )
        for name in servers
    ]
    title = f"{STEADY_RATE_PER_S} postings a second for {STEADY_ROUND_S} s, time to 202"
    print_table(title, ("p50", "p99", "max", "target"), rows)


def main() -> None:
    """Start all servers, and print all tables."""
    with state_directory() as folder, start_servers(folder) as servers:
        compare_rates(servers)
        compare_latencies(servers)


if __name__ == "__main__":
    main()
