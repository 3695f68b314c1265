"""What tests of the forms for settings do in a browser."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from tests.page.browser import BrowserUser


def field(page: Page, name: str) -> Locator:
    """Return the input of a setting."""
    return page.locator(f"#setting-{name}")


def expect_error(page: Page, name: str, text: str) -> None:
    """Check that the field shows the error, and that a screen reader announces it."""
    expect(field(page, name)).to_have_attribute("aria-invalid", "true")
    expect(field(page, name)).to_have_accessible_description(re.compile(re.escape(text)))
    expect(page.locator(f"#setting-{name}-error")).to_be_visible()


def fill_address(
    page: Page, port: int, name: str = "made", host: str = "127.0.0.1", profile: str = "generic"
) -> None:
    """Fill in what a new link needs."""
    for key, value in {"name": name, "host": host, "port": str(port)}.items():
        field(page, key).fill(value)
    field(page, "profile").select_option(profile)


def open_new_link(user: BrowserUser, query: str = "") -> Page:
    user.navigate(f"#/new{query}")
    expect(field(user.page, "name")).to_be_visible()
    return user.page


def open_settings(user: BrowserUser, name: str = "made", query: str = "") -> Page:
    user.navigate(f"#/links/{name}/settings{query}")
    expect(field(user.page, "host")).to_be_visible()
    return user.page


def save(page: Page) -> None:
    """Save the settings of a link, and wait until they are saved."""
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".savebar")).to_contain_text("Saved.")
