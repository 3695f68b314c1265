"""Budgets of the page: on a line of 48 kbit/s with 800 ms, the first row is there within 14 seconds.

The numbers are those of the files as they are sent, compressed. Data of the API are not counted.
`python -m bench.page_slow_line` measures the time. What exceeds a bound is to be loaded after the first view.
"""

from __future__ import annotations

import re

import pytest

from pmslink.web.ui.page_files import Asset, load_page_files
from pmslink.web.ui.translations import LANGUAGES

KB = 1024
MAX_INDEX_BYTES = 5 * KB  # not compressed
MAX_STYLE_BYTES = 9 * KB
MAX_FIRST_VIEW_MODULES = 13
MAX_FIRST_VIEW_MODULE_BYTES = 22 * KB
MAX_TEXT_BYTES = 8 * KB
MAX_FIRST_VIEW_REQUESTS = 21
MAX_FIRST_VIEW_BYTES = 42 * KB

FILES = load_page_files()
MODULES = re.findall(
    rf'<link rel="modulepreload" href="page/{FILES.version}/([^"]+)">', FILES.index.body.decode()
)


def _sent_bytes(asset: Asset) -> int:
    return len(asset.body if asset.compressed_body is None else asset.compressed_body)


def _sizes(*names: str) -> dict[str, int]:
    return {name: _sent_bytes(FILES.assets[name]) for name in names}


def test_the_page_itself_is_small() -> None:
    assert len(FILES.index.body) <= MAX_INDEX_BYTES


def test_the_style_sheet_is_small() -> None:
    assert _sent_bytes(FILES.assets["page.css"]) <= MAX_STYLE_BYTES


def test_the_first_view_has_few_and_small_modules() -> None:
    sizes = _sizes(*MODULES)
    assert len(sizes) <= MAX_FIRST_VIEW_MODULES, sizes
    assert sum(sizes.values()) <= MAX_FIRST_VIEW_MODULE_BYTES, sizes


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_texts_of_a_language_are_small(language: str) -> None:
    assert _sent_bytes(FILES.assets[f"texts/{language}.json"]) <= MAX_TEXT_BYTES


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_view_needs_few_requests_and_bytes(language: str) -> None:
    icons = [f"icons/{name}.svg" for name in ("off", "good", "signs", "chevron")]
    sizes = _sizes(*MODULES, "page.css", "theme.js", f"texts/{language}.json", *icons)
    sizes["index.html"] = _sent_bytes(FILES.index)
    assert sum(sizes.values()) <= MAX_FIRST_VIEW_BYTES, sizes
    assert len(sizes) <= MAX_FIRST_VIEW_REQUESTS, sizes
