"""The address of a PBX to which a property connects: HOST:PORT, an IPv6 address in brackets."""

from __future__ import annotations

import re
from ipaddress import ip_address

from attrs import frozen

from pmslink.endpoint_strings import MAX_PORT
from pmslink.validation.validators import is_host


@frozen
class PbxAddress:
    """A host name or an IP address, and a TCP port."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> PbxAddress:
        """Parse HOST:PORT. Raises ValueError that says what is expected."""
        match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\[\]]+)):([0-9]{1,5})", text)
        host, port = (match[1] or match[2], int(match[3])) if match else ("", 0)
        if not (is_host(host) and 1 <= port <= MAX_PORT):
            raise ValueError(f"should be HOST:PORT, for example 127.0.0.1:5010, with a port up to {MAX_PORT}")
        return cls(host, port)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def is_loopback_address(text: str) -> bool:
    """Return whether the text is the address of a port on this computer."""
    try:
        host = PbxAddress.parse(text).host
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
