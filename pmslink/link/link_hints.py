"""Hints: habits of a PMS that a link has noticed, with the setting that would help."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from typing import Any, Literal, get_args

from attrs import field, frozen

HintCode = Literal["framing", "charset", "sync_on", "clock", "alive_by", "tls", "records", "mirror"]


@frozen
class Hint:
    """A hint of the API: a code with the parameters of its text, which hold no guest data.

    `setting` and `value` are among the parameters where a setting would help: the change of the settings
    to request.
    """

    code: HintCode
    params: Mapping[str, Any] = field(factory=dict)


class LinkHints:
    """The hints of one link, at most one of each code."""

    def __init__(self) -> None:
        self._hints: dict[HintCode, Hint] = {}

    def __iter__(self) -> Iterator[Hint]:
        if not self._hints:
            return iter(())
        return (self._hints[code] for code in get_args(HintCode) if code in self._hints)

    def __bool__(self) -> bool:
        return bool(self._hints)

    def get(self, code: HintCode) -> Hint | None:
        """Return the hint with this code; None without one."""
        return self._hints.get(code)

    def add(self, code: HintCode, **params: Any) -> None:
        """Add a hint, or replace the one with its code."""
        self._hints[code] = Hint(code, params)

    def remove(self, *codes: HintCode) -> None:
        """Remove hints whose cause has ended."""
        for code in codes:
            self._hints.pop(code, None)

    def remove_for_settings(self, changed: Container[str]) -> None:
        """Remove the hints about settings that a user has changed."""
        self.remove(*[hint.code for hint in self if hint.params.get("setting") in changed])

    def clear(self) -> None:
        """Remove all hints: the link has another address."""
        self._hints.clear()
