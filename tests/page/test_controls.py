"""Tests of what a person may do with a link: the menu, confirmation, results, and removal."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.page.browser import BrowserUser
from tests.page.hotel_processes import HotelProcesses
from tests.process.server_processes import wait_until


@pytest.fixture
def page(user: BrowserUser) -> Page:
    user.navigate("#/links/grand")
    expect(user.page.locator(".verdict .marker")).to_have_text("ESTABLISHED")
    return user.page


def open_menu(page: Page) -> Locator:
    page.get_by_role("button", name="More", exact=True).click()
    expect(page.get_by_role("menu")).to_be_visible()
    return page.get_by_role("menu")


def choose(page: Page, item: str) -> Locator:
    """Choose an entry of the menu that asks, and return its question."""
    open_menu(page).get_by_role("menuitem", name=item).click()
    return page.get_by_role("dialog")


def active_items(menu: Locator) -> list[str]:
    items = menu.locator("[role=menuitem]:not([aria-disabled])").all_inner_texts()
    return [item.splitlines()[0] for item in items]


def test_only_applicable_controls_are_active_and_the_others_say_why(
    hotel: HotelProcesses, page: Page
) -> None:
    marker = page.locator(".verdict .marker")
    fixed = ["Copy as a new link"]
    menu = open_menu(page)
    assert active_items(menu) == [*fixed, "Disconnect…", "Switch off…", "Mark as ended…"]
    expect(menu.get_by_role("menuitem", name="Remove…")).to_contain_text("Written in the configuration file.")
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()

    hotel.control("grand", "disconnect")
    expect(marker).to_have_text("CLOSED")
    menu = open_menu(page)
    assert active_items(menu) == [*fixed, "Switch off…", "Mark as ended…"]
    expect(menu.get_by_role("menuitem", name="Disconnect…")).to_contain_text(
        "Not while the link is: Disconnected."
    )
    page.keyboard.press("Escape")

    hotel.control("grand", "disable")
    expect(marker).to_have_text("DISABLED")
    assert active_items(open_menu(page)) == [*fixed, "Mark as ended…"]
    page.keyboard.press("Escape")

    hotel.control("grand", "expire")
    expect(marker).to_have_text("EXPIRED")
    assert active_items(open_menu(page)) == [*fixed, "Switch off…"]


def test_an_entry_that_is_not_active_does_nothing(hotel: HotelProcesses, page: Page) -> None:
    hotel.control("grand", "disable")
    expect(page.locator(".verdict .marker")).to_have_text("DISABLED")
    item = open_menu(page).get_by_role("menuitem", name="Switch off…")
    item.click(force=True)  # it is disabled only for screen readers: it keeps the focus
    expect(item).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_the_menu_works_by_keyboard_and_returns_the_focus(page: Page) -> None:
    more = page.get_by_role("button", name="More", exact=True)
    more.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem", name="Copy as a new link")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("menuitem", name="Disconnect…")).to_be_focused()
    page.keyboard.press("End")
    expect(page.get_by_role("menuitem", name="Remove…")).to_be_focused()
    page.keyboard.press("Escape")
    expect(more).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(more).to_be_focused()


def test_a_question_names_the_object_and_the_consequence_and_repeats_the_verb(
    hotel: HotelProcesses, page: Page
) -> None:
    dialog = choose(page, "Switch off…")
    expect(dialog).to_have_accessible_name("Switch grand off?")
    expect(dialog).to_have_accessible_description(
        "Phones and PMS will not agree until it is enabled again. Postings wait; nothing is lost."
    )
    buttons = dialog.get_by_role("button")
    expect(buttons).to_have_text(["Cancel", "Switch off"])
    expect(buttons.last).to_have_class("fill-danger")
    buttons.first.click()
    expect(dialog).to_be_hidden()
    assert hotel.link()["state"] == "ESTABLISHED"

    choose(page, "Switch off…").get_by_role("button", name="Switch off").click()
    expect(page.locator(".verdict .marker")).to_have_text("DISABLED")
    expect(page.locator(".answer")).to_have_text("Done. The link is now: Switched off (DISABLED).")
    expect(page.locator(".verdict h2")).to_contain_text("Switched off by")


def test_a_link_is_disconnected_in_good_order(hotel: HotelProcesses, page: Page) -> None:
    choose(page, "Disconnect…").get_by_role("button", name="Disconnect").click()
    expect(page.locator(".verdict .marker")).to_have_text("CLOSED")
    expect(page.locator(".verdict")).to_have_attribute("data-mood", "off")
    expect(page.locator(".verdict h2")).to_contain_text("Disconnected by")
    assert hotel.link()["intent"] == "disconnected"


def test_enable_and_resync_need_no_confirmation(hotel: HotelProcesses, page: Page) -> None:
    hotel.control("grand", "disable")
    page.locator(".verdict").get_by_role("button", name="Enable").click()
    expect(page.locator(".answer")).to_contain_text("Done.")
    expect(page.locator(".verdict .marker")).to_have_text("ESTABLISHED")
    before = hotel.pbx.wait_until_state("ESTABLISHED")["resync"]["started"]
    page.get_by_role("button", name="Resync").click()
    expect(page.locator(".answer")).to_have_text("The PMS is asked to send all rooms and guests.")
    expect(page.get_by_role("dialog")).to_have_count(0)
    # the page has the answer before the PMS has the request
    wait_until(lambda: hotel.link()["resync"]["started"] != before, "the PMS has begun another resync")


def test_a_resync_has_to_wait_for_the_link(hotel: HotelProcesses, page: Page) -> None:
    hotel.control("grand", "disable")
    resync = page.get_by_role("button", name="Resync")
    expect(resync).to_have_attribute("aria-disabled", "true")
    expect(resync).to_have_attribute("title", "Resync begins when the link is in sync.")


def test_a_link_that_is_down_is_dialled_at_once(hotel: HotelProcesses, page: Page) -> None:
    hotel.make_link("lost", enabled=True, retry_initial=3600, retry_max=3600)
    page.goto(f"{hotel.url}/#/links/lost")
    expect(page.locator(".verdict .marker")).to_have_text("EXPECTION")
    before = len(hotel.transitions("lost"))
    page.get_by_role("button", name="Dial now").click()
    expect(page.locator(".answer")).to_contain_text("Done.")
    wait_until(lambda: len(hotel.transitions("lost")) == before + 2, "the link has dialled")


def test_a_control_that_no_longer_applies_shows_the_error(
    hotel: HotelProcesses, user: BrowserUser, page: Page
) -> None:
    user.page_errors.expected_errors += ["409"]
    dialog = choose(page, "Disconnect…")
    hotel.control("grand", "expire")
    expect(page.locator(".verdict .marker")).to_have_text("EXPIRED")
    dialog.get_by_role("button", name="Disconnect").click()
    expect(page.locator(".answer.error")).to_contain_text(
        "This is not possible in the present state. grand is EXPIRED: there is nothing to disconnect."
    )


def test_a_copy_begins_a_new_link_with_the_settings_of_this_one(page: Page) -> None:
    open_menu(page).get_by_role("menuitem", name="Copy as a new link").click()
    expect(page).to_have_url(re.compile(r"#/new\?copy=grand$"))


def test_a_link_is_removed_after_a_question(hotel: HotelProcesses, page: Page) -> None:
    hotel.make_link("made")
    page.goto(f"{hotel.url}/#/links/made")
    dialog = choose(page, "Remove…")
    expect(dialog).to_have_accessible_name("Remove made?")
    expect(dialog).to_contain_text("All that is kept of made is deleted: rooms and history.")
    dialog.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Links")
    assert "made" not in [link["name"] for link in hotel.pbx.call("GET", "/api/v1/links")["links"]]


def test_a_link_with_open_postings_asks_again(hotel: HotelProcesses, user: BrowserUser, page: Page) -> None:
    user.page_errors.expected_errors += ["409"]
    hotel.make_link("made")
    hotel.enqueue_posting("made", type="minibar", room="101", article="1", count=1)
    page.goto(f"{hotel.url}/#/links/made")
    dialog = choose(page, "Remove…")
    dialog.get_by_role("button", name="Remove").click()
    again = dialog.get_by_role("button", name="Discard and remove")
    expect(dialog).to_contain_text("They are discarded with the link: the PMS will not get them.")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()
    assert hotel.link("made")["outbox"]["pending"] == 1

    choose(page, "Remove…").get_by_role("button", name="Remove").click()
    again.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Links")
