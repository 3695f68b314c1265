"""Tests of the list of links with a real service and a PMS: states, counters, order, search, live changes."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.page.browser import BrowserUser
from tests.page.hotel_processes import HotelProcesses
from tests.page.link_rows import expect_counts, expect_names, observe_rows, row, touched_rows


def test_a_failure_and_a_recovery_are_shown_live(hotel: HotelProcesses, user: BrowserUser) -> None:
    # it redials only for a user, so that it fails once, however long the browser takes
    timings = {"alive_interval": 1, "alive_timeout": 3, "retry_initial": 300, "retry_max": 300}
    hotel.make_docked_link("made", hotel.ports[1], **timings)
    made = row(user.page, "made")
    expect(made.locator(".badge")).to_have_text("ConnectedESTABLISHED")
    expect(user.page.locator(".title .sentence")).to_have_text("All links that are switched on work.")
    expect_counts(user.page, all=2, down=0, look=0, connecting=0, connected=2, off=0)

    hotel.set_faults(hotel.ports[1], ls_unanswered=True)
    expect(made.locator(".badge")).to_have_text("Link downEXPECTION")
    expect(made).to_contain_text("The PMS stopped answering the link checks (no answer within 3 s).")
    expect(made).to_contain_text("Ask the hotel whether the PMS or its server hangs.")
    expect(user.page.locator(".title .sentence")).to_have_text("1 link is down.")
    expect_counts(user.page, down=1, connected=1)
    expect_names(user.page, "made", "grand")
    expect(made.locator(".beats i").last).to_have_attribute("data-mood", "bad")

    hotel.set_faults(hotel.ports[1], ls_unanswered=False)
    hotel.control("made", "enable")
    expect(made.locator(".badge")).to_have_text("ConnectedESTABLISHED")
    expect_counts(user.page, down=0, connected=2)


def test_enabling_a_link_that_is_enabled_touches_nothing(hotel: HotelProcesses, user: BrowserUser) -> None:
    hotel.make_link("made")
    expect(row(user.page, "made")).to_be_visible()
    expect_counts(user.page, all=2)
    observe_rows(user.page)
    for _ in range(3):
        hotel.control("grand", "enable")
    hotel.control(
        "made", "expire"
    )  # a change that the page has received shows that it has received those before
    expect(row(user.page, "made").locator(".marker")).to_have_text("EXPIRED")
    assert "grand" not in touched_rows(user.page)
    assert "made" in touched_rows(user.page)


def test_groups_have_headings_and_those_that_need_somebody_come_first(
    hotel: HotelProcesses, user: BrowserUser
) -> None:
    for name in ("idle", "ended"):
        hotel.make_link(name)
    hotel.control("ended", "expire")
    hotel.make_link("bust", enabled=True, retry_initial=300, retry_max=300)
    expect_names(user.page, "bust", "grand", "ended", "idle")
    expect(user.page.locator(".links .g")).to_have_text(["Down · 1", "Connected · 1", "Off or ended · 2"])
    hotel.control("idle", "enable")
    expect_names(user.page, "bust", "idle", "grand", "ended")  # the longest outage first
    hotel.control("bust", "disable")
    expect_names(user.page, "idle", "grand", "bust", "ended")


def test_counters_search_and_order_stand_in_the_address(hotel: HotelProcesses, user: BrowserUser) -> None:
    hotel.make_link("idle", port=4711)
    expect_names(user.page, "grand", "idle")
    off = user.page.get_by_role("button", name="Off or ended")
    off.click()
    expect_names(user.page, "idle")
    expect(off).to_have_attribute("aria-pressed", "true")
    expect(user.page).to_have_url(re.compile(r"#/\?show=off$"))
    user.page.reload()
    expect_names(user.page, "idle")
    off.click()
    expect_names(user.page, "grand", "idle")

    search = user.page.get_by_role("searchbox")
    for text, names in (("GRA", ["grand"]), (":4711", ["idle"]), ("switched off", ["idle"])):
        search.fill(text)
        expect_names(user.page, *names)
        expect(user.page.locator("main").get_by_text("1 of 2", exact=True)).to_be_visible()
    search.fill("nowhere")
    expect(user.page.get_by_text("No link fits this filter.")).to_be_visible()
    expect(user.page).to_have_url(re.compile(r"#/\?q=nowhere$"))
    user.page.get_by_role("button", name="Show all").click()
    expect_names(user.page, "grand", "idle")
    expect(search).to_have_value("")

    user.page.get_by_role("combobox").select_option("since")
    expect_names(user.page, "idle", "grand")
    expect(user.page.locator(".links .g")).to_have_count(0)
    expect(user.page).to_have_url(re.compile(r"#/\?sort=since$"))


def test_a_created_link_appears_and_a_removed_link_disappears(
    hotel: HotelProcesses, user: BrowserUser
) -> None:
    expect_names(user.page, "grand")
    hotel.make_link("made")
    expect_names(user.page, "grand", "made")
    expect(row(user.page, "made")).to_contain_text("New, not enabled")
    hotel.remove_link("made")
    expect_names(user.page, "grand")
    expect_counts(user.page, all=1, off=0)


def test_a_dead_pms_stays_red_while_it_is_redialled(hotel: HotelProcesses, user: BrowserUser) -> None:
    hotel.make_docked_link("made", hotel.ports[1], retry_initial=0.1, retry_max=0.2, start_timeout=1)
    made = row(user.page, "made")
    expect(made).to_have_attribute("data-mood", "good")
    user.page.evaluate(
        """() => {
          window.moods = new Set();
          const mood = () => document.querySelector("[data-name=made]").dataset.mood;
          new MutationObserver(() => window.moods.add(mood())).observe(
            document.querySelector(".links"), {attributes: true, subtree: true, childList: true});
        }"""
    )
    hotel.set_faults(hotel.ports[1], frozen=True)
    hotel.call_desk("POST", "/link/drop", hotel.ports[1])
    expect(made).to_have_attribute("data-mood", "bad")
    user.page.evaluate("window.moods.clear()")
    for _ in range(3):  # each change of the marker is a redial
        marker = made.locator(".marker")
        expect(marker).to_have_text("WAIT_LS")
        expect(marker).to_have_text("EXPECTION")
    assert user.page.evaluate("[...window.moods]") == ["bad"]
