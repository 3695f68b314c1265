"""Notices that a link changed, in a real browser: few at once, one for each link, and not for ever."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.page.browser import Person
from tests.page.hotel_processes import Hotel


def test_at_most_five_are_on_the_screen_and_the_rest_is_counted(hotel: Hotel, person: Person) -> None:
    names = [f"made-{number}" for number in range(7)]
    for name in names:
        hotel.make(name)
    expect(person.page.locator(".row")).to_have_count(8)
    for name in names:
        hotel.control(name, "expire")
    toasts = person.page.locator(".toast")
    rest = person.page.locator("#toasts .rest")
    expect(rest).to_have_text("and 2 more")
    expect(toasts).to_have_count(5)
    expect(toasts).to_contain_text(names[2:])

    person.page.get_by_role("button", name="Close the notice about made-3").click()
    expect(toasts).to_contain_text(["made-1", "made-2", "made-4", "made-5", "made-6"])
    expect(rest).to_have_text("and 1 more")
    person.page.get_by_role("button", name="Close the notice about made-6").click()
    expect(toasts).to_have_count(5)
    expect(rest).to_be_hidden()


def test_a_link_that_changes_again_has_its_toast_replaced_in_place(hotel: Hotel, person: Person) -> None:
    for name in ("one", "other"):
        hotel.make(name)
    expect(person.page.locator(".row")).to_have_count(3)
    for name in ("one", "other"):
        hotel.control(name, "expire")
    toasts = person.page.locator(".toast")
    expect(toasts).to_contain_text(["DISABLED → EXPIRED", "DISABLED → EXPIRED"])
    toasts.first.evaluate("(toast) => { toast.is_the_same = true }")
    hotel.control("one", "disable")
    expect(toasts).to_contain_text(["EXPIRED → DISABLED", "DISABLED → EXPIRED"])
    expect(toasts.first).to_contain_text("Switched off by a user")
    assert toasts.first.evaluate("(toast) => toast.is_the_same")


def test_one_that_is_closed_comes_back_with_the_next_change(hotel: Hotel, person: Person) -> None:
    hotel.make("made")
    expect(person.page.locator(".row")).to_have_count(2)
    hotel.control("made", "expire")
    toast = person.page.locator(".toast")
    expect(toast).to_contain_text("DISABLED → EXPIRED")
    toast.get_by_role("button").click()
    expect(toast).to_have_count(0)
    hotel.control("made", "disable")
    expect(toast).to_contain_text("EXPIRED → DISABLED")
    person.page.keyboard.press("Escape")
    expect(toast).to_have_count(0)


def test_it_leads_to_its_link(hotel: Hotel, person: Person) -> None:
    hotel.make("made")
    expect(person.page.locator(".row")).to_have_count(2)
    hotel.control("made", "expire")
    person.page.locator(".toast").get_by_role("link", name="made").click()
    expect(person.page.get_by_role("heading", level=1)).to_have_text("made")


def test_it_stays_while_it_is_pointed_at_or_has_the_focus_and_then_goes(hotel: Hotel, person: Person) -> None:
    page = person.page
    page.clock.install()
    page.reload()
    hotel.make("made")
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
