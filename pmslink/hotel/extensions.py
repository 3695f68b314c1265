"""Which extensions a room has, and whose room an extension is. Both are text: leading zeros count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from attrs import field, frozen

ExtensionScheme = Literal["same", "prefix", "strip", "table"]


@frozen
class ExtensionMapping:
    """How the extensions of a room are found."""

    scheme: ExtensionScheme = "same"
    prefix: str = ""
    table: Mapping[str, Sequence[str]] = field(factory=dict)

    def extensions_of_room(self, room: str) -> tuple[str, ...]:
        """The extensions of a room; none, if no such room has a phone."""
        match self.scheme:
            case "same":
                found = room
            case "prefix":
                found = room and self.prefix + room
            case "strip":
                found = self._without_prefix(room)
            case "table":
                return tuple(self.table.get(room, ()))
        return (found,) if found else ()

    def rooms_of_extension(self, extension: str) -> tuple[str, ...]:
        """The rooms that have this extension, be there such rooms or not; none, if none can have it."""
        match self.scheme:
            case "same":
                found = extension
            case "prefix":
                found = self._without_prefix(extension)
            case "strip":
                found = extension and self.prefix + extension
            case "table":
                return tuple(room for room, extensions in self.table.items() if extension in extensions)
        return (found,) if found else ()

    def _without_prefix(self, number: str) -> str:
        return number.removeprefix(self.prefix) if number.startswith(self.prefix) else ""
