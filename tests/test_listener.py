"""Tests of listening: a port that cannot be opened ends the program with one line."""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred, fail
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IListeningPort, IProtocolFactory, IStreamServerEndpoint
from twisted.internet.protocol import Factory
from zope.interface import implementer

from pmslink.listener import ListenerService
from tests.time_limit import time_limit


def test_a_socket_whose_directory_is_missing_is_named(tmp_path: Path) -> None:
    endpoint = serverFromString(reactor, f"unix:{tmp_path}/none/pmslink.sock")
    with pytest.raises(SystemExit) as exit_info:
        ListenerService("pmslink", endpoint, Factory()).privilegedStartService()
    assert str(exit_info.value).startswith(f"pmslink: cannot listen on {tmp_path}/none/pmslink.sock")
    assert str(exit_info.value).endswith("No such file or directory")


@time_limit(10)
async def test_a_socket_that_is_in_use_is_named(tmp_path: Path) -> None:
    path = tmp_path / "pmslink.sock"
    endpoint = serverFromString(reactor, f"unix:{path}")
    first = ListenerService("pmslink", endpoint, Factory())
    first.startService()
    with pytest.raises(SystemExit) as exit_info:
        ListenerService("pmslink", endpoint, Factory()).privilegedStartService()
    assert str(exit_info.value) == f"pmslink: cannot listen on {path}: Cannot acquire lock"
    await first.stopService()


@implementer(IStreamServerEndpoint)
class BrokenEndpoint:
    """An endpoint with an internal error."""

    def listen(self, factory: IProtocolFactory) -> Deferred[IListeningPort]:
        return fail(ZeroDivisionError("a fault"))


def test_an_unexpected_error_is_raised_unchanged() -> None:
    with pytest.raises(ZeroDivisionError):
        ListenerService("pmslink", BrokenEndpoint(), Factory()).privilegedStartService()
