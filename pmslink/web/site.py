"""The interface as a site that an endpoint can serve."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.web.http import Request
from twisted.web.server import Site

from pmslink.link.link_registry import LinkRegistry, utc_now
from pmslink.store.store_service import Store
from pmslink.web.api.app import Api
from pmslink.web.api.link_endpoints import LinkTester
from pmslink.web.auth.access_control import AccessControl
from pmslink.web.auth.caller import Caller
from pmslink.web.auth.failed_login_limit import FailedLoginLimiter
from pmslink.web.auth.login_sessions import Sessions
from pmslink.web.auth.token_reload import TokenRegistry
from pmslink.web.http.bounded_request import BoundedRequest

_MAX_LOGGED_PATH_CHARS = 200
"""Characters of a path that are logged."""


class ApiSite(Site):
    """Runs the interface while it is listened for, and ends with it what watches and waits."""

    _log = Logger()

    def __init__(self, api: Api, reactor: IReactorTime, local_only: bool) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            api.app.resource(),
            requestFactory=BoundedRequest,
            # a broken form would be answered without JSON, and no call here takes one
            parsePOSTFormSubmission=False,
            reactor=reactor,
        )
        self.api = api
        self.local_only = local_only
        """Whether only this machine reaches it."""

    def log(self, request: Request) -> None:
        """Note what was asked to change, and by whom: those who only look would fill the log.

        So would those whom nobody knows, and what PBX and phones hand over, which is in the store.
        """
        caller: Caller | None = getattr(request, "caller", None)
        handed_over = request.path.endswith(b"/postings") or b"/rooms/" in request.path
        accepted = request.code in (200, 202) and handed_over
        if caller is not None and request.method not in (b"GET", b"HEAD") and not accepted:
            self._log.info(
                "{peer}{name}: {method} {path!r}: {code}",
                peer=request.getClientAddress(),
                name="" if caller.name is None else f", {caller.name}",
                method=request.method.decode("ascii", "replace"),
                path=request.path[:_MAX_LOGGED_PATH_CHARS].decode("ascii", "replace"),
                code=request.code,
            )

    def startFactory(self) -> None:
        super().startFactory()
        self.api.start()

    def stopFactory(self) -> None:
        self.api.stop()
        super().stopFactory()


def make_site(
    links: LinkRegistry,
    store: Store,
    reactor: IReactorTime,
    test_link: LinkTester,
    tokens: TokenRegistry,
    local_only: bool,
    wall: Callable[[], datetime] = utc_now,
) -> ApiSite:
    """The whole interface over these links, and the store that they are kept in.

    `test_link` tries the settings of a link; `local` tells that only this machine will reach the site.
    """
    door = AccessControl(tokens, Sessions(reactor, wall), FailedLoginLimiter(reactor), local_only)
    return ApiSite(Api(links, store, reactor, wall, test_link, door), reactor, local_only)
