"""Permissions: the one table of the roles that may use each route.

`view` reads everything except guest data. `pbx` is a telephone system: it sends postings and room updates,
and reads events. `control` may do everything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Role = Literal["view", "control", "pbx"]
"""The role of a token, which decides which routes its holder may use."""

AllowedRoles = frozenset[Role] | None
"""Roles that may use a route; None makes the route public."""

_PUBLIC: AllowedRoles = None
_ANY_ROLE: AllowedRoles = frozenset({"view", "control", "pbx"})
_VIEW_OR_CONTROL: AllowedRoles = frozenset({"view", "control"})
_PBX_OR_CONTROL: AllowedRoles = frozenset({"control", "pbx"})
_CONTROL_ONLY: AllowedRoles = frozenset({"control"})

_ALLOWED_ROLES_BY_ROUTE: Mapping[tuple[str, str], AllowedRoles] = {
    ("GET", "/"): _PUBLIC,
    ("GET", "/page/<path:name>"): _PUBLIC,
    ("GET", "/links"): _PUBLIC,
    ("GET", "/links/<path:name>"): _PUBLIC,
    ("GET", "/new"): _PUBLIC,
    ("GET", "/notices"): _PUBLIC,
    ("GET", "/about"): _PUBLIC,
    ("GET", "/openapi.json"): _PUBLIC,
    ("GET", "/healthz"): _PUBLIC,
    ("GET", "/readyz"): _PUBLIC,
    ("GET", "/metrics"): _VIEW_OR_CONTROL,
    ("POST", "/api/v1/session"): _PUBLIC,
    ("GET", "/api/v1/session"): _PUBLIC,
    ("DELETE", "/api/v1/session"): _PUBLIC,
    ("GET", "/api/v1/status"): _ANY_ROLE,
    ("GET", "/api/v1/stream"): _ANY_ROLE,
    ("POST", "/api/v1/reload"): _CONTROL_ONLY,
    ("GET", "/api/v1/links"): _ANY_ROLE,
    ("POST", "/api/v1/links"): _CONTROL_ONLY,
    ("POST", "/api/v1/links/test"): _CONTROL_ONLY,
    ("GET", "/api/v1/links/<link>"): _ANY_ROLE,
    ("PATCH", "/api/v1/links/<link>"): _CONTROL_ONLY,
    ("DELETE", "/api/v1/links/<link>"): _CONTROL_ONLY,
    ("POST", "/api/v1/links/<link>/enable"): _CONTROL_ONLY,
    ("POST", "/api/v1/links/<link>/disable"): _CONTROL_ONLY,
    ("POST", "/api/v1/links/<link>/expire"): _CONTROL_ONLY,
    ("POST", "/api/v1/links/<link>/disconnect"): _CONTROL_ONLY,
    ("POST", "/api/v1/links/<link>/resync"): _CONTROL_ONLY,
    ("POST", "/api/v1/links/<link>/webhook/skip"): _CONTROL_ONLY,
    ("GET", "/api/v1/links/<link>/transitions"): _VIEW_OR_CONTROL,
    ("GET", "/api/v1/links/<link>/timeline"): _VIEW_OR_CONTROL,
    ("GET", "/api/v1/links/<link>/phases"): _VIEW_OR_CONTROL,
    ("GET", "/api/v1/links/<link>/records"): _VIEW_OR_CONTROL,
    ("GET", "/api/v1/links/<link>/events"): _ANY_ROLE,
    ("POST", "/api/v1/links/<link>/postings"): _PBX_OR_CONTROL,
    ("GET", "/api/v1/links/<link>/postings"): _ANY_ROLE,
    ("GET", "/api/v1/links/<link>/postings/<id>"): _ANY_ROLE,
    ("POST", "/api/v1/links/<link>/postings/<id>/resend"): _CONTROL_ONLY,
    ("POST", "/api/v1/links/<link>/postings/<id>/discard"): _CONTROL_ONLY,
    ("GET", "/api/v1/links/<link>/rooms"): _ANY_ROLE,
    ("GET", "/api/v1/links/<link>/rooms/<room>"): _ANY_ROLE,
    ("PUT", "/api/v1/links/<link>/rooms/<room>/status"): _PBX_OR_CONTROL,
    ("PUT", "/api/v1/links/<link>/rooms/<room>/dnd"): _PBX_OR_CONTROL,
    ("PUT", "/api/v1/links/<link>/rooms/<room>/make-up-room"): _PBX_OR_CONTROL,
    ("PUT", "/api/v1/links/<link>/rooms/<room>/voicemail"): _PBX_OR_CONTROL,
    ("PUT", "/api/v1/links/<link>/rooms/<room>/wake-up"): _PBX_OR_CONTROL,
    ("DELETE", "/api/v1/links/<link>/rooms/<room>/wake-up"): _PBX_OR_CONTROL,
    ("POST", "/api/v1/links/<link>/rooms/<room>/wake-up/result"): _PBX_OR_CONTROL,
    ("GET", "/api/v1/notices"): _ANY_ROLE,
    ("POST", "/api/v1/notices/<id>/acknowledge"): _CONTROL_ONLY,
}


def find_allowed_roles(method: str, path: str) -> AllowedRoles:
    """Return the roles that may use the route of this method and path. HEAD follows GET.

    Raises LookupError for a route that the table lacks, so that no route is served without a decision.
    """
    try:
        return _ALLOWED_ROLES_BY_ROUTE[method, path]
    except KeyError:
        raise LookupError(f"permissions.py has no entry for {method} {path}") from None
