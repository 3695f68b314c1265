"""The endpoint that reloads the configuration, as SIGHUP does."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from pmslink.config.config_errors import ConfigError
from pmslink.link.config_reload import ConfigChanges, ConfigReload
from pmslink.link.link_registry import LinkRegistry
from pmslink.web.api.audit_trail import AuditTrail
from pmslink.web.auth.api_request import ApiRequest
from pmslink.web.http.api_errors import ApiError
from pmslink.web.http.json_requests import require_no_keys
from pmslink.web.http.json_responses import make_response
from pmslink.web.http.routing import Route
from pmslink.web.stream.broadcaster import Broadcaster
from pmslink.web.stream.long_poll import LongPoll


class ReloadResource:
    """Reload the configuration, and publish the links that a reload has changed or removed."""

    def __init__(
        self,
        config_reload: ConfigReload,
        links: LinkRegistry,
        broadcaster: Broadcaster,
        long_poll: LongPoll,
        audit_trail: AuditTrail,
    ) -> None:
        self._config_reload = config_reload
        self._audit_trail = audit_trail
        self._links = links
        self._broadcaster = broadcaster
        self._long_poll = long_poll
        config_reload.on_reloaded.append(self._publish)

    def routes(self) -> Iterator[Route]:
        """Return the route of this endpoint."""
        yield "POST", "/api/v1/reload", self.reload_config

    def reload_config(self, request: ApiRequest) -> bytes:
        """Read the configuration file again; return what it has changed."""
        require_no_keys(request)
        try:
            changes = self._config_reload.reload()
        except ConfigError as problem:
            message = "; ".join(str(problem).splitlines())
            raise ApiError(400, "invalid", message, problem.key or None) from None
        serialized = {
            "added": list(changes.links.added),
            "changed": list(changes.links.changed),
            "removed": list(changes.links.removed),
            "needs_restart": list(changes.needs_restart),
        }
        self._audit_trail.store(request, after=serialized)
        return make_response(request, serialized)

    def _publish(self, changes: ConfigChanges) -> None:
        for name in changes.links.changed:
            self._links.call_in_turn(partial(self._publish_link, name))
        if changes.links.removed:
            self._broadcaster.publish_removal(changes.links.removed)
        for name in changes.links.removed:
            self._long_poll.wake(name)

    def _publish_link(self, name: str) -> None:
        link = self._links.get(name)
        if link is not None:  # not removed since
            self._broadcaster.publish_link(link, None)
