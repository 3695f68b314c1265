"""Listening addresses: without tokens, the service may listen only where this machine alone reaches it."""

from __future__ import annotations

import ipaddress
import re

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
    kind, *arguments = re.findall(r"(?:^|(?<=:))(?:\\.|[^:\\])*", endpoint)
    if kind == "unix":
        return None
    options = dict(_parse_endpoint_option(argument) for argument in arguments if "=" in argument)
    interface = options.get("interface", "")
    if kind not in ("tcp", "tcp4", "tcp6", "ssl"):
        return f"{kind}: is none of tcp:, ssl: and unix:"
    if _is_loopback(interface):
        return None
    return f"interface={interface} is reachable from other machines" if interface else "no interface is set"


def _parse_endpoint_option(argument: str) -> tuple[str, str]:
    name, _, value = argument.partition("=")
    return _unescape(name), _unescape(value)


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _is_loopback(interface: str) -> bool:
    try:
        address = ipaddress.ip_address(interface)
    except ValueError:
        return False
    return address == _LOOPBACK_IPV6_ADDRESS or (address.version == 4 and address in _LOOPBACK_IPV4_NETWORK)
