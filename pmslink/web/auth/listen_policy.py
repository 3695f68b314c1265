"""Listening addresses: without tokens, the service may listen only where this machine alone reaches it."""

from __future__ import annotations

import ipaddress

from pmslink.endpoint_strings import EndpointString
from pmslink.errors import PmslinkError

_LOOPBACK_IPV4_NETWORK = ipaddress.ip_network("127.0.0.0/8")
_LOOPBACK_IPV6_ADDRESS = ipaddress.ip_address("::1")


def require_loopback(endpoint: str) -> None:
    """Raise PmslinkError unless only this machine reaches this endpoint string."""
    problem = _explain_not_local(endpoint)
    if problem is not None:
        raise PmslinkError(
            f"api.listen = {endpoint!r}: {problem}. Without tokens, api.listen must be reachable from this "
            "machine only, for example tcp:8080:interface=127.0.0.1 or unix:/run/pmslink.sock. To listen on "
            "any other address, add a token first: pmslink token add NAME --role control, with the same "
            "--config or --state-dir"
        )


def is_local_only(endpoint: str) -> bool:
    """Return whether only this machine reaches this endpoint string."""
    return _explain_not_local(endpoint) is None


def _explain_not_local(endpoint: str) -> str | None:
    parsed = EndpointString.parse(endpoint)
    if parsed.kind == "unix":
        return None
    if parsed.kind not in ("tcp", "tcp4", "tcp6", "ssl"):
        return f"{parsed.kind}: is not supported; use tcp:, ssl: or unix:"
    if _is_loopback(parsed.interface):
        return None
    if parsed.interface:
        return f"interface={parsed.interface} is reachable from other machines"
    return "no interface is set"


def _is_loopback(interface: str) -> bool:
    try:
        address = ipaddress.ip_address(interface)
    except ValueError:
        return False
    return address == _LOOPBACK_IPV6_ADDRESS or (address.version == 4 and address in _LOOPBACK_IPV4_NETWORK)
