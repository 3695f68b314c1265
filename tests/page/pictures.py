"""Pictures of the page for the README: a small chain of hotels, some of them in trouble.

python -m tests.page.pictures FOLDER
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, expect

from tests.page.browser import chromium
from tests.process.processes import Service, free_ports, service, simulator, until

Scheme = Literal["light", "dark"]
WIDE, PHONE = (1280, 900), (390, 844)
HOTELS = {"seaside": "protel", "alpenhof": "opera", "riverside": "opera", "old-town": "suite8"}
POSTING = {"type": "call", "room": "101", "dialled": "+49 89 1234", "duration": 754, "amount": 480}


def take_all(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as state:
        pms_port, *_ = free_ports(len(HOTELS) + 1)
        control, api = free_ports(2)
        with (
            simulator(Path(state), pms_port, control, ports=len(HOTELS) + 1) as pms,
            service(Path(state), pms_port, api, answer_timeout=1, unanswered="hold") as pbx,
            chromium() as browser,
        ):
            _open_the_chain(pbx, pms_port)
            pms.call("POST", f"/faults?port={pms_port}", {"pa_never": True})
            pbx.call("POST", "/api/v1/links/grand/postings", POSTING)
            pms.call("POST", f"/faults?port={pms_port + 1}", {"ls_unanswered": True})
            _take(browser, pbx, folder)


def _open_the_chain(pbx: Service, pms_port: int) -> None:
    for number, (name, profile) in enumerate(HOTELS.items(), 1):
        link = {"name": name, "host": "127.0.0.1", "port": pms_port + number, "profile": profile}
        pbx.call("POST", "/api/v1/links", {**link, "alive_interval": 2, "alive_timeout": 1})
        pbx.call("POST", f"/api/v1/links/{name}/enable")
    pbx.call("POST", "/api/v1/links/old-town/expire")

    def docked() -> bool:
        links = pbx.call("GET", "/api/v1/links")["links"]
        return len([link for link in links if link["in_sync"]]) == len(links) - 1

    until(docked, "the chain docks")


def _take(browser: Browser, pbx: Service, folder: Path) -> None:
    url = f"http://127.0.0.1:{pbx.port}/"
    for scheme in ("light", "dark"):
        page = _page(browser, WIDE, scheme)
        page.goto(url)
        expect(page.locator(".toast", has_text="seaside")).to_be_visible()
        page.screenshot(path=folder / f"links-{scheme}.png")
        page.context.close()
    page = _page(browser, WIDE, "light")
    page.goto(f"{url}#/links/seaside")
    expect(page.locator(".timeline rect").first).to_be_visible()
    expect(page.locator(".records li").first).to_be_visible()
    page.screenshot(path=folder / "link.png", full_page=True)
    page.goto(f"{url}#/new")
    page.locator("#setting-host").fill("127.0.0.1")
    page.locator("#setting-port").fill("9")
    page.locator("#setting-name").fill("lakeside")
    page.locator("#setting-profile").select_option("opera")
    page.locator("#test").click()
    expect(page.locator('.trial [data-step="connect"]')).to_contain_text("refused")
    page.screenshot(path=folder / "new-link.png")
    page.context.close()
    page = _page(browser, PHONE, "dark")
    page.goto(url)
    expect(page.locator(".row").first).to_be_visible()
    page.screenshot(path=folder / "phone.png")
    page.context.close()


def _page(browser: Browser, size: tuple[int, int], scheme: Scheme) -> Page:
    width, height = size
    return browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, locale="en-GB"
    ).new_page()


if __name__ == "__main__":
    take_all(Path(sys.argv[1]))
