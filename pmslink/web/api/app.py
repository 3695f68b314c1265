"""The API as one Klein application: all endpoints, each with its access control.

`openapi.yaml` describes the endpoints to clients.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from twisted.internet.interfaces import IReactorTime

from pmslink.link.config_reload import ConfigReload
from pmslink.link.link_registry import LinkRegistry
from pmslink.store.store_service import Store
from pmslink.web.api.answer_deadline import with_answer_deadline
from pmslink.web.api.audit_endpoint import AuditResource
from pmslink.web.api.audit_trail import AuditTrail
from pmslink.web.api.history_endpoints import HistoryResource
from pmslink.web.api.link_endpoints import LinkResource
from pmslink.web.api.link_test_endpoint import LinkTester, LinkTestResource
from pmslink.web.api.manual_endpoints import ManualResource
from pmslink.web.api.notice_endpoints import NoticeResource
from pmslink.web.api.posting_endpoints import PostingResource
from pmslink.web.api.query_keys import with_known_query_keys
from pmslink.web.api.reload_endpoint import ReloadResource
from pmslink.web.api.room_endpoints import RoomResource
from pmslink.web.api.service_endpoints import ServiceResource
from pmslink.web.api.session_endpoints import SessionResource
from pmslink.web.api.timeline_endpoint import TimelineResource
from pmslink.web.api.webhook_endpoints import WebhookResource
from pmslink.web.auth.access_control import AccessControl
from pmslink.web.auth.same_site import with_same_site
from pmslink.web.http.encoded_paths import EncodedPathKlein
from pmslink.web.http.routing import Resource
from pmslink.web.serializers.link_json import LinkJson
from pmslink.web.stream.broadcaster import Broadcaster
from pmslink.web.stream.long_poll import LongPoll
from pmslink.web.ui.static_files import PageResource


class Api:
    """Combine all resources in one application, and run the stream, the long polls and the token reload."""

    def __init__(
        self,
        links: LinkRegistry,
        store: Store,
        clock: IReactorTime,
        wall_clock: Callable[[], datetime],
        test_link: LinkTester,
        config_reload: ConfigReload,
        access_control: AccessControl,
    ) -> None:
        self._access_control = access_control
        self.link_json = link_json = LinkJson()
        self.broadcaster = Broadcaster(
            links, store, link_json, clock, wall_clock, access_control.is_still_authorized
        )
        access_control.on_revocation.append(self.broadcaster.drop_unauthorized)
        self.long_poll = LongPoll(store.journal, clock)
        access_control.on_revocation.append(self.long_poll.wake_all)
        self.app = EncodedPathKlein()
        audit_trail = AuditTrail(store.journal, clock, wall_clock)
        resources: tuple[Resource, ...] = (
            PageResource(),
            ServiceResource(links, store.journal, clock, wall_clock, self.broadcaster),
            LinkResource(links, self.broadcaster, self.long_poll, link_json, clock),
            LinkTestResource(test_link),
            HistoryResource(links, store, clock, self.long_poll, access_control),
            TimelineResource(links, store, wall_clock),
            PostingResource(links, store, clock, wall_clock),
            RoomResource(links, store, clock, wall_clock),
            ManualResource(links, store),
            WebhookResource(links, link_json),
            NoticeResource(links, clock),
            SessionResource(access_control, audit_trail),
            ReloadResource(config_reload, links, self.broadcaster, self.long_poll, audit_trail),
            AuditResource(store, clock),
        )
        for resource in resources:
            for method, path, handler in resource.routes():
                handler = with_answer_deadline(method, path, handler, clock)
                handler = with_known_query_keys(method, path, handler)
                handler = access_control.authorize(method, path, handler)
                handler = audit_trail.watch(method, path, handler)
                handler = with_same_site(path, handler)
                self.app.route(path, methods=[method], endpoint=f"{method} {path}")(handler)

    def start(self) -> None:
        """Start reloading the token file, the stream and the long polls."""
        self._access_control.tokens.start()
        self.broadcaster.start()
        self.long_poll.start()

    def stop(self) -> None:
        """Close all streams, answer all long polls, and stop reloading the token file."""
        self._access_control.tokens.stop()
        self.broadcaster.stop()
        self.long_poll.stop()
