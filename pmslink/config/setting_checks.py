"""Checks and conversions of single link settings: time zone, date and time, URL of the webhook."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pmslink.validation.validators import is_host, is_parseable

MAX_WEBHOOK_URL_CHARS = 2000


def is_timezone(name: str) -> bool:
    """Return whether the text is the name of a time zone of the IANA list."""
    return is_parseable(ZoneInfo, name)


def parse_date_time(raw: object) -> datetime:
    """Return an aware time, as TOML or as text in ISO 8601, in UTC. Raises ValueError."""
    try:
        moment = datetime.fromisoformat(raw) if isinstance(raw, str) else raw
        if isinstance(moment, datetime) and moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError


def is_webhook_url(url: str) -> bool:
    """Return whether the text is an http or https URL without credentials and fragment."""
    return (
        len(url) <= MAX_WEBHOOK_URL_CHARS
        and url.isascii()
        and url.isprintable()
        and is_parseable(_require_webhook_url, url)
    )


def _require_webhook_url(url: str) -> None:
    parts = urlsplit(url)
    has_only_allowed_parts = not set(url) & set(" #") and "@" not in parts.netloc
    if not (
        has_only_allowed_parts
        and parts.scheme in ("http", "https")
        and is_host(parts.hostname or "")
        and parts.port != 0
    ):
        raise ValueError
