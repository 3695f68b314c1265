"""Five hundred links in a real browser: all are there, and a change of one touches only that one."""

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
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    folder = tmp_path_factory.mktemp("crowd")
    config = folder / "hotels.toml"
    port = free_ports(1)[0]
    config.write_text(
        "\n".join(
            f'[links.hotel-{number:03}]\nhost = "127.0.0.1"\nport = 1\nenabled = false'
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
def looker(browser: Browser, crowd: ServiceProcess) -> Iterator[BrowserUser]:
    with open_page(browser, f"http://127.0.0.1:{crowd.port}") as person:
        expect(person.page.locator(".row")).to_have_count(COUNT)
        yield person


def test_a_search_shows_those_it_finds_and_then_all_again(looker: BrowserUser) -> None:
    names = looker.page.locator(".row h2")
    search = looker.page.get_by_role("searchbox")
    search.fill("hotel-37")
    expect(names).to_have_text([f"hotel-37{number}" for number in range(10)])
    expect(looker.page.locator(".count")).to_have_text(f"10 of {COUNT} links")
    search.fill("")
    expect(names).to_have_count(COUNT)
    expect(names.first).to_have_text("hotel-000")
    expect(names.last).to_have_text("hotel-499")


def test_a_change_of_one_touches_no_other_whether_it_goes_up_or_down(
    crowd: ServiceProcess, looker: BrowserUser
) -> None:
    names = looker.page.locator(".row h2")
    looker.page.locator(".links").evaluate(WATCH)

    crowd.call("POST", "/api/v1/links/hotel-250/enable")
    expect(names.first).to_have_text("hotel-250")
    assert _touched(looker) == ["hotel-250"]
    crowd.call("POST", "/api/v1/links/hotel-250/disable")
    expect(names.first).to_have_text("hotel-000")
    expect(names.nth(250)).to_have_text("hotel-250")
    assert _touched(looker) == ["hotel-250"]


def _touched(looker: BrowserUser) -> Any:
    return looker.page.evaluate("[...window.touched]")
