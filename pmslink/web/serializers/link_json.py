"""The JSON text of links, kept until a link changes."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from attrs import frozen

from pmslink.config.settings_serializer import serialize_settings
from pmslink.link.link import Link
from pmslink.link.status import LinkStatus
from pmslink.web.http.json_responses import serialize_json
from pmslink.web.serializers.link_serializer import serialize_link_state


@frozen
class _KeptText:
    status: LinkStatus
    settings: bytes
    """The text of `settings` and `declared_records`, which are half of the link's, and hardly ever change."""
    text: bytes


class LinkJson:
    """Serialize links as the object `Link` of the API, for responses, the stream and its stored snapshots."""

    def __init__(self) -> None:
        self._kept: WeakKeyDictionary[Link, _KeptText] = WeakKeyDictionary()

    def serialize(self, link: Link) -> bytes:
        """Return the JSON text of a link as it is now."""
        status, kept = link.status(), self._kept.get(link)
        if kept is None or kept.status != status:
            if kept is not None and kept.status.settings is status.settings:
                settings = kept.settings
            else:
                settings = _serialize_settings(status)
            kept = _KeptText(status, settings, _join(serialize_json(serialize_link_state(status)), settings))
            self._kept[link] = kept
        return kept.text


def _serialize_settings(status: LinkStatus) -> bytes:
    return serialize_json(
        {"settings": serialize_settings(status.settings), "declared_records": status.declared_records}
    )


def _join(first: bytes, second: bytes) -> bytes:
    """Join two JSON objects to one."""
    return first[:-1] + b"," + second[1:]
