"""Tests of five hundred links in a browser: all are listed, and a change updates only its own row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.page.browser import BrowserUser, open_page
from tests.process.server_processes import ServiceProcess, free_ports, wait_until

COUNT = 500

WATCH = """
(list) => {
  window.touched = new Set();
  const name = (node) => node.querySelector?.("h2")?.textContent;
  new MutationObserver((all) => {
    for (const one of all) {
      const element = one.target.closest ? one.target : one.target.parentElement;
      if (element.closest("dl")) continue; // how long ago it was goes on in all
      const row = element.closest(".row");
      const rows = row ? [row] : [...one.addedNodes, ...one.removedNodes];
      rows.forEach((row) => window.touched.add(name(row)));
    }
  }).observe(list, {attributes: true, characterData: true, childList: true, subtree: true});
}
"""


@pytest.fixture(scope="module")
def many_links(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    folder = tmp_path_factory.mktemp("many_links")
    config = folder / "hotels.toml"
    port = free_ports(1)[0]
    config.write_text(
        "\n".join(
            f'[links.hotel-{number:03}]\nhost = "127.0.0.1"\nport = {number + 1}\nenabled = false'
            for number in range(COUNT)
        )
    )
    api = f"tcp:{port}:interface=127.0.0.1"
    service = ServiceProcess(["pmslink", "--config", str(config), "--api", api], port, folder)
    try:
        wait_until(lambda: service.call("GET", "/healthz"), "the service answers")
        yield service
        service.terminate()
    finally:
        if service.process.poll() is None:
            service.kill()


@pytest.fixture
def user(browser: Browser, many_links: ServiceProcess) -> Iterator[BrowserUser]:
    with open_page(browser, f"http://127.0.0.1:{many_links.port}") as user:
        expect(user.page.locator(".row")).to_have_count(COUNT)
        yield user


def test_a_search_filters_the_list_and_clearing_it_shows_all(user: BrowserUser) -> None:
    names = user.page.locator(".row h2")
    search = user.page.get_by_role("searchbox")
    search.fill("hotel-37")
    expect(names).to_have_text([f"hotel-37{number}" for number in range(10)])
    expect(user.page.locator(".count")).to_have_text(f"10 of {COUNT} links")
    search.fill("")
    expect(names).to_have_count(COUNT)
    expect(names.first).to_have_text("hotel-000")
    expect(names.last).to_have_text("hotel-499")


def test_a_link_that_moves_in_the_list_touches_no_other_row(
    many_links: ServiceProcess, user: BrowserUser
) -> None:
    names = user.page.locator(".row h2")
    user.page.locator(".links").evaluate(WATCH)

    many_links.call("POST", "/api/v1/links/hotel-250/enable")
    expect(names.first).to_have_text("hotel-250")
    assert _touched(user) == ["hotel-250"]
    many_links.call("POST", "/api/v1/links/hotel-250/disable")
    expect(names.first).to_have_text("hotel-000")
    expect(names.nth(250)).to_have_text("hotel-250")
    assert _touched(user) == ["hotel-250"]


def _touched(user: BrowserUser) -> Any:
    return user.page.evaluate("[...window.touched]")
