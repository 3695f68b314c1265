"""Random choices that hypothesis draws, repeats and shrinks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")

Draw = Callable[[st.SearchStrategy[Any]], Any]


class Chooser:
    """Draw choices. Shrinking prefers the first choice, no, and the order as it is."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw

    def one(self, choices: Sequence[T]) -> T:
        """Choose one."""
        return choices[0] if len(choices) == 1 else choices[self.number(len(choices) - 1)]

    def number(self, highest: int, lowest: int = 0) -> int:
        """Choose a whole number."""
        return int(self._draw(st.integers(lowest, highest)))

    def rarely(self, one_in: int) -> bool:
        """Choose yes once in `one_in` times."""
        return self.number(one_in - 1) == one_in - 1

    def some(self, items: Iterable[T], most: int, least: int = 0) -> list[T]:
        """Choose up to `most` different items."""
        remaining = list(items)
        most = min(most, len(remaining))
        count = self.number(most, min(least, most))
        return [remaining.pop(self.number(len(remaining) - 1)) for _ in range(count)]

    def shuffled(self, items: Iterable[T]) -> list[T]:
        """Choose an order."""
        ordered = list(items)
        return ordered if len(ordered) < 2 else list(self._draw(st.permutations(ordered)))

    def merged(self, first: Sequence[T], second: Sequence[T]) -> list[T]:
        """Choose an order of two sequences that keeps the order of each."""
        merged: list[T] = []
        rest_of_first, rest_of_second = list(first), list(second)
        while rest_of_first and rest_of_second:
            merged.append((rest_of_second if self.number(1) else rest_of_first).pop(0))
        return [*merged, *rest_of_first, *rest_of_second]
