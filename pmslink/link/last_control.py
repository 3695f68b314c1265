"""What a user last asked of a link, when that was before the service started."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from attrs import frozen

from pmslink.link.cause import Cause
from pmslink.link.machine import Intent
from pmslink.store.tables.history_queries import StoredControl
from pmslink.timestamps import from_ms

_INTENTS: Mapping[str, Intent] = {
    "disable": "disabled",
    "expire": "expired",
    "disconnect": "disconnected",
}


@frozen
class LastControl:
    """The last control of a user that changed the state of a link."""

    at: datetime
    cause: Cause

    @classmethod
    def restore(cls, stored: StoredControl | None) -> LastControl | None:
        """Return the control that is stored, if one is."""
        if stored is None:
            return None
        cause = json.loads(stored.cause)
        return cls(from_ms(stored.at), Cause(cause["code"], cause["params"]))

    def explains(self, intent: Intent) -> bool:
        """Return whether the link is at rest because of this control."""
        return _INTENTS.get(str(self.cause.params.get("control"))) == intent
