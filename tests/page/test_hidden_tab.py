"""Tests of a hidden tab, which closes its stream, because a browser has few connections to a host."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.page.browser import BrowserUser, open_page
from tests.page.hotel_processes import HotelProcesses
from tests.page.link_rows import row
from tests.process.server_processes import wait_until

HIDE = """
Object.defineProperty(Document.prototype, "hidden", {get: () => window.unseen ?? false});
window.look = (unseen) => {
  window.unseen = unseen;
  document.dispatchEvent(new Event("visibilitychange"));
};
"""


@pytest.fixture
def tab(browser: Browser, hotel: HotelProcesses) -> Iterator[BrowserUser]:
    """Open a tab with a test clock, which a test can hide."""
    with open_page(browser, hotel.url) as user:
        user.page.clock.install()
        user.page.add_init_script(HIDE)
        user.page.reload()
        expect(row(user.page, "grand").locator(".marker")).to_have_text("ESTABLISHED")
        wait_until(lambda: _subscriber_count(hotel) == 1, "this tab has the only stream")
        yield user


def _subscriber_count(hotel: HotelProcesses) -> int:
    with urlopen(f"{hotel.url}/metrics", timeout=5) as answer:
        line = next(
            line for line in answer.read().decode().splitlines() if line.startswith("pmslink_watchers ")
        )
    return int(float(line.split()[1]))


def _hide_until_stream_closes(hotel: HotelProcesses, tab: BrowserUser) -> Locator:
    """Hide the tab until it closes its stream; return the marker of a link that is EXPIRED.

    The clock advances in two steps: after a minute without events, the tab would reconnect.
    """
    hotel.make_link("made")
    marker = row(tab.page, "made").locator(".marker")
    expect(marker).to_have_text("DISABLED")
    tab.page.evaluate("look(true)")
    tab.page.clock.run_for(35_000)
    hotel.control("made", "expire")
    expect(marker).to_have_text("EXPIRED")
    tab.page.clock.run_for(30_000)
    wait_until(lambda: _subscriber_count(hotel) == 0, "the hidden tab closes its stream")
    return marker


def test_a_hidden_tab_closes_its_stream_and_polls(hotel: HotelProcesses, tab: BrowserUser) -> None:
    marker = _hide_until_stream_closes(hotel, tab)
    expect(tab.page.locator("#strip .strip")).to_be_hidden()
    hotel.control("made", "disable")
    tab.page.clock.run_for(16_000)
    expect(marker).to_have_text("DISABLED")
    wait_until(lambda: _subscriber_count(hotel) == 0, "the hidden tab closes its stream again")


def test_a_hidden_tab_is_up_to_date_as_soon_as_it_is_visible(hotel: HotelProcesses, tab: BrowserUser) -> None:
    marker = _hide_until_stream_closes(hotel, tab)
    hotel.control("made", "disable")
    tab.page.evaluate("look(false)")
    expect(marker).to_have_text("DISABLED")
