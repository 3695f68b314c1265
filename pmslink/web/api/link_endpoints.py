"""Calls about links: what they are, how one is made, changed and removed, and the controls."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.web.server import Request

from pmslink.config.link_settings import SECRETS
from pmslink.config.loader import ConfigError, LinkConfig, read_defined, read_link
from pmslink.errors import NotApplicable
from pmslink.link.connection_probe import Step
from pmslink.link.link import Link
from pmslink.link.link_registry import Links
from pmslink.store.core.store_errors import StoreFailing
from pmslink.validation.setting_fields import UNTOLD
from pmslink.web.http.json_responses import ApiError, answer, asked_choice, json_object, require_json, written
from pmslink.web.http.routing import Route, find_link, shielded
from pmslink.web.serializers.link_serializer import link_json
from pmslink.web.stream.broadcaster import Stream
from pmslink.web.stream.long_poll import Waiting

TestLink = Callable[[LinkConfig], Awaitable[Sequence[Step]]]
"""Tries what a link would do. Raises NotApplicable where that would disturb one."""

AT_ONCE = 50
"""Links that are told of in one turn of the reactor."""

_Reader = Callable[[str, Mapping[str, object]], LinkConfig]


class LinkCalls:
    """Obeys at once, and answers once that is safe."""

    def __init__(
        self, links: Links, test_link: TestLink, stream: Stream, waiting: Waiting, clock: IReactorTime
    ) -> None:
        self._links = links
        self._clock = clock
        self._test_link = test_link
        self._stream = stream
        self._waiting = waiting

    def routes(self) -> Iterator[Route]:
        yield "GET", "/api/v1/links", self.all
        yield "POST", "/api/v1/links", self.create
        yield "POST", "/api/v1/links/test", self.test
        yield "GET", "/api/v1/links/<link>", self.one
        yield "PATCH", "/api/v1/links/<link>", self.change
        yield "DELETE", "/api/v1/links/<link>", self.remove
        yield "POST", "/api/v1/links/<link>/enable", self.enable
        yield "POST", "/api/v1/links/<link>/disable", self.disable
        yield "POST", "/api/v1/links/<link>/expire", self.expire
        yield "POST", "/api/v1/links/<link>/disconnect", self.disconnect
        yield "POST", "/api/v1/links/<link>/resync", self.resync

    async def all(self, request: Request) -> bytes:
        # Some of them at a time: hundreds would hold up all else for longer than anybody should wait.
        told: list[bytes] = []
        links = list(self._links)
        for begin in range(0, len(links), AT_ONCE):
            if begin:
                await deferLater(self._clock, 0)
            told += [written(link_json(link)) for link in links[begin : begin + AT_ONCE]]
        return answer(request, b'{"links":[%s]}\n' % b",".join(told))

    def one(self, request: Request, link: str) -> bytes:
        return answer(request, link_json(find_link(self._links, link)))

    async def test(self, request: Request) -> bytes:
        # The form of a link does not know its secret. Nothing is signed here, so that any does.
        flat = _with_secrets(json_object(request), dict.fromkeys(SECRETS, "*" * 20))
        steps = await self._test_link(_settings(read_link, "test", flat))
        return answer(
            request,
            {
                "steps": [
                    {"step": one.step, "ok": one.ok, "reason": one.reason, "seconds": round(one.seconds, 3)}
                    for one in steps
                ]
            },
        )

    # Making, changing and removing one.

    async def create(self, request: Request) -> bytes:
        flat = _given(json_object(request))
        name = flat.pop("name", None)
        if not isinstance(name, str):
            raise ApiError(400, "invalid", "name must be the name of the new link", "name")
        config = _settings(read_defined, name, flat)
        link = await shielded(self._create(config, json.dumps(flat)))
        return answer(request, link_json(link), 201)

    async def _create(self, config: LinkConfig, definition: str) -> Link:
        try:
            return await self._links.create(config, definition)
        except StoreFailing:
            self._stream.removed([config.name])  # who watches may have seen it
            raise

    async def change(self, request: Request, link: str) -> bytes:
        found = find_link(self._links, link)
        if found.definition is None:
            raise NotApplicable("declared", f"{link} stands in the configuration file; change it there")
        before = json.loads(found.definition)
        flat = _given({**before, **_with_secrets(json_object(request), before)})
        self._links.redefine(found, json.dumps(flat), _settings(read_defined, link, flat))
        self._stream.changed(found, None)
        await self._saved()
        return answer(request, link_json(found))

    async def remove(self, request: Request, link: str) -> bytes:
        found = find_link(self._links, link)
        discard = asked_choice(request, "discard", ("true", "false")) == "true"
        await shielded(self._remove(found, discard))
        return answer(request, {"removed": link})

    async def _remove(self, link: Link, discard: bool) -> None:
        await self._links.remove(link, discard)
        self._stream.removed([link.name])
        self._waiting.wake(link.name)

    # Controls.

    async def enable(self, request: Request, link: str) -> bytes:
        return await self._control(request, link, Link.enable)

    async def disable(self, request: Request, link: str) -> bytes:
        return await self._control(request, link, Link.disable)

    async def expire(self, request: Request, link: str) -> bytes:
        return await self._control(request, link, Link.expire)

    async def disconnect(self, request: Request, link: str) -> bytes:
        return await self._control(request, link, Link.disconnect)

    async def resync(self, request: Request, link: str) -> bytes:
        return await self._control(request, link, Link.request_resync, 202)

    async def _control(
        self, request: Request, name: str, control: Callable[[Link], None], status: int = 200
    ) -> bytes:
        link = find_link(self._links, name)
        require_json(request)
        control(link)
        await self._saved()
        return answer(request, link_json(link), status)

    async def _saved(self) -> None:
        try:
            await shielded(self._links.saved())
        except StoreFailing as problem:
            raise ApiError(
                503, "store", f"it was done, but could not be kept: {problem}; a restart would forget it"
            ) from None


def _given(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Null stands for the default."""
    return {name: value for name, value in flat.items() if value is not None}


def _with_secrets(flat: Mapping[str, Any], kept: Mapping[str, Any]) -> dict[str, Any]:
    """What is given back as it was told stays as it is, if there is such a secret."""
    return {
        name: kept[name] if value == UNTOLD and name in SECRETS & kept.keys() else value
        for name, value in flat.items()
    }


def _settings(read: _Reader, name: str, flat: Mapping[str, object]) -> LinkConfig:
    try:
        return read(name, flat)
    except ConfigError as problem:
        message = "; ".join(str(problem).splitlines())
        raise ApiError(400, "invalid", message, problem.key) from None
    except RecursionError:
        raise ApiError(400, "invalid", "the body is nested too deeply") from None
