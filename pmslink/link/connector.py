"""Open the connections of a link: dial the PMS, or accept its call, as the setting `connect` says."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from pmslink.config.link_definition import LinkConfig
from pmslink.link.acceptor import Acceptor, AcceptorListener
from pmslink.link.cause import UNANSWERED_LOOKUP_CAUSE, Cause
from pmslink.link.dialer import Dialer, StartLinkDial
from pmslink.link.machine import Marker
from pmslink.link.network_errors import AddressInUseError
from pmslink.link.tcp_accepting import AcceptingNetwork

CALLABLE_MARKERS: tuple[Marker, ...] = ("WAIT_LS", "ESTABLISHED", "EXPECTION")
"""The states in which the port is open for a PMS that dials in.

In ESTABLISHED too, because a PMS that has rebooted calls while its old connection looks alive here.
"""


class Connector:
    """Start the dials of one link's dialer."""

    def __init__(
        self,
        clock: IReactorTime,
        config: Callable[[], LinkConfig],
        dial: StartLinkDial,
        accepting: AcceptingNetwork,
        listener: AcceptorListener,
    ) -> None:
        self.blocked_by: str | None = None
        """The link that has the same host and port, which must not be dialled."""
        self._config = config
        self._dial = dial
        self._acceptor = Acceptor(clock, accepting, config, listener)

    def dial(self, dialer: Dialer) -> None:
        """Start a dial, or wait for a call. Raises AddressInUseError, and OSError as the dial does."""
        config = self._config()
        if self.blocked_by is not None:
            raise AddressInUseError(self.blocked_by)
        if config.settings.connect == "accept":
            self._acceptor.dial(dialer)
        else:
            self._dial(dialer, config)

    def start_timeout_cause(self, dialer: Dialer, seconds: float) -> Cause:
        """Return why the link of this dialer did not start within the start timeout."""
        if dialer.is_connected:
            return Cause("start_timeout", {"seconds": seconds})
        if dialer.is_resolving:
            return UNANSWERED_LOOKUP_CAUSE
        if self._config().settings.connect == "accept":
            return self._acceptor.why_not_called(seconds)
        return Cause("dial_timeout", {"seconds": seconds})

    def on_marker(self, marker: Marker) -> None:
        """Close the port in states in which the PMS cannot call."""
        if marker not in CALLABLE_MARKERS:
            self._acceptor.close()

    def close(self) -> Deferred[None]:
        """Close the port. The Deferred fires once it is closed."""
        return self._acceptor.close()
