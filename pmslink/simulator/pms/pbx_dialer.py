"""The dialer of a property: connects to its PBX, for PMSs that do so themselves (fault `dial`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from twisted.internet.interfaces import IAddress, IConnector, IDelayedCall, IReactorTime
from twisted.internet.protocol import ClientFactory
from twisted.logger import Logger
from twisted.python.failure import Failure

from pmslink.simulator.pms.pbx_address import PbxAddress
from pmslink.simulator.pms.pbx_connection import PmsConnection

DIAL_INTERVAL_S = 5.0
"""Time from the end of a dial or of a connection to the next dial."""


class ConnectTcp(Protocol):
    """Starts to connect to a TCP port, as `reactor.connectTCP` does."""

    def __call__(self, host: str, port: int, factory: ClientFactory) -> IConnector:
        """Return the connector of the dial."""


class PbxDialer(ClientFactory):
    """Dials an address until `stop`: at once, and again after each end of a connection."""

    noisy = False
    _log = Logger()

    def __init__(
        self,
        address: PbxAddress,
        connect: ConnectTcp,
        clock: IReactorTime,
        build: Callable[[], PmsConnection | None],
    ) -> None:
        self._address = address
        self._connect = connect
        self._clock = clock
        self._build = build
        self._connector: IConnector | None = None
        self._timer: IDelayedCall | None = None
        self._stopped = False
        self._logged_failure = False

    def dial(self) -> None:
        """Start to connect."""
        self._timer = None
        self._connector = self._connect(self._address.host, self._address.port, self)

    def stop(self) -> None:
        """End the dial or the connection, and dial no more."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._connector is not None:
            self._connector.disconnect()

    def buildProtocol(self, addr: IAddress | None) -> PmsConnection | None:
        """Build the connection; None closes it, because a PBX is connected already."""
        self._logged_failure = False
        return self._build()

    def clientConnectionFailed(self, connector: IConnector, reason: Failure) -> None:
        """Log the first of consecutive failures, and dial again later."""
        if not self._stopped and not self._logged_failure:
            self._logged_failure = True
            self._log.warn(
                "The PMS cannot connect to the PBX at {address}: {reason}. It retries every {s} s",
                address=str(self._address),
                reason=reason.getErrorMessage(),
                s=DIAL_INTERVAL_S,
            )
        self._schedule_dial()

    def clientConnectionLost(self, connector: IConnector, reason: Failure) -> None:
        """Dial again later."""
        self._schedule_dial()

    def _schedule_dial(self) -> None:
        self._connector = None
        if not self._stopped:
            self._timer = self._clock.callLater(DIAL_INTERVAL_S, self.dial)
