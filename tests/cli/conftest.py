"""Fixtures for the tests of the command: a fake service, and functions that run the command."""

from __future__ import annotations

import time
from collections.abc import Iterator
from threading import Thread

import pytest

from pmslink.cli.main import main
from tests.cli.fake_service import FakeService, Run


@pytest.fixture
def service() -> Iterator[FakeService]:
    with FakeService() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.stop()
        thread.join()


@pytest.fixture(autouse=True)
def _in_vienna(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Vienna")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command, which must succeed, and return the lines on stdout."""

    def run(*arguments: str) -> list[str]:
        status = main(arguments)
        printed = capsys.readouterr()
        assert (status, printed.err) == (0, "")
        return printed.out.splitlines()

    return run


@pytest.fixture
def fail(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command, which must fail, and return the lines on stderr."""

    def fail(*arguments: str) -> list[str]:
        status = main(arguments)
        printed = capsys.readouterr()
        assert (status, printed.out) == (1, "")
        return printed.err.splitlines()

    return fail
