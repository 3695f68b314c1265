"""The URL of pmslink's API, and the link for which the phones make their calls."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from attrs import frozen

from pmslink.endpoint_strings import EndpointString

_EXPECTED_FORM = "should look like http://127.0.0.1:8080,hotel: the URL of pmslink, and the name of a link"


@frozen
class ApiTarget:
    """The URL of pmslink's API, without a path, and the name of a link."""

    url: str
    link: str

    @classmethod
    def parse(cls, text: str) -> ApiTarget:
        """Parse ``http://127.0.0.1:8080,hotel``. Raises ValueError that says what is expected."""
        url, comma, link = text.rpartition(",")
        if not comma:
            raise ValueError(_EXPECTED_FORM)
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", link):
            raise ValueError(f'a link is named by 1 to 64 letters, digits, "-" and "_"; it {_EXPECTED_FORM}')
        try:
            parts = urlsplit(url)
            parts.port  # noqa: B018 (raises ValueError for an invalid port)
        except ValueError as problem:
            raise ValueError(f"{problem}; it {_EXPECTED_FORM}") from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(_EXPECTED_FORM)
        if parts.path not in ("", "/") or parts.query or parts.fragment or parts.username is not None:
            raise ValueError(f"only the host and the port are expected; it {_EXPECTED_FORM}")
        return cls(f"{parts.scheme}://{parts.netloc}", link)


def target_from_endpoint(listen: str, link: str) -> ApiTarget:
    """Return the target for a service that listens on this endpoint.

    Raises ValueError unless it is a TCP endpoint with a fixed port.
    """
    endpoint = EndpointString.parse(listen)
    if endpoint.kind != "tcp" or not endpoint.port:
        raise ValueError(f"{listen} is not a TCP endpoint with a port")
    loopback = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (a client connects there)
    host = loopback.get(endpoint.interface, endpoint.interface)
    return ApiTarget(f"http://{f'[{host}]' if ':' in host else host}:{endpoint.port}", link)
