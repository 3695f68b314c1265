"""Fixtures: a browser, a simulated hotel with its service, and a user with the page open."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.page.browser import WAIT_TIMEOUT_MS, BrowserUser, open_page, start_chromium
from tests.page.canned_service import CannedService, start_canned_service
from tests.page.hotel_processes import HotelProcesses, start_hotel

expect.set_options(timeout=WAIT_TIMEOUT_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.debian)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with start_chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def shared_hotel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HotelProcesses]:
    with start_hotel(tmp_path_factory.mktemp("hotel")) as hotel:
        yield hotel


@pytest.fixture
def hotel(shared_hotel: HotelProcesses) -> Iterator[HotelProcesses]:
    """Return the hotel that all tests share, with `grand` in sync, no other link, and no faults."""
    yield shared_hotel
    shared_hotel.reset()


@pytest.fixture
def port(hotel: HotelProcesses) -> int:
    """Return the port of a PMS with UTF-8, to which a link `made` is docked."""
    port = hotel.ports[1]
    hotel.set_faults(port, charset="utf-8")
    hotel.make_docked_link("made", port, alive_interval=3600, charset="utf-8")
    return port


@pytest.fixture
def service() -> Iterator[CannedService]:
    """Return a service with canned answers, without links yet."""
    with start_canned_service() as service:
        yield service


@pytest.fixture
def user(browser: Browser, hotel: HotelProcesses) -> Iterator[BrowserUser]:
    with open_page(browser, hotel.url) as browser_user:
        yield browser_user


@pytest.fixture
def page(user: BrowserUser) -> Page:
    """Return the page of the user."""
    return user.page
