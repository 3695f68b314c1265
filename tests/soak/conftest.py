"""A report of the campaigns' results, printed at once and again at the end of the run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

RESULTS_KEY = pytest.StashKey[list[str]]()


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Return a function that reports the result of a campaign in one line."""

    def report_line(line: str) -> None:
        print(line)
        request.config.stash.setdefault(RESULTS_KEY, []).append(f"{request.node.name}: {line}")

    return report_line


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if lines := config.stash.get(RESULTS_KEY, []):
        terminalreporter.section("results of the campaigns")
        for line in lines:
            terminalreporter.line(line)
