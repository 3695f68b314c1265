"""Who comes in, who has to leave, and what is told of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.logger import LogEvent, formatEvent, globalLogPublisher

from pmslink.web.auth import token_file_edits
from pmslink.web.auth.login_sessions import LASTS
from pmslink.web.auth.token_file import FILE
from pmslink.web.auth.token_reload import LOOK
from pmslink.web.stream.broadcaster import HEARTBEAT
from tests.time_limit import within
from tests.web.protected_api import Guarded
from tests.web.served_api import START, Served, turns
from tests.web.stream_client import watch

publisher: Any = globalLogPublisher


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]
async def reached(tmp_path: Path) -> AsyncIterator[Guarded]:
    """A service that other machines reach."""
    service = Guarded(tmp_path, local=False)
    yield service
    await service.stop()


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("", 'must be "Bearer", a blank, and a token'),
        ("Bearer", 'must be "Bearer", a blank, and a token'),
        ("Bearer a b", 'must be "Bearer", a blank, and a token'),
        ("Basic dXNlcjpwYXNz", 'must be "Bearer", a blank, and a token'),
        ("Bearer \xff", "there is no such token"),
        ("Bearer a\r\nAuthorization: Bearer b", "there must be one Authorization header only"),
    ],
)
@within(10)
async def test_a_header_that_shows_no_right_token_is_refused(
    guarded: Guarded, header: str, told: str
) -> None:
    answer = await guarded.get("/api/v1/links", headers={"authorization": header})
    assert answer.error == (401, "unauthorized")
    assert told in answer.json()["error"]["message"]
    assert answer.headers["www-authenticate"] == "Bearer"


@within(10)
async def test_the_scheme_is_read_as_http_has_it(guarded: Guarded) -> None:
    header = {"authorization": f"bEARER   {guarded.tokens['view']} "}
    assert (await guarded.get("/api/v1/links", headers=header)).status == 200


@within(10)
async def test_a_wrong_token_is_not_made_right_by_a_cookie(guarded: Guarded) -> None:
    signed = await guarded.sign_in()
    wrong = {"authorization": "Bearer pmslink_wrong"}
    assert (await guarded.get("/api/v1/links", headers=signed.cookie | wrong)).status == 401


@within(10)
async def test_without_tokens_whoever_is_on_this_machine_may_do_everything(served: Served) -> None:
    served.add(enabled=False)
    for header in (
        {},
        {"authorization": "Bearer any"},
        {"authorization": "rubbish"},
        {"cookie": "pmslink_session=x"},
    ):
        assert (await served.post("/api/v1/links/grand/enable", headers=header)).status == 200


@within(10)
async def test_with_the_first_token_the_door_shuts_and_stays_shut_until_a_restart(tmp_path: Path) -> None:
    served = Served(state_dir=tmp_path)
    watching = await watch(served)
    token, _ = token_file_edits.add(tmp_path, "desk", "view", START)
    served.run(LOOK)
    await watching.connection.closed
    assert (await served.get("/api/v1/links")).error == (401, "unauthorized")
    headers = {"authorization": f"Bearer {token}"}
    assert (await served.get("/api/v1/links", headers=headers)).status == 200
    (tmp_path / FILE).rename(tmp_path / "moved")  # as some editors do for a moment
    served.run(LOOK)
    assert (await served.get("/api/v1/links")).error == (401, "unauthorized")
    assert (await served.get("/api/v1/session")).error == (401, "unauthorized")
    assert (await served.post("/api/v1/session", {"token": token})).error == (401, "unauthorized")
    await served.stop()
    again = Served(served, state_dir=tmp_path)
    assert (await again.get("/api/v1/links")).status == 200
    await again.stop()


@within(10)
async def test_where_other_machines_come_in_nobody_does_without_tokens(reached: Guarded) -> None:
    headers = reached.bearer("control")
    assert (await reached.get("/api/v1/links", headers=headers)).status == 200
    reached.remove_token("view", "control", "pbx")
    for header in (headers, {}):
        answer = await reached.get("/api/v1/links", headers=header)
        assert answer.error == (401, "unauthorized")
    assert (await reached.get("/api/v1/session")).error == (401, "unauthorized")
    assert (await reached.get("/healthz")).status == 200


@within(10)
async def test_where_other_machines_come_in_pages_of_other_hosts_do_not(reached: Guarded) -> None:
    headers = reached.bearer("control") | {"host": "pms.example:8443"}
    for origin in ("http://pms.example:8443", "https://PMS.example:8443"):
        answer = await reached.get("/api/v1/links", headers=headers | {"origin": origin})
        assert answer.status == 200
    for origin in ("https://pms.example", "https://evil.example:8443", "null"):
        answer = await reached.get("/api/v1/links", headers=headers | {"origin": origin})
        assert answer.error == (403, "foreign_origin")


@within(10)
async def test_every_answer_tells_the_browser_to_trust_nothing_else(guarded: Guarded) -> None:
    for path in ("/", "/healthz", "/api/v1/links", "/nothing", "/api/v1/session", "/metrics"):
        headers = (await guarded.get(path)).headers
        policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
        assert policy["default-src"] == policy["frame-ancestors"] == policy["form-action"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert headers["cross-origin-resource-policy"] == "same-origin"
    watching = await watch(guarded, headers=guarded.bearer("view"))
    assert "content-security-policy" in watching.head
    await watching.end()


# Leaving.


@within(10)
async def test_who_watches_with_a_token_that_is_removed_is_dropped_at_once(guarded: Guarded) -> None:
    gone = await watch(guarded, headers=guarded.bearer("view"))
    signed = await guarded.sign_in("view")
    too = await watch(guarded, headers=signed.cookie)
    stays = await watch(guarded, headers=guarded.bearer("pbx"))
    guarded.remove_token("view")
    await gone.connection.closed
    await too.connection.closed
    guarded.run(HEARTBEAT)
    await turns()
    assert not stays.connection.closed.called
    await stays.end()


@within(10)
async def test_who_watches_in_a_session_is_dropped_when_it_ends(guarded: Guarded) -> None:
    first, second = await guarded.sign_in("view"), await guarded.sign_in("view")
    gone = await watch(guarded, headers=first.cookie)
    stays = await watch(guarded, headers=second.cookie)
    await guarded.call("DELETE", "/api/v1/session", first.cookie | first.csrf)
    await gone.connection.closed
    await turns()
    assert not stays.connection.closed.called
    guarded.run(LASTS - 1)
    await turns()
    assert not stays.connection.closed.called
    guarded.run(HEARTBEAT)
    await stays.connection.closed


@within(10)
async def test_who_waits_for_events_meanwhile_must_still_be_admitted(guarded: Guarded) -> None:
    guarded.add()
    guarded.dock()
    headers = guarded.bearer("view")
    after = (await guarded.get("/api/v1/links/grand/events", headers=headers)).json()["next"]
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    request = (
        f"GET /api/v1/links/grand/events?after={after}&wait=60 HTTP/1.1\r\n"
        f"host: localhost:{guarded.port}\r\nconnection: close\r\n{lines}\r\n"
    )
    connection = await guarded.connect(request.encode())
    await guarded.until(lambda: len(guarded.site.api.waiting) == 1)
    guarded.remove_token("view")
    guarded.say("GI|RN101|GNSmith|")
    await guarded.until(lambda: connection.closed.called)
    received = bytes(connection.received)
    assert received.startswith(b"HTTP/1.1 401 ")
    assert b"Smith" not in received


# The log.


@pytest.fixture
def logged() -> Iterator[list[LogEvent]]:
    events: list[LogEvent] = []
    publisher.addObserver(events.append)
    yield events
    publisher.removeObserver(events.append)


@within(10)
async def test_the_log_names_who_changed_something_and_holds_no_secret(
    guarded: Guarded, logged: list[LogEvent]
) -> None:
    guarded.add(enabled=False)
    secret = "pmslink_" + "s" * 43
    signed = await guarded.sign_in("control")
    await guarded.post("/api/v1/links/grand/enable", headers=guarded.bearer("control"))
    await guarded.post("/api/v1/links/grand/disable", headers=signed.cookie | signed.csrf)
    await guarded.post("/api/v1/links/grand/enable", headers=guarded.bearer("view"))
    await guarded.post("/api/v1/session", {"token": secret})
    await guarded.get(f"/api/v1/links?token={secret}", headers={"authorization": f"Bearer {secret}"})
    await guarded.post(
        "/api/v1/links/grand/postings",
        {"type": "charge", "room": "1", "amount": 1, "text": "Champagne"},
        guarded.bearer("view"),
    )
    await guarded.call("DELETE", "/api/v1/session", signed.cookie | signed.csrf)
    (guarded.state_dir / FILE).write_text(secret)
    guarded.run(LOOK)
    lines = [formatEvent(event) for event in logged]
    told = [line.partition("), ")[2] for line in lines if "/api/v1" in line and "), " in line]
    assert told == [
        "control: POST '/api/v1/session': 200",
        "control: POST '/api/v1/links/grand/enable': 200",
        "control: POST '/api/v1/links/grand/disable': 200",
        "view: POST '/api/v1/links/grand/enable': 403",
        "view: POST '/api/v1/links/grand/postings': 403",
        "control: DELETE '/api/v1/session': 200",
    ]
    wrong = [line for line in lines if line.endswith("): a wrong token")]
    assert len(wrong) == 2
    assert all(line.startswith("IPv4Address(type='TCP', host='127.0.0.1'") for line in wrong)
    everything = json.dumps([*lines, *(repr(event) for event in logged)])
    for hidden in (
        secret,
        *guarded.tokens.values(),
        signed.told["csrf"],
        *signed.cookie.values(),
        "Champagne",
    ):
        assert hidden not in everything
