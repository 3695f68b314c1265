"""Tests of the connection test over the API: one answer, or a line for each step while it runs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import LogEvent
from twisted.python.failure import Failure

from pmslink.errors import NotApplicableError
from pmslink.link.cause import Cause
from pmslink.link.connection_probe import Step, StepStart, Suggestion
from pmslink.link.unreadable_input import UnreadableInput
from tests.time_limit import time_limit
from tests.web.served_api import RawConnection, ServedApi, validate_schema

SETTINGS = {"host": "pms", "port": 5010}


@time_limit(10)
async def test_settings_are_tried(served_api: ServedApi) -> None:
    served_api.test_result = [Step("resolve", True, "", 0.00123), Step("connect", False, "refused", 1)]
    answer = await served_api.post("/api/v1/links/test", {"host": "pms", "port": 5010, "profile": None})
    assert answer.json() == {
        "steps": [
            {"step": "resolve", "ok": True, "reason": "", "seconds": 0.001},
            {"step": "connect", "ok": False, "reason": "refused", "seconds": 1},
        ]
    }
    assert [(config.name, config.host) for config in served_api.tested_configs] == [("test", "pms")]


@time_limit(10)
async def test_an_address_in_use_is_rejected(served_api: ServedApi) -> None:
    served_api.test_result = NotApplicableError("in_use", "the link grand uses it")
    answer = await served_api.post("/api/v1/links/test", {"host": "pms", "port": 5010})
    assert answer.error == (409, "in_use")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"port": 5010}', "host"),
        (b'{"host": "pms", "port": "5010"}', "port"),
        (b'{"host": "pms", "port": 5010, "records": {"GI": "x"}}', "records.GI"),
        (b'{"host": "pms", "port": 5010, "retry_initial": 90}', "retry_initial"),
        (b'{"host": "pms", "port": 5010, "colour": "\\ud800"}', "colour"),
        (b"[]", None),
        (b"{", None),
        (b"", None),
        (b"\xff", None),
        (b'{"host": "pms", "port": NaN}', None),
        (b'{"host":' + b"[" * 100_000, None),
        (b'{"host":' + b"[" * 90 + b"]" * 90 + b"}", "host"),
    ],
)
@time_limit(10)
async def test_invalid_settings_are_not_tried(served_api: ServedApi, body: bytes, field: str | None) -> None:
    answer = await served_api.call(
        "POST", "/api/v1/links/test", headers={"content-type": "application/json"}, body=body
    )
    assert answer.error == (400, "invalid")
    assert answer.json()["error"].get("field") == field
    assert "\n" not in answer.json()["error"]["message"]
    assert not served_api.tested_configs


@time_limit(10)
async def test_settings_are_accepted_only_in_json(served_api: ServedApi) -> None:
    answer = await served_api.call(
        "POST", "/api/v1/links/test", headers={"content-type": "text/plain"}, body=b"{}"
    )
    assert answer.error == (415, "unsupported_type")


class TestClient:
    """A client that reads the lines of a test."""

    __test__ = False

    def __init__(self, served_api: ServedApi, connection: RawConnection) -> None:
        self.served_api = served_api
        self.connection = connection

    @property
    def head(self) -> str:
        return bytes(self.connection.received).partition(b"\r\n\r\n")[0].decode().lower()

    @property
    def lines(self) -> list[Any]:
        """Return the lines so far, each of which is one chunk."""
        chunks = bytes(self.connection.received).partition(b"\r\n\r\n")[2].split(b"\r\n")
        lines = [json.loads(chunk) for chunk in chunks if chunk.startswith(b"{")]
        for line in lines:
            validate_schema({"$ref": "#/components/schemas/TestLine"}, line)
        return lines

    async def until_lines(self, count: int) -> list[Any]:
        await self.served_api.until(lambda: len(self.lines) >= count)
        return self.lines


async def start_test(served_api: ServedApi) -> TestClient:
    body = json.dumps(SETTINGS)
    head = f"POST /api/v1/links/test HTTP/1.1\r\nhost: 127.0.0.1:{served_api.port}\r\n"
    head += "accept: Application/X-NDJSON;q=0.9, application/json;q=0.1\r\naccept-encoding: gzip\r\n"
    head += "connection: close\r\n"
    head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return TestClient(served_api, await served_api.connect((head + body).encode()))


@time_limit(10)
async def test_each_step_is_a_line_as_soon_as_it_starts_and_as_it_ends(served_api: ServedApi) -> None:
    connected: Deferred[None] = Deferred()
    found = UnreadableInput("crlf", 23, b"LS|\r\n", "LS|")
    failed = Step(
        "connect", False, "refused", 1, "do", found, Suggestion("framing", "crlf"), Cause("refused", {"a": 1})
    )
    served_api.test_progress = [
        StepStart("resolve", 10),
        Step("resolve", True, "an address", 0.00123),
        StepStart("connect", 29.5),
        connected,
        failed,
    ]
    client = await start_test(served_api)
    begun = [
        {"step": "resolve", "started": True, "limit": 10},
        {"step": "resolve", "ok": True, "reason": "an address", "seconds": 0.001},
        {"step": "connect", "started": True, "limit": 29.5},
    ]
    assert await client.until_lines(3) == begun
    assert "content-type: application/x-ndjson" in client.head
    assert "content-encoding" not in client.head
    connected.callback(None)
    assert await client.until_lines(4) == [
        *begun,
        {
            "step": "connect",
            "ok": False,
            "reason": "refused",
            "seconds": 1,
            "cause": {"code": "refused", "params": {"a": 1}},
            "advice": "do",
            "seen": {"bytes": 23, "hex": b"LS|\r\n".hex()},
            "suggest": {"setting": "framing", "value": "crlf"},
        },
    ]
    await served_api.until(lambda: client.connection.closed.called)
    assert client.connection.received.endswith(b"0\r\n\r\n")


@time_limit(10)
async def test_a_client_that_leaves_stops_the_test(served_api: ServedApi) -> None:
    ends: list[Failure | None] = []

    def note_end(end: Failure | None) -> Failure | None:
        ends.append(end)
        return end

    never: Deferred[None] = Deferred()
    never.addBoth(note_end)
    served_api.test_progress = [StepStart("resolve", 10), never]
    client = await start_test(served_api)
    await client.until_lines(1)
    client.connection.transport.abortConnection()  # type: ignore[union-attr]
    await served_api.until(lambda: ends)
    await served_api.until(lambda: client.connection.closed.called)
    assert ends[0] is not None
    assert ends[0].check(CancelledError)


@time_limit(10)
async def test_an_address_that_is_found_to_be_in_use_is_the_last_line(served_api: ServedApi) -> None:
    served_api.test_progress = [StepStart("resolve", 10)]
    served_api.test_result = NotApplicableError("in_use", "the link grand uses it")
    client = await start_test(served_api)
    assert (await client.until_lines(2))[1] == {
        "error": {"code": "in_use", "message": "the link grand uses it"}
    }
    await served_api.until(lambda: client.connection.closed.called)


@time_limit(10)
async def test_an_error_before_the_first_line_has_its_status(served_api: ServedApi) -> None:
    served_api.test_result = NotApplicableError("in_use", "the link grand uses it")
    lines = {"accept": "application/x-ndjson"}
    assert (await served_api.post("/api/v1/links/test", SETTINGS, lines)).error == (409, "in_use")
    assert (await served_api.post("/api/v1/links/test", {"port": 1}, lines)).error == (400, "invalid")


@time_limit(10)
async def test_a_test_that_breaks_does_not_seem_complete(
    served_api: ServedApi, leak_check: list[LogEvent]
) -> None:
    served_api.test_progress = [StepStart("resolve", 10)]
    served_api.test_result = ZeroDivisionError("a fault of the service")
    client = await start_test(served_api)
    await served_api.until(lambda: client.connection.closed.called)
    assert [event["log_failure"].type for event in leak_check] == [ZeroDivisionError]
    leak_check.clear()
    assert not client.connection.received.endswith(b"0\r\n\r\n")
