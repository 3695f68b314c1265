"""Where the interface may listen, and what no web page of another site may do to it.

A page of some web site can make the browser that shows it send requests here, from inside the hotel's
network or this very machine. Two headers that it cannot forge tell such requests apart: `Origin` names
the page's site, and `Host` the name that the browser looked up, which is the site's own even if that
name was pointed at this machine (DNS rebinding). Who may call besides is for the door to say.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress

from pmslink.errors import PmslinkError
from pmslink.web.http.json_responses import ApiError

_LOOPBACK_IPV4_NETWORK = ipaddress.ip_network("127.0.0.0/8")
_LOOPBACK_IPV6_ADDRESS = ipaddress.ip_address("::1")


def require_loopback(endpoint: str) -> None:
    """Raise PmslinkError unless this endpoint string listens where only this machine reaches."""
    why = _explain_not_local(endpoint)
    if why is not None:
        raise PmslinkError(
            f"api.listen = {endpoint!r}: {why}. There are no tokens, so the interface must listen on this "
            "machine alone, such as tcp:8080:interface=127.0.0.1 or unix:/run/pmslink.sock; or make a token "
            "first: pmslink token add NAME --role control, with the same --config or --state-dir"
        )


def is_local_only(endpoint: str) -> bool:
    """Whether only this machine reaches this endpoint string."""
    return _explain_not_local(endpoint) is None


def _explain_not_local(endpoint: str) -> str | None:
    kind, *arguments = re.findall(r"(?:^|(?<=:))(?:\\.|[^:\\])*", endpoint)
    if kind == "unix":
        return None
    named = dict(_parse_endpoint_option(argument) for argument in arguments if "=" in argument)
    interface = named.get("interface", "")
    if kind not in ("tcp", "tcp4", "tcp6", "ssl"):
        return f"{kind}: is none of tcp:, ssl: and unix:"
    if _is_loopback(interface):
        return None
    return f"interface={interface} is reached from other machines" if interface else "no interface is set"


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


def require_same_origin(
    local_address: IAddress, is_tls: bool, hosts: Sequence[bytes], origins: Sequence[bytes], local_only: bool
) -> None:
    """Raise ApiError 403 for a request that a foreign web page may have caused.

    `here` is where the request arrived; `hosts` and `origins` are all its headers of that name; `local`
    tells that only this machine reaches the interface.
    """
    named = _decode_lower(hosts[0]) if len(hosts) == 1 else ""
    if local_only and isinstance(local_address, IPv4Address | IPv6Address):
        own = _accepted_hosts(local_address, default_port=443 if is_tls else 80)
        if named not in own:
            wanted = " or ".join(sorted(own))
            raise ApiError(403, "foreign_host", f"the request must be sent to {wanted}, and name it as Host")
        schemes = ["https" if is_tls else "http"]
    else:
        # The names of this machine are not known here, nor whether TLS ends at a proxy. No browser
        # reaches a unix socket, but a proxy before it may pass on what a page asks.
        own = {named} - {""}
        schemes = ["http", "https"]
    ours = {f"{scheme}://{name}" for scheme in schemes for name in own}
    if any(_decode_lower(origin) not in ours for origin in origins):
        raise ApiError(403, "foreign_origin", "pages of other sites may not call this interface")


def reject_cross_site(fetch_sites: Sequence[bytes]) -> None:
    """Raise ApiError 403 where the browser says that a page of another site makes the request.

    It tells that of requests too that have no Origin, such as for an image: those cannot read the answer,
    but would take the places of those who watch.
    """
    if any(_decode_lower(site) == "cross-site" for site in fetch_sites):
        raise ApiError(403, "foreign_origin", "pages of other sites may not call this interface")


def _decode_lower(header: bytes) -> str:
    return header.decode("ascii", "replace").lower()


def _accepted_hosts(local_address: IPv4Address | IPv6Address, default_port: int) -> set[str]:
    address = f"[{local_address.host}]" if isinstance(local_address, IPv6Address) else local_address.host
    names = {"127.0.0.1", "localhost", "[::1]", address}
    with_port = {f"{name}:{local_address.port}" for name in names}
    return with_port | names if local_address.port == default_port else with_port
