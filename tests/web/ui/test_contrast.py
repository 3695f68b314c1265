"""Contrast of the colours of the page in both themes (WCAG 2.2): text at least 4.5, signs and edges 3."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

MOODS = ("good", "wait", "bad", "ended", "off")
THEMES = {"light": ":root", "dark": '[data-theme="dark"]'}
WASHES = ["accent-wash", *(f"{mood}-wash" for mood in MOODS)]

GROUNDS = ("ground", "surface", "sunken", "hover")

TEXT = [
    *((ink, ground) for ink in ("ink", "ink-2", "ink-3", "accent") for ground in (*GROUNDS, *WASHES)),
    *((mood, ground) for mood in MOODS for ground in (f"{mood}-wash", "surface", "ground")),
    ("ink", "raised"),
    ("accent-ink", "accent"),
]
SHAPES = [
    *(("edge", ground) for ground in ("ground", "surface")),
    *((f"{mood}-solid", ground) for mood in MOODS for ground in ("surface", f"{mood}-wash")),
]


def _read_tokens(theme: str) -> dict[str, str]:
    style = files("pmslink.web.ui").joinpath("static/page.css").read_text()
    block = re.search(rf"^{re.escape(THEMES[theme])} \{{(.*?)^\}}", style, re.MULTILINE | re.DOTALL)
    assert block is not None
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", block[1]))


def _luminance(colour: str) -> float:
    digits = colour.removeprefix("#")
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    channels = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the ratio of contrast of two colours, from 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_black_on_white_has_the_greatest_contrast() -> None:
    assert contrast("#000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#fff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("pairs", "least"), [(TEXT, 4.5), (SHAPES, 3)], ids=["text", "shapes"])
def test_colours_stand_out(theme: str, pairs: list[tuple[str, str]], least: float) -> None:
    tokens = _read_tokens(theme)
    measured = {pair: round(contrast(tokens[pair[0]], tokens[pair[1]]), 2) for pair in pairs}
    assert {pair: ratio for pair, ratio in measured.items() if ratio < least} == {}
