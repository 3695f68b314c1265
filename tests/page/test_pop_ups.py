"""Tests of what pops up in a browser: one outage is one pop-up, however often the link redials."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.page.browser import open_page
from tests.page.hotel_processes import HotelProcesses
from tests.process.server_processes import free_ports, run_simulator, wait_until

FAST_REDIALS = {"retry_initial": 0.2, "retry_max": 0.2, "start_timeout": 5}
RECORD_POP_UPS = """
addEventListener("DOMContentLoaded", () => {
  window.appeared = [];
  new MutationObserver((changes) => {
    const nodes = changes.flatMap(({ addedNodes }) => [...addedNodes]);
    window.appeared.push(...nodes.map((node) => node.textContent));
  }).observe(document.getElementById("pop-up"), { childList: true });
});
"""
"""Collects the texts of all pop-ups as they appear."""
CALL = """async ([method, path]) => {
  const { call } = await import(new URL("core/api.js", document.querySelector("script[type=module]").src));
  await call(method, path);
}"""
"""Calls the API as a button of the page does."""
IS_COVERED = """(control) => {
  const bar = document.querySelector(".pop").getBoundingClientRect();
  const box = control.getBoundingClientRect();
  const isAboveOrBelow = box.bottom <= bar.top || box.top >= bar.bottom;
  return !isAboveOrBelow && box.right > bar.left && box.left < bar.right;
}"""
"""Whether the bar lies over a control."""
PLACE_ABOVE = """(control, line) => {
  scrollBy(0, control.getBoundingClientRect().bottom - line);
  return line - control.getBoundingClientRect().bottom;
}"""
"""Scrolls a control to just above a line, as far as the page scrolls; returns the distance that remains."""

IN_EACH_WINDOW = pytest.mark.parametrize(("width", "height"), [(1280, 700), (390, 600), (320, 500)])
CENTRE = """(control) => {
  const { x, y, width, height } = control.getBoundingClientRect();
  return [x + width / 2, y + height / 2];
}"""


class PmsOfSeaside:
    """The PMS of a link `seaside`, which a test can stop and start: while it is stopped, it refuses."""

    def __init__(self, hotel: HotelProcesses, folder: Path) -> None:
        self.hotel = hotel
        self._folder = folder
        self._port, self._control = free_ports(2)
        self._running = ExitStack()

    def start(self) -> None:
        self._running.enter_context(run_simulator(self._folder, self._port, self._control))

    def dock(self) -> None:
        self.hotel.make_docked_link("seaside", self._port, **FAST_REDIALS)

    def stop(self) -> None:
        self._running.close()

    def refuse(self, redials: int) -> None:
        """Stop, and wait until the link has redialled so often."""
        self.stop()
        self.wait_for_redials(redials)

    def wait_for_redials(self, count: int) -> None:
        first = self.attempts
        wait_until(lambda: self.attempts >= first + count, f"{count} redials")

    @property
    def attempts(self) -> int:
        return int(self.hotel.link("seaside")["retry"]["attempt"])

    def end_outage(self) -> None:
        self.start()
        wait_until(lambda: self.hotel.link("seaside")["in_sync"], "the link is in sync")

    @property
    def markers(self) -> list[str]:
        """The markers of all changes since the link was created, those from null left out."""
        transitions = self.hotel.transitions("seaside")
        return [f"{one['from']} → {one['to']}" for one in transitions if one["from"] is not None]


@pytest.fixture
def pms(hotel: HotelProcesses, tmp_path: Path) -> Iterator[PmsOfSeaside]:
    """Return the PMS of the link `seaside`, which is docked."""
    pms = PmsOfSeaside(hotel, tmp_path)
    pms.start()
    try:
        pms.dock()
        yield pms
    finally:
        pms.stop()


@pytest.fixture
def page(browser: Browser, hotel: HotelProcesses, pms: PmsOfSeaside) -> Iterator[Page]:
    """Open the page, which records its pop-ups, once `seaside` is docked."""
    with open_page(browser, hotel.url) as user:
        reopen(user.page)
        yield user.page


def reopen(page: Page) -> None:
    """Load the page anew, and wait until it receives changes: then it asks for the notices."""
    page.add_init_script(RECORD_POP_UPS)
    with page.expect_response("**/api/v1/notices?*"):
        page.reload()
    expect(page.locator("#main")).to_contain_text("grand")


def appeared(page: Page) -> list[str]:
    texts: list[str] = page.evaluate("window.appeared")
    return texts


def show_outage(pms: PmsOfSeaside, page: Page) -> None:
    """Stop the PMS, and wait until the bar says so."""
    pms.stop()
    expect(bar(page)).to_contain_text("seaside is down")


def bar(page: Page) -> Locator:
    return page.locator("#pop-up .pop")


def test_an_outage_of_ten_redials_is_one_pop_up_that_changes_in_place(pms: PmsOfSeaside, page: Page) -> None:
    show_outage(pms, page)
    bar(page).evaluate("(bar) => { bar.isTheSame = true }")
    pms.wait_for_redials(10)
    expect(bar(page).locator(".mono")).to_contain_text("WAIT_LS")
    assert bar(page).evaluate("(bar) => bar.isTheSame")
    assert len(appeared(page)) == 1
    expect(page.locator("#bell b")).to_have_text("1")
    assert page.title().startswith("(1) ")
    notices = pms.hotel.pbx.call("GET", "/api/v1/notices?link=seaside")["notices"]
    assert [(one["kind"], one["state"]) for one in notices] == [("down", "open")]


def test_a_closed_pop_up_stays_closed_until_the_outage_is_over(pms: PmsOfSeaside, page: Page) -> None:
    show_outage(pms, page)
    bar(page).get_by_role("button", name="Close").click()
    page.mouse.move(5, 5)
    pms.wait_for_redials(5)
    expect(bar(page)).to_have_count(0)
    assert len(appeared(page)) == 1
    pms.end_outage()
    expect(bar(page)).to_contain_text("seaside is back after")
    assert len(appeared(page)) == 2
    assert bar(page).get_attribute("data-mood") == "good"
    expect(bar(page)).to_have_count(0)  # good news leaves by itself
    expect(page.locator("#bell b")).to_be_hidden()


def test_at_each_change_of_state_every_change_of_the_marker_pops_up(pms: PmsOfSeaside, page: Page) -> None:
    page.locator("#bell button").click()
    page.get_by_label("Pop up").select_option("marker")
    page.keyboard.press("Escape")
    before = len(pms.markers)
    pms.refuse(redials=3)
    pms.end_outage()
    wait_until(lambda: pms.markers[-1] == "WAIT_LS → ESTABLISHED", "established")
    changes = pms.markers[before:]
    assert len(changes) >= 8  # EXPECTION and WAIT_LS at each redial, at last ESTABLISHED
    expect(bar(page).locator(".mono")).to_have_text(changes[-1])
    texts = appeared(page)
    assert len(texts) == len(changes)
    assert all(change in text for change, text in zip(changes, texts, strict=True))
    page.reload()
    page.locator("#bell button").click()
    expect(page.get_by_label("Pop up")).to_have_value("marker")  # the browser remembers it
    page.get_by_label("Pop up").select_option("none")
    page.keyboard.press("Escape")
    pms.hotel.control("seaside", "disable")
    expect(page.locator("#main")).to_contain_text("DISABLED")
    expect(bar(page)).to_have_count(0)


def test_an_outage_that_had_begun_before_the_page_pops_up_at_its_end_only(
    pms: PmsOfSeaside, page: Page
) -> None:
    pms.refuse(redials=1)
    reopen(page)
    pms.wait_for_redials(5)
    assert appeared(page) == []
    expect(page.locator("#announcer")).to_be_empty()
    expect(page.locator("#bell b")).to_have_text("1")
    pms.end_outage()
    expect(bar(page)).to_contain_text("seaside is back after")


def test_a_change_by_a_person_pops_up_and_leaves_but_not_where_it_was_asked_for(
    pms: PmsOfSeaside, page: Page
) -> None:
    pms.hotel.control("seaside", "disable")
    expect(bar(page)).to_contain_text("ESTABLISHED → DISABLED")
    pms.hotel.control("seaside", "expire")
    expect(bar(page)).to_contain_text("DISABLED → EXPIRED")
    expect(bar(page)).to_have_count(0)
    assert len(appeared(page)) == 1
    page.evaluate(CALL, ["POST", "links/seaside/disable"])
    expect(page.locator("#main")).to_contain_text("DISABLED")
    pms.hotel.make_link("other")
    expect(page.locator("#main")).to_contain_text("other")
    assert len(appeared(page)) == 1


def test_enabling_a_link_again_touches_nothing(pms: PmsOfSeaside, page: Page) -> None:
    page.locator("#bell button").click()
    expect(page.get_by_text("Nothing needs you.")).to_be_visible()
    expect(page.locator(".drawer .older")).to_be_hidden()
    page.evaluate("""() => {
      window.touched = [];
      new MutationObserver((changes) => window.touched.push(...changes.map(({ target }) => target)))
        .observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
    }""")
    for _ in range(5):
        pms.hotel.control("seaside", "enable")
    pms.hotel.make_link("other")
    expect(page.locator("#main")).to_contain_text("other")  # what happened before has arrived
    touched = page.evaluate("""() => window.touched
      .filter((node) => ["drawer", "pop-up", "bell"].some((id) => document.getElementById(id).contains(node)))
      .length""")
    assert touched == 0


@IN_EACH_WINDOW
def test_the_bar_never_lies_over_the_focused_control(
    browser: Browser, hotel: HotelProcesses, pms: PmsOfSeaside, width: int, height: int
) -> None:
    with open_page(browser, hotel.url, viewport={"width": width, "height": height}) as user:
        page = user.page
        reopen(page)
        user.navigate("#/new")
        expect(page.get_by_role("heading", level=1)).to_have_text("New link")
        show_outage(pms, page)
        controls = page.locator("main :is(a, button, input, select):visible:not(:disabled)")
        assert controls.count() > 5
        for control in controls.all():
            control.focus()
            assert not control.evaluate(IS_COVERED), control.inner_text() or control.get_attribute("id")
        pms.start()


def test_a_control_beside_the_bar_stays_where_it_is_pressed(
    browser: Browser, hotel: HotelProcesses, pms: PmsOfSeaside
) -> None:
    # else it would take no click
    with open_page(browser, hotel.url, viewport={"width": 1280, "height": 700}) as user:
        page = user.page
        reopen(page)
        user.navigate("#/links/seaside/settings")
        expect(page.get_by_role("switch", name="Encrypt (TLS)")).to_be_visible()
        show_outage(pms, page)
        top_of_bar = bar(page).evaluate("(bar) => bar.getBoundingClientRect().top")
        pressed = 0
        for control in page.locator("main :is(button, input[type=checkbox]):visible:not(:disabled)").all():
            if abs(control.evaluate(PLACE_ABOVE, top_of_bar)) < 2:
                assert moved_by_press(page, control) == 0, control.inner_text() or control.get_attribute("id")
                pressed += 1
        assert pressed >= 3
        pms.start()


@IN_EACH_WINDOW
def test_the_bar_never_lies_over_the_buttons_that_save_settings(
    browser: Browser, hotel: HotelProcesses, pms: PmsOfSeaside, width: int, height: int
) -> None:
    with open_page(browser, hotel.url, viewport={"width": width, "height": height}) as user:
        page = user.page
        reopen(page)
        user.navigate("#/links/seaside/settings")
        page.get_by_role("switch", name="Encrypt (TLS)").check()
        show_outage(pms, page)
        page.evaluate("scrollTo(0, 500)")  # into the form: before it, its bar may be where the notice is
        for name in ("Save", "Test"):
            button = page.locator(".savebar").get_by_role("button", name=name)
            expect(button).to_be_enabled()
            assert not button.evaluate(IS_COVERED), name
        page.get_by_role("switch", name="Encrypt (TLS)").uncheck()
        pms.start()


def moved_by_press(page: Page, control: Locator) -> float:
    """Press a control, let go beside it, and return by how much the control moved because of that."""
    x, y = control.evaluate(CENTRE)
    page.mouse.move(x, y)
    page.mouse.down()
    _, after = control.evaluate(CENTRE)
    page.mouse.move(5, 5)
    page.mouse.up()
    return float(after - y)
