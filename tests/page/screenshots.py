"""Take screenshots of the page for the documents: a small chain of hotels, some with faults.

python -m tests.page.screenshots FOLDER
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, expect

from tests.page.browser import start_chromium
from tests.page.hotel_processes import future_wake_up_time
from tests.process.server_processes import (
    ServerProcess,
    ServiceProcess,
    free_ports,
    run_service,
    run_simulator,
    wait_until,
)

ColorScheme = Literal["light", "dark"]
DESKTOP_SIZE_PX, PHONE_SIZE_PX = (1280, 900), (390, 844)
PROFILE_BY_LINK = {"seaside": "protel", "alpenhof": "opera", "riverside": "opera", "old-town": "suite8"}
SAMPLE_POSTING = {"type": "call", "room": "101", "dialled": "+49 89 1234", "duration": 754, "amount": 480}


def take_screenshots(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as state:
        pms_port, *_, new_port = free_ports(len(PROFILE_BY_LINK) + 2)
        control, api = free_ports(2)
        with (
            run_simulator(Path(state), pms_port, control, ports=len(PROFILE_BY_LINK) + 2) as pms,
            run_service(Path(state), pms_port, api, answer_timeout=1, unanswered="hold") as pbx,
            start_chromium() as browser,
        ):
            _dock_links(pbx, pms_port)
            pms.call("POST", f"/faults?port={pms_port}", {"pa_never": True})
            pbx.call("POST", "/api/v1/links/grand/postings", SAMPLE_POSTING)
            pms.call("POST", f"/faults?port={pms_port + 1}", {"frozen": True})
            riverside = pms_port + list(PROFILE_BY_LINK).index("riverside") + 1
            pms.call("POST", f"/audit/start?port={riverside}")
            pbx.call("POST", "/api/v1/links/riverside/postings", SAMPLE_POSTING)
            pms.call("POST", f"/faults?port={new_port}", {"framing": "crlf"})
            _take_link_screenshots(browser, pbx, folder, new_port)
            _prepare_rooms(pbx, pms, pms_port + list(PROFILE_BY_LINK).index("alpenhof") + 1, Path(state))
            _take_rooms_screenshot(browser, pbx, folder)


def _dock_links(pbx: ServiceProcess, pms_port: int) -> None:
    for number, (name, profile) in enumerate(PROFILE_BY_LINK.items(), 1):
        link = {"name": name, "host": "127.0.0.1", "port": pms_port + number, "profile": profile}
        pbx.call("POST", "/api/v1/links", {**link, "alive_interval": 2, "alive_timeout": 1})
        pbx.call("POST", f"/api/v1/links/{name}/enable")
    pbx.call("POST", "/api/v1/links/old-town/expire")

    def docked() -> bool:
        links = pbx.call("GET", "/api/v1/links")["links"]
        return len([link for link in links if link["in_sync"]]) == len(links) - 1

    wait_until(docked, "all links but one are in sync")


def _prepare_rooms(pbx: ServiceProcess, pms: ServerProcess, port: int, folder: Path) -> None:
    """Set room states at the alpenhof; room 104 has no extension."""
    table = folder / "extensions.csv"
    rooms = [
        entry["room"] for entry in pms.call("GET", f"/rooms?port={port}")["rooms"] if entry["room"] != "104"
    ]
    table.write_text("".join(f"{room},7{room}\n" for room in rooms))
    pbx.call("PATCH", "/api/v1/links/alpenhof", {"extensions": "table", "extension_table": str(table)})
    for room, settings in {
        "101": {"do_not_disturb": True},
        "102": {"message_light": True},
        "106": {"class_of_service": 0},
    }.items():
        pms.call("PATCH", f"/rooms/{room}?port={port}", settings)
    for room, status in {"103": 5, "104": 2, "105": 4, "108": 1}.items():
        pbx.call("PUT", f"/api/v1/links/alpenhof/rooms/{room}/status", {"status": status})
    for room in ("102", "105"):
        order = {"at": future_wake_up_time().isoformat()}
        pbx.call("PUT", f"/api/v1/links/alpenhof/rooms/{room}/wake-up", order)


def _take_rooms_screenshot(browser: Browser, pbx: ServiceProcess, folder: Path) -> None:
    page = _open_page(browser, DESKTOP_SIZE_PX, "light")
    page.goto(f"http://127.0.0.1:{pbx.port}/#/links/alpenhof/rooms/102")
    expect(page.locator("aside.side")).to_be_visible()
    page.get_by_role("switch", name="Guest names").check()
    expect(page.locator(".tile .wake:visible")).to_have_count(2)
    page.screenshot(path=folder / "rooms.png")
    page.context.close()


def _take_link_screenshots(browser: Browser, pbx: ServiceProcess, folder: Path, new_port: int) -> None:
    url = f"http://127.0.0.1:{pbx.port}/"
    for scheme in ("light", "dark"):
        page = _open_page(browser, DESKTOP_SIZE_PX, scheme)
        _open_list(page, url)
        page.screenshot(path=folder / f"links-{scheme}.png")
        page.context.close()
    page = _open_page(browser, DESKTOP_SIZE_PX, "light")
    page.goto(f"{url}#/links/seaside")
    expect(page.locator(".path [data-mood=bad]")).to_be_visible()
    expect(page.locator(".time > :not(defs)").first).to_be_visible()
    page.screenshot(path=folder / "link.png")
    page.goto(f"{url}#/links/grand/outbox")
    expect(page.locator("tr.ask")).to_be_visible()
    page.screenshot(path=folder / "outbox.png")
    page.goto(f"{url}#/")
    page.locator("#bell button").click()
    expect(page.locator(".drawer .note").first).to_be_visible()
    page.screenshot(path=folder / "notices.png")
    page.goto(f"{url}#/new")
    page.get_by_label("Name of the link").fill("lakeside")
    page.get_by_label("PMS product").select_option("opera")
    page.get_by_label("PMS host").fill("127.0.0.1")
    page.get_by_label("Port").fill(str(new_port))
    page.get_by_role("button", name="Test the connection").click()
    expect(page.get_by_role("button", name="and test again")).to_be_visible()
    page.screenshot(path=folder / "new-link.png")
    page.context.close()
    page = _open_page(browser, PHONE_SIZE_PX, "dark")
    _open_list(page, url)
    page.screenshot(path=folder / "phone.png")
    page.context.close()


def _open_list(page: Page, url: str) -> None:
    """Open the list, with the links that are down or need a look in place."""
    page.goto(url)
    for name, words in {"seaside": "Link down", "grand": "Decision needed"}.items():
        badge = page.locator(f".links .r[data-name={name}] .badge")
        expect(badge).to_contain_text(words)
    expect(page.locator(".links .r[data-name=riverside]")).to_contain_text("Night audit")


def _open_page(browser: Browser, size: tuple[int, int], scheme: ColorScheme) -> Page:
    width, height = size
    return browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, locale="en-GB"
    ).new_page()


if __name__ == "__main__":
    take_screenshots(Path(sys.argv[1]))
