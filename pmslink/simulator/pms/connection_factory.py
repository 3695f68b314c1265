"""The server side of a property's port: one connection object for each PBX that connects."""

from __future__ import annotations

from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory

from pmslink.simulator.pms.pbx_connection import PmsConnection, Property


class PmsFactory(Factory):
    """Accepts the connections of a property's PBX; a new connection displaces the previous one."""

    noisy = False

    def __init__(self, pms: Property) -> None:
        self.pms = pms

    def buildProtocol(self, addr: IAddress | None) -> PmsConnection | None:
        """Build a connection; None closes it at once, for the fault `refuse_second`."""
        if self.pms.faults.refuse_second and self.pms.connected:
            return None
        return PmsConnection(self.pms)
