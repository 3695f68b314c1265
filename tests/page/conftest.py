"""A hotel to look at, and a person before a browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.page.browser import Person, chromium, somebody
from tests.page.hotel_processes import Hotel, open_hotel

expect.set_options(timeout=10_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.debian)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hotel]:
    with open_hotel(tmp_path_factory.mktemp("hotel")) as hotel:
        yield hotel


@pytest.fixture
def hotel(house: Hotel) -> Iterator[Hotel]:
    """The same for all tests: each begins with `grand` in sync, no other link, and PMSs without faults."""
    yield house
    house.tidy()


@pytest.fixture
def port(hotel: Hotel) -> int:
    """That of a PMS that speaks UTF-8; a link `made` is docked to it."""
    port = hotel.ports[1]
    hotel.fault(port, charset="utf-8")
    hotel.docked("made", port, alive_interval=3600, charset="utf-8")
    return port


@pytest.fixture
def person(browser: Browser, hotel: Hotel) -> Iterator[Person]:
    with somebody(browser, hotel.url) as person:
        yield person
