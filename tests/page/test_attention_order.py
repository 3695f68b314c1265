"""Tests that API, command line and page sort links in the same order, by attention."""

from __future__ import annotations

from typing import Any

import pytest

from pmslink.cli.main import main
from tests.page.browser import BrowserUser
from tests.page.hotel_processes import HotelProcesses
from tests.page.link_rows import expect_names
from tests.process.server_processes import wait_until

SAMPLE_POSTING = {"type": "call", "room": "101", "dialled": "+49 89 1234", "duration": 61, "amount": 250}
EXPECTED = [
    *("z-down-first", "a-down-later"),  # 4: enabled, not in sync; the longest outage first
    *("doubtful", "off-and-doubtful"),  # 3: a posting is unknown
    *("expired", "off"),  # 1: not enabled
    "grand",  # 0: up
]
BY_GROUP = ["z-down-first", "a-down-later", "doubtful", "grand", "off-and-doubtful", "expired", "off"]
"""The same order within the groups of the page: down, need a look, connected, off."""


@pytest.fixture
def mixed_hotel(hotel: HotelProcesses) -> HotelProcesses:
    """Return a hotel with links that are up, disabled, down, expired, and with unknown postings."""
    hotel.make_link("off")
    _make_link_with_unknown_posting(hotel, "off-and-doubtful", hotel.ports[2])
    hotel.control("off-and-doubtful", "disable")
    hotel.make_link("z-down-first", enabled=True)
    hotel.make_link("expired")
    hotel.control("expired", "expire")
    hotel.make_link("a-down-later", enabled=True)
    _make_link_with_unknown_posting(hotel, "doubtful", hotel.ports[1])
    return hotel


def _make_link_with_unknown_posting(hotel: HotelProcesses, name: str, port: int) -> None:
    hotel.make_docked_link(
        name, port, unanswered="hold", answer_timeout=0.5, alive_interval=1, alive_timeout=3
    )
    hotel.set_faults(port, pa_skip=1)
    hotel.enqueue_posting(name, **SAMPLE_POSTING)
    wait_until(lambda: hotel.link(name)["outbox"]["unknown"] == 1, f"a posting of {name} is unknown")


def test_api_command_and_page_sort_links_in_the_same_order(
    mixed_hotel: HotelProcesses, user: BrowserUser, capsys: pytest.CaptureFixture[str]
) -> None:
    links: list[dict[str, Any]] = mixed_hotel.pbx.call("GET", "/api/v1/links")["links"]
    assert {link["name"]: link["attention"] for link in links} == {
        "z-down-first": 4,
        "a-down-later": 4,
        "doubtful": 3,
        "off-and-doubtful": 3,
        "expired": 1,
        "off": 1,
        "grand": 0,
    }
    by_api = sorted(links, key=lambda link: (-link["attention"], link["down_since"] or "9999", link["name"]))
    assert [link["name"] for link in by_api] == EXPECTED

    assert main(["status", "--url", mixed_hotel.url]) == 0
    _, *lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == EXPECTED

    expect_names(user.page, *BY_GROUP)


def test_the_worst_link_of_the_status_is_the_first_of_that_order(mixed_hotel: HotelProcesses) -> None:
    for name in EXPECTED[:4]:
        assert mixed_hotel.pbx.call("GET", "/api/v1/status")["worst"] == name
        mixed_hotel.remove_link(name)
    assert mixed_hotel.pbx.call("GET", "/api/v1/status")["worst"] is None
