"""Map rooms to extensions and back. Both are text: leading zeros count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from attrs import field, frozen

ExtensionScheme = Literal["same", "prefix", "strip", "table"]


@frozen
class ExtensionMapping:
    """The mapping of room names to extensions.

    `same`: the room name; `prefix`: `prefix` and the room name; `strip`: the room name without `prefix`;
    `table`: the extensions that `table` lists for the room.
    """

    scheme: ExtensionScheme = "same"
    prefix: str = ""
    table: Mapping[str, Sequence[str]] = field(factory=dict)

    def extensions_of_room(self, room: str) -> tuple[str, ...]:
        """Find the extensions of a room. Empty if it has none."""
        match self.scheme:
            case "same":
                mapped = room
            case "prefix":
                mapped = room and self.prefix + room
            case "strip":
                mapped = self._without_prefix(room)
            case "table":
                return tuple(self.table.get(room, ()))
        return (mapped,) if mapped else ()

    def rooms_of_extension(self, extension: str) -> tuple[str, ...]:
        """Find the names of rooms that would have this extension. The hotel need not have such rooms."""
        match self.scheme:
            case "same":
                mapped = extension
            case "prefix":
                mapped = self._without_prefix(extension)
            case "strip":
                mapped = extension and self.prefix + extension
            case "table":
                return tuple(room for room, extensions in self.table.items() if extension in extensions)
        return (mapped,) if mapped else ()

    def _without_prefix(self, number: str) -> str:
        return number.removeprefix(self.prefix) if number.startswith(self.prefix) else ""
