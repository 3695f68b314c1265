"""Endpoints of links: list, read, create, update and remove them, and their controls."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.web.server import Request

from pmslink.config.link_definition import LinkConfig, parse_api_link
from pmslink.errors import NotApplicableError
from pmslink.link import controls
from pmslink.link.link import Link
from pmslink.link.link_registry import LinkRegistry
from pmslink.store.core.store_errors import StoreUnavailableError
from pmslink.store.tables.audit_log import AuditEntry
from pmslink.web.api.audit_trail import UnstoredChangeError, audit_entry, name_audited_link
from pmslink.web.api.link_lookup import find_link
from pmslink.web.api.link_query import LinkQuery, parse_link_query
from pmslink.web.api.link_settings_body import drop_nulls, parse_settings, restore_secrets
from pmslink.web.api.settings_versions import require_settings_version, settings_version
from pmslink.web.auth.api_request import ApiRequest
from pmslink.web.http.api_errors import ApiError
from pmslink.web.http.cancellation import shield
from pmslink.web.http.json_requests import parse_json_object, require_no_keys
from pmslink.web.http.json_responses import make_response, serialize_json
from pmslink.web.http.long_responses import make_response_in_parts
from pmslink.web.http.query_parameters import enum_param
from pmslink.web.http.routing import Route
from pmslink.web.serializers.audit_serializer import changed_settings, given_settings
from pmslink.web.serializers.link_json import LinkJson
from pmslink.web.serializers.link_serializer import serialize_brief_link
from pmslink.web.stream.broadcaster import Broadcaster
from pmslink.web.stream.long_poll import LongPoll

LINKS_PER_TURN = 100
"""Links that are serialized in one turn of the reactor."""


class LinkResource:
    """Endpoints of links. A change is effective at once, and its response is sent once it is stored."""

    def __init__(
        self,
        links: LinkRegistry,
        broadcaster: Broadcaster,
        long_poll: LongPoll,
        link_json: LinkJson,
        clock: IReactorTime,
    ) -> None:
        self._links = links
        self._link_json = link_json
        self._clock = clock
        self._broadcaster = broadcaster
        self._long_poll = long_poll

    def routes(self) -> Iterator[Route]:
        """Return the routes of these endpoints."""
        yield "GET", "/api/v1/links", self.list_links
        yield "POST", "/api/v1/links", self.create_link
        yield "GET", "/api/v1/links/<link>", self.get_link
        yield "PATCH", "/api/v1/links/<link>", self.update_link
        yield "DELETE", "/api/v1/links/<link>", self.remove_link
        yield "POST", "/api/v1/links/<link>/enable", self.enable_link
        yield "POST", "/api/v1/links/<link>/disable", self.disable_link
        yield "POST", "/api/v1/links/<link>/expire", self.expire_link
        yield "POST", "/api/v1/links/<link>/disconnect", self.disconnect_link
        yield "POST", "/api/v1/links/<link>/resync", self.resync_link

    async def list_links(self, request: Request) -> bytes:
        """List the links that the query selects."""
        query = parse_link_query(request)
        return await make_response_in_parts(request, self._render_page(query))

    async def _render_page(self, query: LinkQuery) -> AsyncIterator[bytes]:
        """Yield the parts of a page, each in a turn of its own: hundreds of links take many milliseconds."""
        page = query.select(self._links)
        yield b'{"links":['
        for begin in range(0, len(page.links), LINKS_PER_TURN):
            if begin:
                await deferLater(self._clock, 0)
                yield b","
            yield b",".join(self._render(link, query) for link in page.links[begin : begin + LINKS_PER_TURN])
        yield b'],"total":%d,"next":%s}\n' % (page.total, serialize_json(page.next))

    def _render(self, link: Link, query: LinkQuery) -> bytes:
        if query.fields == "brief":
            return serialize_json(serialize_brief_link(link.status(), link.hours()))
        return self._link_json.serialize(link)

    def get_link(self, request: Request, link: str) -> bytes:
        """Return one link."""
        return self._respond(request, find_link(self._links, link))

    def _respond(self, request: Request, link: Link, status: int = 200) -> bytes:
        request.setHeader(b"etag", settings_version(link.config))
        return make_response(request, self._link_json.serialize(link) + b"\n", status)

    # Definitions

    async def create_link(self, request: ApiRequest) -> bytes:
        """Create a link from the settings in the body."""
        settings = drop_nulls(parse_json_object(request))
        name = settings.pop("name", None)
        if not isinstance(name, str):
            raise ApiError(400, "invalid", "name must be the name of the new link", "name")
        name_audited_link(request, name)
        config = parse_settings(parse_api_link, name, settings)
        audit = audit_entry(request, after=given_settings(config))
        created = self._create_and_store(config, json.dumps(settings), request.caller.name, audit)
        link = await shield(created)
        return self._respond(request, link, 201)

    async def _create_and_store(
        self, config: LinkConfig, definition: str, by: str | None, audit: AuditEntry
    ) -> Link:
        try:
            return await self._links.create(config, definition, by, audit)
        except StoreUnavailableError:
            self._broadcaster.publish_removal([config.name])  # subscribers may have received the link
            raise

    async def update_link(self, request: ApiRequest, link: str) -> bytes:
        """Change the settings of a link that was created over the API."""
        target = find_link(self._links, link)
        if target.definition is None:
            message = f"{link} is defined in the configuration file; change it there"
            raise NotApplicableError("declared", message)
        require_settings_version(request, target.config)
        definition, config_before = json.loads(target.definition), target.config
        settings = drop_nulls({**definition, **restore_secrets(parse_json_object(request), definition)})
        config = parse_settings(parse_api_link, link, settings)
        self._links.redefine(target, json.dumps(settings), config, request.caller.name)
        self._broadcaster.publish_link(target, None)
        await self._wait_until_saved(audit_entry(request, *changed_settings(config_before, config)))
        return self._respond(request, target)

    async def remove_link(self, request: ApiRequest, link: str) -> bytes:
        """Remove a link that was created over the API, and with `discard` its pending postings."""
        target = find_link(self._links, link)
        require_no_keys(request)
        discard = enum_param(request, "discard", ("true", "false")) == "true"
        audit = audit_entry(request, before=given_settings(target.config))
        await shield(self._remove_and_publish(target, discard, audit))
        return make_response(request, {"removed": link})

    async def _remove_and_publish(self, link: Link, discard: bool, audit: AuditEntry) -> None:
        await self._links.remove(link, discard, audit)
        self._broadcaster.publish_removal([link.name])
        self._long_poll.wake(link.name)

    # Controls

    async def enable_link(self, request: ApiRequest, link: str) -> bytes:
        """Enable a link, or connect it at once."""
        return await self._apply_control(request, link, partial(controls.enable, by=request.caller.name))

    async def disable_link(self, request: ApiRequest, link: str) -> bytes:
        """Disable a link."""
        return await self._apply_control(request, link, partial(controls.disable, by=request.caller.name))

    async def expire_link(self, request: ApiRequest, link: str) -> bytes:
        """Mark the PMS service subscription as expired."""
        return await self._apply_control(request, link, partial(controls.expire, by=request.caller.name))

    async def disconnect_link(self, request: ApiRequest, link: str) -> bytes:
        """Disconnect a link with LE."""
        return await self._apply_control(request, link, partial(controls.disconnect, by=request.caller.name))

    async def resync_link(self, request: ApiRequest, link: str) -> bytes:
        """Request a resync of all rooms and guests."""
        return await self._apply_control(request, link, controls.request_resync, 202)

    async def _apply_control(
        self, request: ApiRequest, name: str, control: Callable[[Link], None], status: int = 200
    ) -> bytes:
        link = find_link(self._links, name)
        require_no_keys(request)
        before = {"intent": link.core.intent}
        control(link)
        await self._wait_until_saved(audit_entry(request, before, {"intent": link.core.intent}))
        return self._respond(request, link, status)

    async def _wait_until_saved(self, audit: AuditEntry) -> None:
        try:
            await shield(self._links.when_saved(audit))
        except StoreUnavailableError as problem:
            message = f"the change took effect, but was not stored and is lost at a restart: {problem}"
            raise UnstoredChangeError(503, "store", message) from None
