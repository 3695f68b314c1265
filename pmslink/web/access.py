"""Who may call: whoever is on this machine, but no web page that a browser here shows.

The interface is open without tokens, so it listens where only this machine reaches. A page of some
web site can still make a browser send requests there. Two headers that a page cannot forge tell such
requests apart: `Origin` names the page's site, and `Host` the name that the browser looked up, which
is the site's own even if that name was pointed at this machine (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
import re

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress

from pmslink.errors import PmslinkError
from pmslink.web.answers import ApiError

_LOOPBACK_4 = ipaddress.ip_network("127.0.0.0/8")
_LOOPBACK_6 = ipaddress.ip_address("::1")


def require_loopback(endpoint: str) -> None:
    """Raise PmslinkError unless this endpoint string listens where only this machine reaches."""
    kind, *arguments = re.findall(r"(?:^|(?<=:))(?:\\.|[^:\\])*", endpoint)
    if kind == "unix":
        return
    named = dict(_named(argument) for argument in arguments if "=" in argument)
    interface = named.get("interface", "")
    if kind in ("tcp", "tcp4", "tcp6", "ssl") and _is_loopback(interface):
        return
    listens = f"interface={interface} is reached from other machines" if interface else "no interface is set"
    wrong = listens if kind in ("tcp", "tcp4", "tcp6", "ssl") else f"{kind}: is none of tcp:, ssl: and unix:"
    raise PmslinkError(
        f"api.listen = {endpoint!r}: {wrong}. The interface asks for no tokens, so it must listen on this "
        "machine alone, such as tcp:8080:interface=127.0.0.1 or unix:/run/pmslink.sock"
    )


def _named(argument: str) -> tuple[str, str]:
    name, _, value = argument.partition("=")
    return name, re.sub(r"\\(.)", r"\1", value)


def _is_loopback(interface: str) -> bool:
    try:
        address = ipaddress.ip_address(interface)
    except ValueError:
        return False
    return address == _LOOPBACK_6 or (address.version == 4 and address in _LOOPBACK_4)


def require_local(here: IAddress, secure: bool, hosts: list[bytes], origins: list[bytes]) -> None:
    """Raise ApiError 403 for a request that a foreign web page may have caused.

    `here` is where the request arrived; `hosts` and `origins` are all its headers of that name.
    """
    scheme = "https" if secure else "http"
    named = hosts[0].decode("ascii", "replace").lower() if len(hosts) == 1 else ""
    if isinstance(here, IPv4Address | IPv6Address):
        own = _own_names(here, default_port=443 if secure else 80)
        if named not in own:
            wanted = " or ".join(sorted(own))
            raise ApiError(403, "foreign_host", f"the request must be sent to {wanted}, and name it as Host")
    else:
        # No browser reaches a unix socket, but a proxy before it may pass on what a page asks.
        own = {named} - {""}
    ours = {f"{scheme}://{name}" for name in own}
    if any(origin.decode("ascii", "replace").lower() not in ours for origin in origins):
        raise ApiError(403, "foreign_origin", "pages of other sites may not call this interface")


def _own_names(here: IPv4Address | IPv6Address, default_port: int) -> set[str]:
    address = f"[{here.host}]" if isinstance(here, IPv6Address) else here.host
    names = {"127.0.0.1", "localhost", "[::1]", address}
    with_port = {f"{name}:{here.port}" for name in names}
    return with_port | names if here.port == default_port else with_port
