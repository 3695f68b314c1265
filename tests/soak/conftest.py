"""Where a campaign says what it has shown: printed at once, and again at the end of the run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

RESULTS_KEY = pytest.StashKey[list[str]]()


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Takes one line that says what a campaign did and found."""

    def say(line: str) -> None:
        print(line)
        request.config.stash.setdefault(RESULTS_KEY, []).append(f"{request.node.name}: {line}")

    return say


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if lines := config.stash.get(RESULTS_KEY, []):
        terminalreporter.section("what was shown")
        for line in lines:
            terminalreporter.line(line)
