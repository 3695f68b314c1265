"""Which call is for whom: the one table of it.

`view` looks on and never learns who the guests are; `pbx` is a telephone system, which hands over what it
charges and hears what the PMS says; `control` may do everything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Role = Literal["view", "control", "pbx"]
"""What the holder of a token may do."""

Whom = frozenset[Role] | None
"""The roles that may call; None stands for anybody, also without a token."""

_ANYBODY: Whom = None
_ALL: Whom = frozenset({"view", "control", "pbx"})
_LOOK: Whom = frozenset({"view", "control"})
_HAND_OVER: Whom = frozenset({"control", "pbx"})
_CONTROL: Whom = frozenset({"control"})

_WHO_MAY: Mapping[tuple[str, str], Whom] = {
    ("GET", "/"): _ANYBODY,
    ("GET", "/page/<path:name>"): _ANYBODY,
    ("GET", "/openapi.json"): _ANYBODY,
    ("GET", "/healthz"): _ANYBODY,
    ("GET", "/readyz"): _ANYBODY,
    ("GET", "/metrics"): _LOOK,
    ("POST", "/api/v1/session"): _ANYBODY,
    ("GET", "/api/v1/session"): _ANYBODY,
    ("DELETE", "/api/v1/session"): _ANYBODY,
    ("GET", "/api/v1/status"): _ALL,
    ("GET", "/api/v1/stream"): _ALL,
    ("GET", "/api/v1/links"): _ALL,
    ("POST", "/api/v1/links"): _CONTROL,
    ("POST", "/api/v1/links/test"): _CONTROL,
    ("GET", "/api/v1/links/<link>"): _ALL,
    ("PATCH", "/api/v1/links/<link>"): _CONTROL,
    ("DELETE", "/api/v1/links/<link>"): _CONTROL,
    ("POST", "/api/v1/links/<link>/enable"): _CONTROL,
    ("POST", "/api/v1/links/<link>/disable"): _CONTROL,
    ("POST", "/api/v1/links/<link>/expire"): _CONTROL,
    ("POST", "/api/v1/links/<link>/disconnect"): _CONTROL,
    ("POST", "/api/v1/links/<link>/resync"): _CONTROL,
    ("GET", "/api/v1/links/<link>/transitions"): _LOOK,
    ("GET", "/api/v1/links/<link>/timeline"): _LOOK,
    ("GET", "/api/v1/links/<link>/records"): _LOOK,
    ("GET", "/api/v1/links/<link>/events"): _ALL,
    ("POST", "/api/v1/links/<link>/postings"): _HAND_OVER,
    ("GET", "/api/v1/links/<link>/postings"): _ALL,
    ("GET", "/api/v1/links/<link>/postings/<id>"): _ALL,
    ("POST", "/api/v1/links/<link>/postings/<id>/resend"): _CONTROL,
    ("POST", "/api/v1/links/<link>/postings/<id>/discard"): _CONTROL,
    ("GET", "/api/v1/links/<link>/rooms"): _ALL,
    ("GET", "/api/v1/links/<link>/rooms/<room>"): _ALL,
    ("PUT", "/api/v1/links/<link>/rooms/<room>/status"): _HAND_OVER,
    ("PUT", "/api/v1/links/<link>/rooms/<room>/dnd"): _HAND_OVER,
    ("PUT", "/api/v1/links/<link>/rooms/<room>/make-up-room"): _HAND_OVER,
    ("PUT", "/api/v1/links/<link>/rooms/<room>/voicemail"): _HAND_OVER,
    ("PUT", "/api/v1/links/<link>/rooms/<room>/wake-up"): _HAND_OVER,
    ("DELETE", "/api/v1/links/<link>/rooms/<room>/wake-up"): _HAND_OVER,
    ("POST", "/api/v1/links/<link>/rooms/<room>/wake-up/result"): _HAND_OVER,
}


def who_may(method: str, path: str) -> Whom:
    """Whom a call is for, named by its method and path as they are routed; HEAD follows GET.

    Raises LookupError for one that the table lacks: nothing is served that nobody has thought about.
    """
    try:
        return _WHO_MAY[method, path]
    except KeyError:
        raise LookupError(f"roles.py does not say who may call {method} {path}") from None
