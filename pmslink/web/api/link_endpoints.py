"""Calls about links: what they are, how one is made, changed and removed, and the controls."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.web.server import Request

from pmslink.config.config_errors import ConfigError
from pmslink.config.link_definition import LinkConfig, parse_api_link, parse_link
from pmslink.config.settings_serializer import SECRET_SETTINGS
from pmslink.errors import NotApplicableError
from pmslink.link.connection_probe import Step
from pmslink.link.link import Link
from pmslink.link.link_registry import LinkRegistry
from pmslink.store.core.store_errors import StoreUnavailableError
from pmslink.validation.setting_fields import REDACTED
from pmslink.web.api.link_lookup import find_link
from pmslink.web.http.api_errors import ApiError
from pmslink.web.http.cancellation import shield
from pmslink.web.http.json_requests import parse_json_object, require_json
from pmslink.web.http.json_responses import make_response, serialize_json
from pmslink.web.http.query_parameters import enum_param
from pmslink.web.http.routing import Route
from pmslink.web.serializers.link_serializer import serialize_link
from pmslink.web.stream.broadcaster import Broadcaster
from pmslink.web.stream.long_poll import LongPoll

LinkTester = Callable[[LinkConfig], Awaitable[Sequence[Step]]]
"""Tries what a link would do. Raises NotApplicableError where that would disturb one."""

LINKS_PER_TURN = 50
"""Links that are told of in one turn of the reactor."""

_LinkParser = Callable[[str, Mapping[str, object]], LinkConfig]


class LinkResource:
    """Obeys at once, and answers once that is safe."""

    def __init__(
        self,
        links: LinkRegistry,
        test_link: LinkTester,
        broadcaster: Broadcaster,
        long_poll: LongPoll,
        clock: IReactorTime,
    ) -> None:
        self._links = links
        self._clock = clock
        self._test_link = test_link
        self._broadcaster = broadcaster
        self._long_poll = long_poll

    def routes(self) -> Iterator[Route]:
        yield "GET", "/api/v1/links", self.list_links
        yield "POST", "/api/v1/links", self.create_link
        yield "POST", "/api/v1/links/test", self.test_settings
        yield "GET", "/api/v1/links/<link>", self.get_link
        yield "PATCH", "/api/v1/links/<link>", self.update_link
        yield "DELETE", "/api/v1/links/<link>", self.remove_link
        yield "POST", "/api/v1/links/<link>/enable", self.enable_link
        yield "POST", "/api/v1/links/<link>/disable", self.disable_link
        yield "POST", "/api/v1/links/<link>/expire", self.expire_link
        yield "POST", "/api/v1/links/<link>/disconnect", self.disconnect_link
        yield "POST", "/api/v1/links/<link>/resync", self.resync_link

    async def list_links(self, request: Request) -> bytes:
        # Some of them at a time: hundreds would hold up all else for longer than anybody should wait.
        told: list[bytes] = []
        links = list(self._links)
        for begin in range(0, len(links), LINKS_PER_TURN):
            if begin:
                await deferLater(self._clock, 0)
            told += [
                serialize_json(serialize_link(link.status()))
                for link in links[begin : begin + LINKS_PER_TURN]
            ]
        return make_response(request, b'{"links":[%s]}\n' % b",".join(told))

    def get_link(self, request: Request, link: str) -> bytes:
        return make_response(request, serialize_link(find_link(self._links, link).status()))

    async def test_settings(self, request: Request) -> bytes:
        # The form of a link does not know its secret. Nothing is signed here, so that any does.
        flat = _restore_secrets(parse_json_object(request), dict.fromkeys(SECRET_SETTINGS, "*" * 20))
        steps = await self._test_link(_parse_settings(parse_link, "test", flat))
        return make_response(
            request,
            {
                "steps": [
                    {"step": one.step, "ok": one.ok, "reason": one.reason, "seconds": round(one.seconds, 3)}
                    for one in steps
                ]
            },
        )

    # Making, changing and removing one.

    async def create_link(self, request: Request) -> bytes:
        flat = _drop_nulls(parse_json_object(request))
        name = flat.pop("name", None)
        if not isinstance(name, str):
            raise ApiError(400, "invalid", "name must be the name of the new link", "name")
        config = _parse_settings(parse_api_link, name, flat)
        link = await shield(self._create_and_store(config, json.dumps(flat)))
        return make_response(request, serialize_link(link.status()), 201)

    async def _create_and_store(self, config: LinkConfig, definition: str) -> Link:
        try:
            return await self._links.create(config, definition)
        except StoreUnavailableError:
            self._broadcaster.publish_removal([config.name])  # who watches may have seen it
            raise

    async def update_link(self, request: Request, link: str) -> bytes:
        found = find_link(self._links, link)
        if found.definition is None:
            raise NotApplicableError("declared", f"{link} stands in the configuration file; change it there")
        before = json.loads(found.definition)
        flat = _drop_nulls({**before, **_restore_secrets(parse_json_object(request), before)})
        self._links.redefine(found, json.dumps(flat), _parse_settings(parse_api_link, link, flat))
        self._broadcaster.publish_link(found, None)
        await self._wait_until_saved()
        return make_response(request, serialize_link(found.status()))

    async def remove_link(self, request: Request, link: str) -> bytes:
        found = find_link(self._links, link)
        discard = enum_param(request, "discard", ("true", "false")) == "true"
        await shield(self._remove_and_publish(found, discard))
        return make_response(request, {"removed": link})

    async def _remove_and_publish(self, link: Link, discard: bool) -> None:
        await self._links.remove(link, discard)
        self._broadcaster.publish_removal([link.name])
        self._long_poll.wake(link.name)

    # Controls.

    async def enable_link(self, request: Request, link: str) -> bytes:
        return await self._apply_control(request, link, Link.enable)

    async def disable_link(self, request: Request, link: str) -> bytes:
        return await self._apply_control(request, link, Link.disable)

    async def expire_link(self, request: Request, link: str) -> bytes:
        return await self._apply_control(request, link, Link.expire)

    async def disconnect_link(self, request: Request, link: str) -> bytes:
        return await self._apply_control(request, link, Link.disconnect)

    async def resync_link(self, request: Request, link: str) -> bytes:
        return await self._apply_control(request, link, Link.request_resync, 202)

    async def _apply_control(
        self, request: Request, name: str, control: Callable[[Link], None], status: int = 200
    ) -> bytes:
        link = find_link(self._links, name)
        require_json(request)
        control(link)
        await self._wait_until_saved()
        return make_response(request, serialize_link(link.status()), status)

    async def _wait_until_saved(self) -> None:
        try:
            await shield(self._links.when_saved())
        except StoreUnavailableError as problem:
            raise ApiError(
                503, "store", f"it was done, but could not be kept: {problem}; a restart would forget it"
            ) from None


def _drop_nulls(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Null stands for the default."""
    return {name: value for name, value in settings.items() if value is not None}


def _restore_secrets(settings: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """What is given back as it was told stays as it is, if there is such a secret."""
    return {
        name: stored[name] if value == REDACTED and name in SECRET_SETTINGS & stored.keys() else value
        for name, value in settings.items()
    }


def _parse_settings(parse: _LinkParser, name: str, settings: Mapping[str, object]) -> LinkConfig:
    try:
        return parse(name, settings)
    except ConfigError as problem:
        message = "; ".join(str(problem).splitlines())
        raise ApiError(400, "invalid", message, problem.key) from None
    except RecursionError:
        raise ApiError(400, "invalid", "the body is nested too deeply") from None
