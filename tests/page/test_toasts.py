"""Tests of toasts about changes of links in a browser: limit, replacement and closing."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.page.browser import BrowserUser
from tests.page.hotel_processes import HotelProcesses


def test_at_most_five_toasts_are_shown_and_the_others_are_counted(
    hotel: HotelProcesses, user: BrowserUser
) -> None:
    names = [f"made-{number}" for number in range(7)]
    for name in names:
        hotel.make_link(name)
    expect(user.page.locator(".row")).to_have_count(8)
    for name in names:
        hotel.control(name, "expire")
    toasts = user.page.locator(".toast")
    overflow = user.page.locator("#toasts .rest")
    expect(overflow).to_have_text("and 2 more")
    expect(toasts).to_have_count(5)
    expect(toasts).to_contain_text(names[2:])

    user.page.get_by_role("button", name="Close the notice about made-3").click()
    expect(toasts).to_contain_text(["made-1", "made-2", "made-4", "made-5", "made-6"])
    expect(overflow).to_have_text("and 1 more")
    user.page.get_by_role("button", name="Close the notice about made-6").click()
    expect(toasts).to_have_count(5)
    expect(overflow).to_be_hidden()


def test_a_second_change_of_a_link_replaces_its_toast_in_place(
    hotel: HotelProcesses, user: BrowserUser
) -> None:
    for name in ("one", "other"):
        hotel.make_link(name)
    expect(user.page.locator(".row")).to_have_count(3)
    for name in ("one", "other"):
        hotel.control(name, "expire")
    toasts = user.page.locator(".toast")
    expect(toasts).to_contain_text(["DISABLED → EXPIRED", "DISABLED → EXPIRED"])
    toasts.first.evaluate("(toast) => { toast.is_the_same = true }")
    hotel.control("one", "disable")
    expect(toasts).to_contain_text(["EXPIRED → DISABLED", "DISABLED → EXPIRED"])
    expect(toasts.first).to_contain_text("Switched off by a user")
    assert toasts.first.evaluate("(toast) => toast.is_the_same")


def test_a_closed_toast_reappears_with_the_next_change(hotel: HotelProcesses, user: BrowserUser) -> None:
    hotel.make_link("made")
    expect(user.page.locator(".row")).to_have_count(2)
    hotel.control("made", "expire")
    toast = user.page.locator(".toast")
    expect(toast).to_contain_text("DISABLED → EXPIRED")
    toast.get_by_role("button").click()
    expect(toast).to_have_count(0)
    hotel.control("made", "disable")
    expect(toast).to_contain_text("EXPIRED → DISABLED")
    user.page.keyboard.press("Escape")
    expect(toast).to_have_count(0)


def test_a_toast_opens_its_link(hotel: HotelProcesses, user: BrowserUser) -> None:
    hotel.make_link("made")
    expect(user.page.locator(".row")).to_have_count(2)
    hotel.control("made", "expire")
    user.page.locator(".toast").get_by_role("link", name="made").click()
    expect(user.page.get_by_role("heading", level=1)).to_have_text("made")


def test_a_toast_stays_while_hovered_or_focused_and_then_closes(
    hotel: HotelProcesses, user: BrowserUser
) -> None:
    page = user.page
    page.clock.install()
    page.reload()
    hotel.make_link("made")
    expect(page.locator(".row")).to_have_count(2)
    hotel.control("made", "expire")
    toast = page.locator(".toast")
    toast.hover()
    page.clock.run_for(13_000)
    expect(toast).to_be_visible()
    toast.get_by_role("button").focus()
    page.get_by_role("heading", level=1).hover()
    page.clock.run_for(13_000)
    expect(toast).to_be_visible()
    page.get_by_role("searchbox").focus()
    page.clock.run_for(13_000)
    expect(toast).to_have_count(0)
