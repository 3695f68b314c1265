"""Requests to the API: with the route that they take, and with the caller once it is authenticated."""

from __future__ import annotations

from pmslink.web.auth.audited_action import AuditedAction
from pmslink.web.auth.caller import Caller
from pmslink.web.http.bounded_request import BoundedRequest


class ApiRequest(BoundedRequest):
    """A bounded request to the API."""

    route: str = ""
    """The path of the route, with the names of its variables; empty for an unknown path. Checks use it, and
    not the path of the request, which may be spelled in several ways."""
    caller: Caller
    """The authenticated caller; AccessControl sets it before it calls the handler."""
    audited: AuditedAction
    """What the audit trail will say of it; AuditTrail sets it for the calls that it tells of."""
