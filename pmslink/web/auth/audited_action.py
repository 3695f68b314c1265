"""What the audit trail will say that a request is, before its outcome is known."""

from __future__ import annotations

from attrs import frozen


@frozen
class AuditedAction:
    """An action that a caller asks for. `at` is in milliseconds since 1970 in UTC.

    `link` is None for an action on the service. `object` says what of the link it is, such as "room 214".
    """

    at: int
    name: str
    link: str | None = None
    object: str | None = None
