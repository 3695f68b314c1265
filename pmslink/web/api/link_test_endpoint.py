"""The endpoint of the connection test: all steps in one answer, or a line for each as it goes on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

from twisted.internet.defer import CancelledError
from twisted.web.server import Request

from pmslink.config.link_definition import LinkConfig, parse_link
from pmslink.config.settings_serializer import SECRET_SETTINGS
from pmslink.errors import NotApplicableError
from pmslink.link.connection_probe import OnProgress, Step, StepStart
from pmslink.web.api.link_settings_body import parse_settings, restore_secrets
from pmslink.web.http.accepted_types import accepts_type
from pmslink.web.http.json_lines import JSON_LINES, JsonLines
from pmslink.web.http.json_requests import parse_json_object
from pmslink.web.http.json_responses import make_response
from pmslink.web.http.routing import Route
from pmslink.web.serializers.link_serializer import serialize_cause

LinkTester = Callable[[LinkConfig, OnProgress], Awaitable[Sequence[Step]]]
"""Tests the settings of a link. Raises NotApplicableError if the test would disturb a running link."""


class LinkTestResource:
    """Tests the settings of a link, without creating it. A client that leaves stops its test."""

    def __init__(self, test_link: LinkTester) -> None:
        self._test_link = test_link

    def routes(self) -> Iterator[Route]:
        """Return the routes of these endpoints."""
        yield "POST", "/api/v1/links/test", self.test_settings

    async def test_settings(self, request: Request) -> bytes:
        """Test settings; return the result of each step, or write the lines of the test while it runs."""
        # The client does not have the stored secrets. The trial signs nothing, so any secret is valid.
        placeholders = dict.fromkeys(SECRET_SETTINGS, "*" * 20)
        settings = restore_secrets(parse_json_object(request), placeholders)
        config = parse_settings(parse_link, "test", settings)
        if accepts_type(request, JSON_LINES):
            return await self._write_lines(request, config)
        steps = await self._test_link(config, lambda _: None)
        return make_response(request, {"steps": [_serialize_step(step) for step in steps]})

    async def _write_lines(self, request: Request, config: LinkConfig) -> bytes:
        lines = JsonLines(request)
        try:
            await self._test_link(config, lambda progress: lines.write(_serialize_progress(progress)))
        except NotApplicableError as problem:
            if not lines.has_begun:
                raise
            lines.write({"error": {"code": problem.code, "message": str(problem)}})
        except CancelledError:  # the client has left
            raise
        except Exception:
            if lines.has_begun:
                request.channel.forceAbortClient()  # so that the test does not seem to be complete
            raise
        return b""


def _serialize_progress(progress: StepStart | Step) -> dict[str, Any]:
    if isinstance(progress, StepStart):
        return {"step": progress.step, "started": True, "limit": progress.limit}
    return _serialize_step(progress)


def _serialize_step(step: Step) -> dict[str, Any]:
    serialized: dict[str, Any] = {
        "step": step.step,
        "ok": step.ok,
        "reason": step.reason,
        "seconds": round(step.seconds, 3),
    }
    if step.cause is not None:
        serialized["cause"] = serialize_cause(step.cause)
    if step.advice:
        serialized["advice"] = step.advice
    if step.seen is not None:
        serialized["seen"] = {"bytes": step.seen.size, "hex": step.seen.hex}
    if step.suggest is not None:
        serialized["suggest"] = {"setting": step.suggest.setting, "value": step.suggest.value}
    return serialized
