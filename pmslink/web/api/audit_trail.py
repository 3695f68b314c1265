"""The audit trail: what callers changed, and what they were refused.

`AUDITED_ACTIONS` names the calls that it tells of. A handler stores the entry of a change in the commit of
the change: with the operation that changes the store, or in the same turn of the reactor. A refused call
changes nothing, and its entry is stored here.

Postings are not audited: each is stored with its history, and a PBX sends thousands. For the same reason,
the results of wake-ups are not: they are hotel events. Nor is what a PBX sets in a room: it is a row of the
outbox, which names the token.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import wraps
from typing import Any

from attrs import evolve
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from pmslink.link.rate_limit import RateLimit
from pmslink.store.core.journal import Journal
from pmslink.store.tables.audit_log import AuditEntry, append_audit_entries
from pmslink.timestamps import to_ms
from pmslink.web.api.domain_errors import map_domain_error
from pmslink.web.auth.api_request import ApiRequest
from pmslink.web.auth.audited_action import AuditedAction
from pmslink.web.auth.caller import Caller
from pmslink.web.http.api_errors import ApiError, map_common_error

_LINK = "/api/v1/links/<link>"
_ROOM = f"{_LINK}/rooms/<room>"
AUDITED_ACTIONS: Mapping[tuple[str, str], str] = {
    ("POST", "/api/v1/links"): "link.create",
    ("PATCH", _LINK): "link.change",
    ("DELETE", _LINK): "link.remove",
    ("POST", f"{_LINK}/enable"): "link.enable",
    ("POST", f"{_LINK}/disable"): "link.disable",
    ("POST", f"{_LINK}/expire"): "link.expire",
    ("POST", f"{_LINK}/disconnect"): "link.disconnect",
    ("POST", f"{_LINK}/resync"): "link.resync",
    ("POST", f"{_LINK}/webhook/skip"): "webhook.skip",
    ("POST", f"{_LINK}/postings/<id>/resend"): "posting.resend",
    ("POST", f"{_LINK}/postings/<id>/discard"): "posting.discard",
    ("PUT", f"{_ROOM}/status"): "room.status",
    ("PUT", f"{_ROOM}/dnd"): "room.dnd",
    ("PUT", f"{_ROOM}/make-up-room"): "room.make_up_room",
    ("PUT", f"{_ROOM}/voicemail"): "room.voicemail",
    ("PUT", f"{_ROOM}/wake-up"): "room.wake_up",
    ("DELETE", f"{_ROOM}/wake-up"): "room.wake_up_cancel",
    ("POST", f"{_ROOM}/check-in"): "room.check_in",
    ("POST", f"{_ROOM}/check-out"): "room.check_out",
    ("POST", f"{_ROOM}/move"): "room.move",
    ("POST", f"{_LINK}/by-hand/<id>/take"): "by_hand.take",
    ("POST", f"{_LINK}/by-hand/<id>/keep"): "by_hand.keep",
    ("POST", "/api/v1/notices/acknowledge"): "service.acknowledge_notices",
    ("POST", "/api/v1/notices/<id>/acknowledge"): "notice.acknowledge",
    ("POST", "/api/v1/reload"): "service.reload",
    ("POST", "/api/v1/session"): "session.begin",
    ("DELETE", "/api/v1/session"): "session.end",
}
"""The name of the action of each call that the audit trail tells of."""
UNAUDITED_CALLS = frozenset(
    {
        ("POST", "/api/v1/links/test"),  # changes nothing
        ("POST", f"{_LINK}/postings"),
        ("POST", f"{_ROOM}/wake-up/result"),
    }
)
"""The other calls that are not GET."""
UNAUDITED_OF_PBX = frozenset(
    {
        "room.status",
        "room.dnd",
        "room.make_up_room",
        "room.voicemail",
        "room.wake_up",
        "room.wake_up_cancel",
    }
)
"""The actions that are not audited if the caller is a PBX."""

MAX_LINK_CHARS = 64
MAX_OBJECT_CHARS = 100
"""Characters of the link and of the object of an entry: a refused call may name anything."""
REFUSALS_AT_ONCE = 60
REFUSALS_PER_S = 1 / 60
"""How many refused calls of one caller are stored, at once and in the long run. The log has them all."""


class UnstoredChangeError(ApiError):
    """The change took effect, but could not be stored. Its entry tells of it as done."""


class AuditTrail:
    """Store what callers do that no operation of the store tells of, and what they are refused."""

    def __init__(self, journal: Journal, clock: IReactorTime, wall_clock: Callable[[], datetime]) -> None:
        self._journal = journal
        self._clock = clock
        self._wall_clock = wall_clock
        self._refusal_limits: dict[str, RateLimit] = {}
        """By caller: at most one for each token since the start."""

    def watch(self, method: str, path: str, handler: Callable[..., Any]) -> Callable[..., Any]:
        """Return a handler that stores the calls which are refused, if the route is audited."""
        name = AUDITED_ACTIONS.get((method, path))
        if name is None:
            return handler

        @wraps(handler)
        def watched_handler(request: ApiRequest, **variables: str) -> Deferred[Any]:
            request.audited = AuditedAction(
                to_ms(self._wall_clock()),
                name,
                _printable(variables.get("link"), MAX_LINK_CHARS),
                _printable(_describe_object(name, variables), MAX_OBJECT_CHARS),
            )
            answer = maybeDeferred(handler, request, **variables)
            return answer.addErrback(self._on_refused, request)

        return watched_handler

    def store(self, request: ApiRequest, after: object = None) -> None:
        """Store that an action is done which is no operation of the store."""
        self._journal.submit_nowait(append_audit_entries, audit_entry(request, after=after))

    def _on_refused(self, failure: Failure, request: ApiRequest) -> Failure:
        caller: Caller | None = getattr(request, "caller", None)
        error: BaseException = failure.value  # type: ignore[assignment]
        code = _refusal_code(error)
        if caller is None or code is None or not is_audited(request):
            return failure
        if self._may_store_refusal(caller):
            entry = evolve(audit_entry(request), result=code)
            self._journal.submit_nowait(append_audit_entries, entry)
        return failure

    def _may_store_refusal(self, caller: Caller) -> bool:
        limit = self._refusal_limits.get(caller.who)
        if limit is None:
            limit = RateLimit(self._clock.seconds, REFUSALS_AT_ONCE, REFUSALS_PER_S)
            self._refusal_limits[caller.who] = limit
        if limit.wait():
            return False
        limit.count()
        return True


def is_audited(request: ApiRequest) -> bool:
    """Return whether the audit trail tells of what this caller does with this request."""
    return request.caller.role != "pbx" or request.audited.name not in UNAUDITED_OF_PBX


def audit_entry(request: ApiRequest, before: object = None, after: object = None) -> AuditEntry:
    """Return the entry for the action of a request, with what it changes, as JSON values.

    They must have no secrets and no names of guests.
    """
    action, caller = request.audited, request.caller
    return AuditEntry(
        action.at,
        caller.who,
        caller.role,
        action.name,
        action.link,
        action.object,
        None if before is None else json.dumps(before),
        None if after is None else json.dumps(after),
    )


def name_audited_link(request: ApiRequest, name: str) -> None:
    """Set the link of a request whose path does not name it."""
    request.audited = evolve(request.audited, link=_printable(name, MAX_LINK_CHARS))


def _describe_object(action: str, variables: Mapping[str, str]) -> str | None:
    """Return what an action is about, such as "room 214" or "posting 17"."""
    kind, _, _ = action.partition(".")
    identity = variables.get("room", variables.get("id"))
    return None if identity is None else f"{kind} {identity}"


def _printable(text: str | None, max_chars: int) -> str | None:
    """Return a text of a path as the store can take it."""
    if text is None:
        return None
    return "".join(character if character.isprintable() else "?" for character in text[:max_chars])


def _refusal_code(error: BaseException) -> str | None:
    """Return the code of the error response; None if the action may be done nevertheless."""
    if isinstance(error, UnstoredChangeError):
        return None
    if isinstance(error, CancelledError):  # the client has disconnected, which does not end a change
        return None
    response = map_domain_error(error) or map_common_error(error) or ApiError(500, "internal", "")
    return None if response.code == "outcome_unknown" else response.code
