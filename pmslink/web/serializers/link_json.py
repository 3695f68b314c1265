"""The JSON text of links, cached until a link changes."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from attrs import frozen

from pmslink.config.settings_serializer import serialize_settings
from pmslink.link.link import Link
from pmslink.link.status import LinkStatus
from pmslink.web.http.json_responses import serialize_json
from pmslink.web.serializers.link_serializer import serialize_link_state


@frozen
class _CachedText:
    status: LinkStatus
    settings: bytes
    """The text of `settings` and `declared_records`, which are half of the link's, and hardly ever change."""
    text: bytes


class LinkJson:
    """Serialize links as the object `Link` of the API, for responses, the stream and its stored snapshots."""

    def __init__(self) -> None:
        self._cached: WeakKeyDictionary[Link, _CachedText] = WeakKeyDictionary()

    def serialize(self, link: Link) -> bytes:
        """Return the JSON text of a link as it is now."""
        status, cached = link.status(), self._cached.get(link)
        if cached is None or cached.status != status:
            if cached is not None and cached.status.settings is status.settings:
                settings = cached.settings
            else:
                settings = _serialize_settings(status)
            cached = _CachedText(
                status, settings, _join(serialize_json(serialize_link_state(status)), settings)
            )
            self._cached[link] = cached
        return cached.text


def _serialize_settings(status: LinkStatus) -> bytes:
    return serialize_json(
        {"settings": serialize_settings(status.settings), "declared_records": status.declared_records}
    )


def _join(first: bytes, second: bytes) -> bytes:
    """Join two JSON objects to one."""
    return first[:-1] + b"," + second[1:]
