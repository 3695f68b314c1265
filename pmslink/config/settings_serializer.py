"""Serialize the effective settings of a link to JSON, with secrets redacted."""

from __future__ import annotations

from attrs import asdict, fields

from pmslink.config.link_settings import LinkSettings
from pmslink.timestamps import format_timestamp
from pmslink.validation.setting_fields import REDACTED, setting_of

SECRET_SETTINGS = frozenset(
    attribute.name for attribute in fields(LinkSettings) if setting_of(LinkSettings, attribute.name).secret
)
"""Names of the settings that are never output."""


def serialize_settings(settings: LinkSettings) -> dict[str, object]:
    """Return all effective settings, ready for JSON.

    Durations are in seconds, times are ISO 8601 in UTC, and secrets are replaced by `REDACTED`.
    """
    serialized = asdict(settings, value_serializer=_tuple_to_list)
    serialized |= {name: REDACTED for name in SECRET_SETTINGS if serialized[name] is not None}
    if settings.expires_at is not None:
        serialized["expires_at"] = format_timestamp(settings.expires_at)
    return serialized


def _tuple_to_list(_instance: object, _field: object, value: object) -> object:
    return list(value) if isinstance(value, tuple) else value  # JSON has no other sequence
