"""Versions of a link's settings, so that two people who edit one link do not overwrite each other.

The `ETag` of a link names the version of its settings, not of its state, which changes all the time. A change
with `If-Match` is refused if the settings have another version by now.
"""

from __future__ import annotations

import secrets
from hashlib import blake2b

from twisted.web.iweb import IRequest

from pmslink.config.link_definition import LinkConfig
from pmslink.web.http.api_errors import ApiError
from pmslink.web.http.json_responses import serialize_json

_KEY = secrets.token_bytes(32)
"""A version must not help to guess a secret setting. After a restart, the key and all versions are others."""
_VERSION_BYTES = 12


def settings_version(config: LinkConfig) -> bytes:
    """Return the version of a link's settings as the value of `ETag`."""
    settings = [config.host, config.port, config.profile, sorted(config.given.items())]
    digest = blake2b(serialize_json(settings), digest_size=_VERSION_BYTES, key=_KEY)
    return b'"%s"' % digest.hexdigest().encode("ascii")


def require_settings_version(request: IRequest, config: LinkConfig) -> None:
    """Raise ApiError 412 if the request names other versions of the settings than this one."""
    header = b",".join(request.requestHeaders.getRawHeaders(b"if-match", []))
    if not header.strip():
        return
    # proxies that compress responses mark an ETag as weak
    expected = {version.strip().removeprefix(b"W/") for version in header.split(b",")}
    if not expected & {b"*", settings_version(config)}:
        raise ApiError(
            412,
            "changed",
            f"the settings of {config.name} have changed since they were read: read the link again, "
            "and repeat the change with its ETag",
        )
