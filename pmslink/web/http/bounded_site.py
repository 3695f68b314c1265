"""A site for a Klein application: bounded requests, and JSON for all errors."""

from __future__ import annotations

from typing import Any, cast

from klein import Klein
from twisted.internet.interfaces import IReactorTime
from twisted.web.server import Site

from pmslink.web.http.api_errors import ErrorMapper, make_error_response
from pmslink.web.http.bounded_request import BoundedRequest


class BoundedSite(Site):
    """Serve a Klein application with bounded requests, and with errors in JSON."""

    def __init__(
        self,
        app: Klein,
        reactor: IReactorTime | None = None,
        map_error: ErrorMapper | None = None,
        request_factory: type[BoundedRequest] = BoundedRequest,
    ) -> None:
        """Make a site; `map_error` maps the application's own exceptions.

        Without a `reactor` the site uses the global one.
        """
        install_error_handler(app, map_error)
        super().__init__(  # type: ignore[no-untyped-call]
            app.resource(),
            requestFactory=request_factory,
            # twisted answers a malformed form without JSON, and no endpoint takes forms
            parsePOSTFormSubmission=False,
            reactor=reactor,
        )


def install_error_handler(app: Klein, map_error: ErrorMapper | None = None) -> None:
    """Answer every exception of the application's handlers with an error in JSON."""

    def respond(*arguments: Any) -> bytes:
        # Klein passes an instance first if the application is an attribute of its class
        request, failure = arguments[-2:]
        return make_error_response(request, failure, map_error)

    app.handle_errors(Exception)(cast(Any, respond))
