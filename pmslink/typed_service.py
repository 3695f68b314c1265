"""Twisted's services with type annotations, which Twisted 26.10 does not have on start, stop and parent."""

from __future__ import annotations

from typing import Any

from twisted.application.service import IServiceCollection, MultiService, Service
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.logger import Logger


class TypedService(Service):
    """Base class of every pmslink service without child services."""

    def setServiceParent(self, parent: IServiceCollection) -> None:
        """Add the service to `parent`. Start it if `parent` is running."""
        Service.setServiceParent(self, parent)

    def privilegedStartService(self) -> None:
        """Do what has to happen before the process gives up its privileges."""
        Service.privilegedStartService(self)

    def startService(self) -> None:
        """Start the service."""
        Service.startService(self)

    def stopService(self) -> Deferred[Any] | None:
        """Stop the service. A Deferred fires when it has stopped; None means that it has."""
        Service.stopService(self)
        return None


class TypedMultiService(MultiService):
    """Base class of every pmslink service that starts and stops child services."""

    def __init__(self) -> None:
        MultiService.__init__(self)

    def setServiceParent(self, parent: IServiceCollection) -> None:
        """Add the service to `parent`. Start it if `parent` is running."""
        MultiService.setServiceParent(self, parent)

    def startService(self) -> None:
        """Start the service and its children."""
        MultiService.startService(self)

    def stopService(self) -> Deferred[Any]:
        """Stop the service and its children. Fire when all have stopped."""
        stopped: Deferred[Any] = MultiService.stopService(self)
        return stopped


class SequentialMultiService(TypedMultiService):
    """Stops its children one after the other, the last first, so that a child stops before what it needs.

    A child that fails to stop is logged, and the others are stopped nevertheless.
    """

    log = Logger()

    def stopService(self) -> Deferred[None]:
        """Stop the children. Fire when all have stopped."""
        Service.stopService(self)
        return Deferred.fromCoroutine(self._stop_in_reverse())

    async def _stop_in_reverse(self) -> None:
        for service in reversed(list(self)):
            try:
                await maybeDeferred(service.stopService)
            except Exception:
                self.log.failure("A service was not stopped properly; the others still are")
