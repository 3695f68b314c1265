"""Tests of the webhook of a link in a browser."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from playwright.sync_api import Browser, expect

from tests.page.browser import BrowserUser, open_page
from tests.page.canned_service import ago, make_link, start_canned_service
from tests.page.hotel_processes import HotelProcesses


class RejectingReceiver(ThreadingHTTPServer):
    """A receiver that never accepts the first event that it gets, and accepts all others."""

    daemon_threads = True
    rejected_seq: int | None = None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: RejectingReceiver

    def do_POST(self) -> None:
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.rejected_seq is None:
            self.server.rejected_seq = event["seq"]
        self.send_response(400 if event["seq"] == self.server.rejected_seq else 204)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: Any) -> None: ...


@contextmanager
def rejecting_receiver() -> Iterator[str]:
    """Run a RejectingReceiver, and yield its URL."""
    server = RejectingReceiver(("127.0.0.1", 0), _Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_webhook_status_is_shown_if_one_is_configured(hotel: HotelProcesses, user: BrowserUser) -> None:
    page, webhook = user.page, user.page.locator(".webhook")
    user.navigate("#/links/grand/phones")
    expect(page.get_by_text("No program gets the events of this link.")).to_be_visible()
    expect(webhook).to_be_hidden()
    expect(page.get_by_role("link", name="Set one up")).to_have_attribute(
        "href", "#/links/grand/settings?group=webhook"
    )

    port = hotel.ports[1]
    hotel.make_docked_link("made", port, webhook_url="http://127.0.0.1:1/events", webhook_secret="a" * 20)
    user.navigate("#/links/made/phones")
    expect(webhook).to_contain_text("http://127.0.0.1:1/events")
    expect(webhook.locator(".badge")).to_have_text("Not accepted, trying again")
    expect(webhook.locator(".badge")).to_have_attribute("data-mood", "bad")
    expect(webhook.locator("[data-fact=backlog]")).to_contain_text(re.compile(r"\d+, the oldest for \d+"))
    expect(webhook.locator("[data-fact=last_error]")).to_contain_text("refused")
    expect(webhook.locator("[data-fact=next_at]")).to_contain_text(re.compile(r"in \d+ s"))
    expect(webhook.locator("[data-fact=last_delivered]")).to_be_hidden()

    no_webhook = {"webhook_url": None, "webhook_secret": None}
    hotel.pbx.call("PATCH", "/api/v1/links/made", no_webhook)
    expect(webhook).to_be_hidden()


def test_the_event_that_is_never_accepted_can_be_skipped(hotel: HotelProcesses, user: BrowserUser) -> None:
    """Case E12."""
    page, webhook = user.page, user.page.locator(".webhook")
    with rejecting_receiver() as url:
        hotel.make_docked_link("made", hotel.ports[1], webhook_url=url, webhook_secret="a" * 20)
        user.navigate("#/links/made/phones")
        stuck = webhook.locator("[data-fact=stuck]")
        expect(stuck).to_contain_text(re.compile(r"link\.changed, number \d+"))
        skip = webhook.get_by_role("button", name="Skip this event")

        skip.click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_have_accessible_name(re.compile("^Skip the event “link.changed, number"))
        expect(dialog).to_contain_text("Your program will never get it.")
        dialog.get_by_role("button", name="Cancel").click()
        expect(stuck).to_be_visible()

        skip.click()
        dialog.get_by_role("button", name="Skip this event").click()
        answer = webhook.get_by_role("status")
        expect(answer).to_contain_text("was skipped")
        expect(answer).to_be_focused()
        expect(webhook.locator(".badge")).to_have_text("All events are delivered")
        expect(webhook.locator("[data-fact=skipped]")).to_contain_text("1")
        expect(skip).to_be_hidden()
        assert hotel.link("made")["webhook"]["skipped"] == 1


def test_a_role_that_reads_only_cannot_skip(browser: Browser) -> None:
    webhook = {
        "url": "http://127.0.0.1:1/events",
        "state": "retrying",
        "backlog": 3,
        "oldest": ago(minutes=4),
        "last_delivered": None,
        "last_error": "Connection refused",
        "next_at": None,
        "lost": 0,
        "skipped": 0,
        "stuck": {"seq": 5, "type": "guest.checked_in", "room": "101"},
    }
    with start_canned_service() as service:
        service.role = "view"
        service.show(make_link("grand", webhook=webhook))
        with open_page(browser, service.url) as user:
            user.navigate("#/links/grand/phones")
            expect(user.page.locator("[data-fact=stuck]")).to_contain_text(
                "guest.checked_in, room 101, number 5"
            )
            expect(user.page.get_by_role("button", name="Skip this event")).to_be_hidden()
