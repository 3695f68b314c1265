"""Checks of the Host and Origin headers, against requests that web pages of other sites cause.

A page of another site can make a browser inside the hotel's network send requests to pmslink. Two headers
that the page cannot forge identify such requests. `Origin` names the page's site. `Host` is the name that
the browser looked up, which is the other site's name even if it resolves to this machine (DNS rebinding).
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress

from pmslink.web.http.api_errors import ApiError

_FOREIGN_ORIGIN_MESSAGE = "pages of other sites may not use this API"


def require_same_origin(
    local_address: IAddress, is_tls: bool, hosts: Sequence[bytes], origins: Sequence[bytes], local_only: bool
) -> None:
    """Raise ApiError 403 for a request that a page of another site may have caused.

    `local_address` is where the request arrived; `hosts` and `origins` are the values of all its headers of
    that name. `local_only` says that only this machine reaches the site.
    """
    host = _decode_lower(hosts[0]) if len(hosts) == 1 else ""
    if local_only and isinstance(local_address, IPv4Address | IPv6Address):
        accepted_hosts = _accepted_hosts(local_address, default_port=443 if is_tls else 80)
        if host not in accepted_hosts:
            expected = " or ".join(sorted(accepted_hosts))
            raise ApiError(403, "foreign_host", f"the Host header must be {expected}")
        schemes = ["https" if is_tls else "http"]
    else:
        # The names of this machine are unknown here, and TLS may end at a proxy. No browser reaches a
        # unix socket, but a proxy in front of it may forward requests of a page.
        accepted_hosts = {host} - {""}
        schemes = ["http", "https"]
    accepted_origins = {f"{scheme}://{name}" for scheme in schemes for name in accepted_hosts}
    if any(_decode_lower(origin) not in accepted_origins for origin in origins):
        raise ApiError(403, "foreign_origin", _FOREIGN_ORIGIN_MESSAGE)


def reject_cross_site(fetch_sites: Sequence[bytes]) -> None:
    """Raise ApiError 403 if Sec-Fetch-Site names a page of another site as the origin of the request.

    `fetch_sites` are the values of Sec-Fetch-Site. Browsers send it also with requests that have no Origin,
    for example for an image. The page could not read the response, but would use up connections.
    """
    if any(_decode_lower(site) == "cross-site" for site in fetch_sites):
        raise ApiError(403, "foreign_origin", _FOREIGN_ORIGIN_MESSAGE)


def _decode_lower(header: bytes) -> str:
    return header.decode("ascii", "replace").lower()


def _accepted_hosts(local_address: IPv4Address | IPv6Address, default_port: int) -> set[str]:
    address = f"[{local_address.host}]" if isinstance(local_address, IPv6Address) else local_address.host
    names = {"127.0.0.1", "localhost", "[::1]", address}
    with_port = {f"{name}:{local_address.port}" for name in names}
    return with_port | names if local_address.port == default_port else with_port
