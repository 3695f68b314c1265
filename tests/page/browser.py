"""A headless browser that opens the page of a running service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from attrs import frozen
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, sync_playwright

WAIT_TIMEOUT_MS = 60_000
"""Milliseconds that a test waits for the page. The limit is high, so that only a hung page reaches it."""
CHROMIUM_PATH = "/usr/bin/chromium-headless-shell"
_CHROMIUM_OPTIONS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def start_chromium() -> Iterator[Browser]:
    """Run Debian's Chromium without a window, which takes less CPU, and without requests of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM_PATH, chromium_sandbox=False, args=list(_CHROMIUM_OPTIONS)
        )
        try:
            yield browser
        finally:
            browser.close()


class PageErrors:
    """Records the errors of a page: exceptions, console errors, native dialogs, requests to other hosts."""

    def __init__(self, page: Page, service: str) -> None:
        self._service = service
        self.errors: list[str] = []
        self.expected_errors: list[str] = []
        """Texts that identify errors which the test expects."""
        page.on("pageerror", lambda error: self.errors.append(f"raised: {error}"))
        page.on("console", self._on_console)
        page.on("dialog", self._on_dialog)
        page.on("request", lambda request: self._on_request(request.url))

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(f"{message.type}: {message.text}")

    def _on_dialog(self, dialog: Dialog) -> None:
        self.errors.append(f"{dialog.type}: {dialog.message}")
        dialog.dismiss()

    def _on_request(self, url: str) -> None:
        if not url.startswith((self._service, "blob:")):
            self.errors.append(f"request to {url}")

    def require_no_errors(self) -> None:
        unexpected = [
            error for error in self.errors if not any(part in error for part in self.expected_errors)
        ]
        assert not unexpected, unexpected


@frozen
class BrowserUser:
    """A user with a browser; the page may have only the errors that the test expects."""

    context: BrowserContext
    page: Page
    page_errors: PageErrors

    def navigate(self, hash: str) -> None:
        """Open another view of the page, by its hash."""
        self.page.evaluate("(hash) => { location.hash = hash }", hash)


def wait_for_stream(page: Page) -> None:
    """Wait until the page is told of changes and has its shortcuts, which come after the first rows.

    A page that asks for a token, or does not reach the service, is not waited for.
    """
    page.wait_for_selector("html[data-stream], #sign-in[open]", state="attached")


@contextmanager
def open_page(browser: Browser, url: str, **options: Any) -> Iterator[BrowserUser]:
    """Open the page at this address; the options are those of a browser context."""
    defaults = {"locale": "en-GB", "viewport": {"width": 1280, "height": 800}}
    context = browser.new_context(**{**defaults, **options})
    context.set_default_timeout(WAIT_TIMEOUT_MS)
    page = context.new_page()
    page_errors = PageErrors(page, url)
    try:
        page.goto(url)
        if url.startswith("http"):
            wait_for_stream(page)
        yield BrowserUser(context, page, page_errors)
        page_errors.require_no_errors()
    finally:
        context.close()
