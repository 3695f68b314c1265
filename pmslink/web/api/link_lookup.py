"""Lookup of the link that a path names."""

from __future__ import annotations

from pmslink.link.link import Link
from pmslink.link.link_registry import LinkRegistry
from pmslink.web.http.api_errors import ApiError


def find_link(links: LinkRegistry, name: str) -> Link:
    """Return the link of this name. Raises ApiError 404 if there is none."""
    link = links.get(name)
    if link is None:
        raise ApiError(404, "unknown_link", f"there is no link {name!r}")
    return link
