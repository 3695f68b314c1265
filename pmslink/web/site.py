"""The interface as a site that an endpoint can serve."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.web.http import Request
from twisted.web.server import Site

from pmslink.link.links import Links, utc_now
from pmslink.web.api import Api, Ready, TestLink
from pmslink.web.requests import BoundedRequest


class ApiSite(Site):
    """Runs the stream while it is listened for, and ends its connections with it."""

    _log = Logger()

    def __init__(self, api: Api, reactor: IReactorTime) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            api.app.resource(),
            requestFactory=BoundedRequest,
            # a broken form would be answered without JSON, and no call here takes one
            parsePOSTFormSubmission=False,
            reactor=reactor,
        )
        self.api = api

    def log(self, request: Request) -> None:
        """Note what was asked to change, and by whom: those who only look would fill the log."""
        if request.method not in (b"GET", b"HEAD"):
            self._log.info(
                "{peer}: {method} {path!r}: {code}",
                peer=request.getClientAddress(),
                method=request.method.decode("ascii", "replace"),
                path=request.path.decode("ascii", "replace"),
                code=request.code,
            )

    def startFactory(self) -> None:
        super().startFactory()
        self.api.stream.start()

    def stopFactory(self) -> None:
        self.api.stream.stop()
        super().stopFactory()


def make_site(
    links: Links,
    reactor: IReactorTime,
    ready: Ready,
    test_link: TestLink,
    wall: Callable[[], datetime] = utc_now,
) -> ApiSite:
    """The whole interface over these links.

    `ready` tells what keeps the service from its work, None when nothing does; `test_link` tries the
    settings of a link. Where it may listen, `access.require_loopback` says.
    """
    return ApiSite(Api(links, reactor, wall, ready, test_link), reactor)
