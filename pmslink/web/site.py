"""The web interface as a Twisted site, which a listening port serves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.web.http import Request

from pmslink.link.config_reload import ConfigReload
from pmslink.link.link_registry import LinkRegistry
from pmslink.store.store_service import Store
from pmslink.timestamps import utc_now
from pmslink.web.api.app import Api
from pmslink.web.api.domain_errors import map_domain_error
from pmslink.web.api.link_test_endpoint import LinkTester
from pmslink.web.auth.access_control import AccessControl
from pmslink.web.auth.api_request import ApiRequest
from pmslink.web.auth.caller import Caller
from pmslink.web.auth.failed_login_limit import FailedLoginLimiter
from pmslink.web.auth.login_sessions import Sessions
from pmslink.web.auth.token_reload import TokenRegistry
from pmslink.web.http.bounded_site import BoundedSite

_MAX_LOGGED_PATH_CHARS = 200
"""Characters of a path in the log."""


class ApiSite(BoundedSite):
    """Serve the API: start it with the listening port, and stop it with the port."""

    _log = Logger()

    def __init__(self, api: Api, reactor: IReactorTime, local_only: bool) -> None:
        super().__init__(api.app, reactor, map_domain_error, ApiRequest, local_only)
        self.api = api

    def log(self, request: Request) -> None:
        """Log an authenticated request that changes something, with its caller.

        Reads would fill the log, and so would unauthenticated requests. Accepted postings and room updates
        are in the store.
        """
        caller: Caller | None = getattr(request, "caller", None)
        route: str = getattr(request, "route", "")
        is_stored = route.endswith("/postings") or "/rooms/" in route
        was_accepted = request.code in (200, 202) and is_stored
        if caller is not None and request.method not in (b"GET", b"HEAD") and not was_accepted:
            self._log.info(
                "{peer}{name}: {method} {path!r}: {code}",
                peer=request.getClientAddress(),
                name="" if caller.name is None else f", {caller.name}",
                method=request.method.decode("ascii", "replace"),
                path=request.path[:_MAX_LOGGED_PATH_CHARS].decode("ascii", "replace"),
                code=request.code,
            )

    def startFactory(self) -> None:
        """Start the API with the listening port."""
        super().startFactory()
        self.api.start()

    def stopFactory(self) -> None:
        """Stop the API with the listening port."""
        self.api.stop()
        super().stopFactory()


def make_site(
    links: LinkRegistry,
    store: Store,
    reactor: IReactorTime,
    test_link: LinkTester,
    config_reload: ConfigReload,
    tokens: TokenRegistry,
    local_only: bool,
    wall_clock: Callable[[], datetime] = utc_now,
) -> ApiSite:
    """Return a site with the whole web interface of these links and their store.

    `test_link` tests the settings of a link, `config_reload` reloads the configuration. `local_only` is true
    if only this machine reaches the site.
    """
    access_control = AccessControl(
        tokens, Sessions(reactor, wall_clock), FailedLoginLimiter(reactor), local_only
    )
    return ApiSite(
        Api(links, store, reactor, wall_clock, test_link, config_reload, access_control), reactor, local_only
    )
