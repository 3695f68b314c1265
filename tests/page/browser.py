"""A real browser, headless, that looks at the page of a running service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from attrs import frozen
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
_QUIETLY = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, which calls nobody on its own account."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, chromium_sandbox=False, args=list(_QUIETLY)
        )
        try:
            yield browser
        finally:
            browser.close()


class Watched:
    """Keeps account of what a page must not do: raise, complain, open a box, or ask any other host."""

    def __init__(self, page: Page, service: str) -> None:
        self._service = service
        self.wrong: list[str] = []
        self.expected: list[str] = []
        """Parts of complaints that belong to the test."""
        page.on("pageerror", lambda error: self.wrong.append(f"raised: {error}"))
        page.on("console", self._said)
        page.on("dialog", self._boxed)
        page.on("request", lambda request: self._asked(request.url))

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.wrong.append(f"{message.type}: {message.text}")

    def _boxed(self, box: Dialog) -> None:
        self.wrong.append(f"{box.type}: {box.message}")
        box.dismiss()

    def _asked(self, url: str) -> None:
        if not url.startswith((self._service, "blob:")):
            self.wrong.append(f"asked {url}")

    def require_nothing_wrong(self) -> None:
        wrong = [one for one in self.wrong if not any(part in one for part in self.expected)]
        assert not wrong, wrong


@frozen
class Person:
    """Somebody before a browser, whose page may complain of nothing that the test does not expect."""

    context: BrowserContext
    page: Page
    watched: Watched

    def go(self, hash: str) -> None:
        """Follow a link of the page, as by a bookmark."""
        self.page.evaluate("(hash) => { location.hash = hash }", hash)


@contextmanager
def somebody(browser: Browser, url: str, **options: Any) -> Iterator[Person]:
    """A person who looks at this address; the options are those of a context of the browser."""
    usual = {"locale": "en-GB", "viewport": {"width": 1280, "height": 800}}
    context = browser.new_context(**{**usual, **options})
    context.set_default_timeout(10_000)
    page = context.new_page()
    watched = Watched(page, url)
    try:
        page.goto(url)
        yield Person(context, page, watched)
        watched.require_nothing_wrong()
    finally:
        context.close()
