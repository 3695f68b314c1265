"""Permissions: the one table of what each role may do, and of the permission that each route needs.

`view` reads everything except guest data. `pbx` is a telephone system: it sends postings and room updates,
and reads events. `desk` is the front desk: it sees guests, sets rooms and wake-ups, works by hand while the
PMS cannot be reached, and decides what becomes of postings. `control` may do everything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

Role = Literal["view", "control", "pbx", "desk"]
"""The role of a token."""

Permission = Literal[
    "read",  # links, rooms, postings and events, without guest data
    "guests",  # guest data in what is read
    "history",  # earlier states of links
    "records",  # what was sent to the PMS, and received
    "metrics",
    "rooms",  # set what rooms and their phones show
    "pbx",  # send postings, and report wake-ups
    "desk",  # work by hand, decide what becomes of it and of postings, and acknowledge notices
    "audit",  # who did what
    "control",  # links, their settings, and the service
]

PERMISSIONS_BY_ROLE: Mapping[Role, frozenset[Permission]] = {
    "view": frozenset({"read", "history", "records", "metrics"}),
    "pbx": frozenset({"read", "guests", "rooms", "pbx"}),
    "desk": frozenset({"read", "guests", "history", "rooms", "desk"}),
    "control": frozenset(get_args(Permission)),
}

AllowedRoles = frozenset[Role] | None
"""Roles that may use a route; None makes the route public."""

_PERMISSION_BY_ROUTE: Mapping[tuple[str, str], Permission | None] = {
    ("GET", "/"): None,
    ("GET", "/page/<path:name>"): None,
    ("GET", "/links"): None,
    ("GET", "/links/<path:name>"): None,
    ("GET", "/new"): None,
    ("GET", "/notices"): None,
    ("GET", "/about"): None,
    ("GET", "/openapi.json"): None,
    ("GET", "/healthz"): None,
    ("GET", "/readyz"): None,
    ("GET", "/metrics"): "metrics",
    ("POST", "/api/v1/session"): None,
    ("GET", "/api/v1/session"): None,
    ("DELETE", "/api/v1/session"): None,
    ("GET", "/api/v1/status"): "read",
    ("GET", "/api/v1/stream"): "read",
    ("POST", "/api/v1/reload"): "control",
    ("GET", "/api/v1/audit"): "audit",
    ("GET", "/api/v1/links"): "read",
    ("POST", "/api/v1/links"): "control",
    ("POST", "/api/v1/links/test"): "control",
    ("GET", "/api/v1/links/<link>"): "read",
    ("PATCH", "/api/v1/links/<link>"): "control",
    ("DELETE", "/api/v1/links/<link>"): "control",
    ("POST", "/api/v1/links/<link>/enable"): "control",
    ("POST", "/api/v1/links/<link>/disable"): "control",
    ("POST", "/api/v1/links/<link>/expire"): "control",
    ("POST", "/api/v1/links/<link>/disconnect"): "control",
    ("POST", "/api/v1/links/<link>/resync"): "control",
    ("POST", "/api/v1/links/<link>/webhook/skip"): "control",
    ("GET", "/api/v1/links/<link>/transitions"): "history",
    ("GET", "/api/v1/links/<link>/timeline"): "history",
    ("GET", "/api/v1/links/<link>/phases"): "history",
    ("GET", "/api/v1/links/<link>/records"): "records",
    ("GET", "/api/v1/links/<link>/events"): "read",
    ("POST", "/api/v1/links/<link>/postings"): "pbx",
    ("GET", "/api/v1/links/<link>/postings"): "read",
    ("GET", "/api/v1/links/<link>/postings/<id>"): "read",
    ("POST", "/api/v1/links/<link>/postings/<id>/resend"): "desk",
    ("POST", "/api/v1/links/<link>/postings/<id>/discard"): "desk",
    ("GET", "/api/v1/links/<link>/rooms"): "read",
    ("GET", "/api/v1/links/<link>/rooms/<room>"): "read",
    ("PUT", "/api/v1/links/<link>/rooms/<room>/status"): "rooms",
    ("PUT", "/api/v1/links/<link>/rooms/<room>/dnd"): "rooms",
    ("PUT", "/api/v1/links/<link>/rooms/<room>/make-up-room"): "rooms",
    ("PUT", "/api/v1/links/<link>/rooms/<room>/voicemail"): "rooms",
    ("PUT", "/api/v1/links/<link>/rooms/<room>/wake-up"): "rooms",
    ("DELETE", "/api/v1/links/<link>/rooms/<room>/wake-up"): "rooms",
    ("POST", "/api/v1/links/<link>/rooms/<room>/wake-up/result"): "pbx",
    ("POST", "/api/v1/links/<link>/rooms/<room>/check-in"): "desk",
    ("POST", "/api/v1/links/<link>/rooms/<room>/check-out"): "desk",
    ("POST", "/api/v1/links/<link>/rooms/<room>/move"): "desk",
    ("GET", "/api/v1/links/<link>/by-hand"): "read",
    ("POST", "/api/v1/links/<link>/by-hand/<id>/take"): "desk",
    ("POST", "/api/v1/links/<link>/by-hand/<id>/keep"): "desk",
    ("GET", "/api/v1/notices"): "read",
    ("POST", "/api/v1/notices/acknowledge"): "desk",
    ("POST", "/api/v1/notices/<id>/acknowledge"): "desk",
}
"""The permission that each route needs; None makes the route public."""


def find_allowed_roles(method: str, path: str) -> AllowedRoles:
    """Return the roles that may use the route of this method and path. HEAD follows GET.

    Raises LookupError for a route that the table lacks, so that no route is served without a decision.
    """
    try:
        permission = _PERMISSION_BY_ROUTE[method, path]
    except KeyError:
        raise LookupError(f"permissions.py has no entry for {method} {path}") from None
    if permission is None:
        return None
    return frozenset(role for role, permissions in PERMISSIONS_BY_ROLE.items() if permission in permissions)
