r"""The parts of Twisted's endpoint strings, such as ``tcp:8080:interface=127.0.0.1``.

Twisted's own parser is private. Colons separate arguments; a backslash escapes the next character, so an
IPv6 address is written as ``interface=\:\:1``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from attrs import evolve, frozen

MAX_PORT = 65535


@frozen
class EndpointString:
    """An endpoint string, split at its colons."""

    kind: str
    """The endpoint type, such as tcp, ssl or unix."""
    arguments: tuple[str, ...]
    """The arguments after the type, still escaped."""

    @classmethod
    def parse(cls, text: str) -> EndpointString:
        """Split an endpoint string; every text is accepted, and Twisted decides whether it is valid."""
        kind, *arguments = re.findall(r"(?:^|(?<=:))(?:\\.|[^:\\])*", text)
        return cls(kind, tuple(arguments))

    def __str__(self) -> str:
        return ":".join((self.kind, *self.arguments))

    @property
    def options(self) -> Mapping[str, str]:
        """The unescaped values of the named arguments; the last value of a name counts."""
        named = (argument.partition("=") for argument in self.arguments if "=" in argument)
        return {_unescape(name): _unescape(value) for name, _, value in named}

    @property
    def interface(self) -> str:
        """The address to listen on; empty means all addresses."""
        return self.options.get("interface", "")

    @property
    def port(self) -> int | None:
        """The port, if the first argument is a port, as ``8080`` or ``port=8080``; 0 means any free port."""
        match = re.fullmatch(r"(?:port=)?([0-9]{1,5})", self.arguments[0] if self.arguments else "")
        return int(match[1]) if match and int(match[1]) <= MAX_PORT else None

    def with_port(self, port: int) -> EndpointString:
        """Return the same endpoint with another port as its first argument."""
        return evolve(self, arguments=(str(port), *self.arguments[1:]))

    def with_default(self, name: str, value: str) -> EndpointString:
        """Return the same endpoint with this argument, unless it has one of this name."""
        return self if name in self.options else evolve(self, arguments=(*self.arguments, f"{name}={value}"))


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
