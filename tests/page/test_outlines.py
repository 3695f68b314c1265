"""Tests of what a screen reader goes by: each view has the outline that is kept in the folder `outlines`."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser

from tests.page.browser import open_page
from tests.page.hotel_processes import start_hotel
from tests.page.outlines import KEPT_OUTLINES, outlines_of_all_views


def test_each_view_has_the_kept_outline(browser: Browser, tmp_path: Path) -> None:
    # a hotel of its own: what other tests did to the shared one shows in the notices
    with start_hotel(tmp_path) as hotel, open_page(browser, hotel.url) as user:
        shown = dict(outlines_of_all_views(user))
    kept = {path: path.read_text(encoding="utf-8") for path in KEPT_OUTLINES.iterdir()}
    assert shown == kept, "what is meant to differ is written anew by python -m tests.page.outlines"
