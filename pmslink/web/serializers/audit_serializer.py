"""Serialize the audit trail, and what its entries say of settings."""

from __future__ import annotations

import json
from typing import Any

from pmslink.config.link_definition import LinkConfig
from pmslink.config.settings_serializer import SECRET_SETTINGS, serialize_settings
from pmslink.store.tables.audit_log import StoredAuditEntry
from pmslink.timestamps import format_timestamp, from_ms
from pmslink.validation.setting_fields import REDACTED


def serialize_audit_entry(stored: StoredAuditEntry) -> dict[str, Any]:
    """Serialize an entry as the object `AuditEntry` of the API."""
    entry = stored.entry
    return {
        "id": stored.id,
        "at": format_timestamp(from_ms(entry.at)),
        "who": entry.who,
        "role": entry.role,
        "action": entry.action,
        "link": entry.link,
        "object": entry.object,
        "before": None if entry.before is None else json.loads(entry.before),
        "after": None if entry.after is None else json.loads(entry.after),
        "result": entry.result,
    }


def given_settings(config: LinkConfig) -> dict[str, object]:
    """Return the settings that a link was given, with secrets redacted."""
    secrets = dict.fromkeys(SECRET_SETTINGS & config.given.keys(), REDACTED)
    return {**_address(config), **config.given, **secrets}


def changed_settings(before: LinkConfig, after: LinkConfig) -> tuple[dict[str, object], dict[str, object]]:
    """Return the effective settings that differ, as they were and as they are, with secrets redacted."""
    old = {**_address(before), **serialize_settings(before.settings)}
    new = {**_address(after), **serialize_settings(after.settings)}
    changed = [
        name
        for name in old
        if old[name] != new[name]
        or (name in SECRET_SETTINGS and getattr(before.settings, name) != getattr(after.settings, name))
    ]
    return {name: old[name] for name in changed}, {name: new[name] for name in changed}


def _address(config: LinkConfig) -> dict[str, object]:
    return {"host": config.host, "port": config.port, "profile": config.profile}
