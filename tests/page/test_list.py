"""Tests of the list of links in a browser: states, live updates, order and search."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.page.browser import BrowserUser
from tests.page.hotel_processes import HotelProcesses

MUTATIONS = """
(marker) => {
  window.mutations = 0;
  new MutationObserver((all) => (window.mutations += all.length)).observe(
    marker, {attributes: true, characterData: true, childList: true, subtree: true});
}
"""


def test_a_failure_and_a_recovery_are_shown_live(hotel: HotelProcesses, user: BrowserUser) -> None:
    # it redials only for a user, so that it fails once, however long the browser takes
    timings = {"alive_interval": 1, "alive_timeout": 3, "retry_initial": 300, "retry_max": 300}
    hotel.make_docked_link("made", hotel.ports[1], **timings)
    row = user.page.locator(".row", has_text="made")
    toast = user.page.locator(".toast")
    marker = row.locator(".marker")
    expect(marker).to_have_text("ESTABLISHED")
    expect(user.page).to_have_title("pmslink")
    user.page.reload()
    expect(marker).to_have_text("ESTABLISHED")
    expect(toast).to_have_count(0)

    hotel.set_faults(hotel.ports[1], ls_unanswered=True)
    expect(marker).to_have_text("EXPECTION")
    expect(toast).to_have_count(1)
    expect(toast).to_contain_text("ESTABLISHED → EXPECTION")
    expect(toast).to_contain_text("did not answer the last link check within 3 s")
    expect(row).to_contain_text("ask the hotel whether the interface program runs")
    expect(row).to_contain_text("Down since")
    expect(user.page).to_have_title("(1 down) pmslink")
    expect(user.page.locator("#icon")).to_have_attribute("href", "page/icons/bad.svg")

    hotel.set_faults(hotel.ports[1], ls_unanswered=False)
    hotel.control("made", "enable")
    expect(marker).to_have_text("ESTABLISHED")
    expect(toast).to_have_count(1)
    expect(toast).to_contain_text("WAIT_LS → ESTABLISHED")
    expect(user.page).to_have_title("pmslink")
    expect(user.page.locator("#icon")).to_have_attribute("href", "page/icons/good.svg")


def test_an_update_without_a_change_of_state_does_not_touch_the_marker(
    hotel: HotelProcesses, user: BrowserUser
) -> None:
    hotel.make_link("made")
    row = user.page.locator(".row", has_text="made")
    expect(row.locator(".marker")).to_have_text("DISABLED")
    row.locator(".marker").evaluate(MUTATIONS)
    for port in (2, 3, 4):
        hotel.pbx.call("PATCH", "/api/v1/links/made", {"port": port})
        expect(row).to_contain_text(f"127.0.0.1:{port}")  # the page has received the link again
    assert user.page.evaluate("window.mutations") == 0
    hotel.control("made", "expire")
    expect(row.locator(".marker")).to_have_text("EXPIRED")
    assert user.page.evaluate("window.mutations") > 0


def test_links_that_need_attention_come_first(hotel: HotelProcesses, user: BrowserUser) -> None:
    names = user.page.locator(".row h2")
    hotel.make_link("zenith", enabled=True)
    expect(names).to_have_text(["zenith", "grand"])
    for name in ("bust", "ended", "idle"):
        hotel.make_link(name)
    hotel.control("ended", "expire")
    expect(names).to_have_text(["zenith", "bust", "ended", "idle", "grand"])
    hotel.control("bust", "enable")
    expect(names).to_have_text(["zenith", "bust", "ended", "idle", "grand"])  # the longest outage first
    hotel.control("zenith", "disable")
    expect(names).to_have_text(["bust", "ended", "idle", "zenith", "grand"])
    expect(user.page.locator(".count")).to_have_text("1 up and 1 down, of 5 links")


def test_the_search_finds_names_addresses_states_and_labels(hotel: HotelProcesses, user: BrowserUser) -> None:
    hotel.make_link("idle", port=4711)
    names = user.page.locator(".row h2")
    search = user.page.get_by_role("searchbox")
    expect(names).to_have_text(["idle", "grand"])
    for query, expected in (
        ("GRA", "grand"),
        (":4711", "idle"),
        ("established", "grand"),
        ("switched off", "idle"),
    ):
        search.fill(query)
        expect(names).to_have_text([expected])
        expect(user.page.locator(".count")).to_have_text("1 of 2 links")
    search.fill("nowhere")
    expect(names).to_have_count(0)
    expect(user.page.get_by_text("Nothing found.")).to_be_visible()
    search.fill("")
    expect(names).to_have_text(["idle", "grand"])
    expect(user.page.get_by_text("Nothing found.")).to_be_hidden()
    search.fill("EXPIRED")
    expect(names).to_have_count(0)
    hotel.control("idle", "expire")
    expect(names).to_have_text(["idle"])


def test_a_created_link_appears_and_a_removed_link_disappears(
    hotel: HotelProcesses, user: BrowserUser
) -> None:
    names = user.page.locator(".row h2")
    expect(names).to_have_text(["grand"])
    hotel.make_link("made")
    expect(names).to_have_text(["made", "grand"])
    hotel.remove_link("made")
    expect(names).to_have_text(["grand"])
