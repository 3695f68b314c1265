"""A Klein application whose path variables may hold any character, "/" included, if the path encodes it.

Klein routes the decoded path, in which an encoded "/" separates segments like any other. This application
routes the encoded path, and decodes each variable afterwards: `/rooms/10%2F8/status` is about the room 10/8.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, unquote

from klein import Klein
from klein.resource import KleinResource
from werkzeug.routing import PathConverter, UnicodeConverter


class _EncodedSegmentConverter(UnicodeConverter):
    """Decodes a variable that is one segment of a path."""

    def to_python(self, value: str) -> str:
        return unquote(value)


class _EncodedPathConverter(PathConverter):
    """Decodes a variable that is the rest of a path."""

    def to_python(self, value: str) -> str:
        return unquote(value)


class _EncodedPathResource(KleinResource):
    """Encodes the segments of a path again, which Twisted has split and decoded."""

    def render(self, request: Any) -> Any:
        request.postpath = [quote(segment, safe="").encode("ascii") for segment in request.postpath]
        return super().render(request)


class EncodedPathKlein(Klein):
    """A Klein application that decodes the variables of a path after routing."""

    def __init__(self) -> None:
        super().__init__()
        self.url_map.converters |= {"default": _EncodedSegmentConverter, "path": _EncodedPathConverter}
        self.url_map.merge_slashes = False  # "//" is an unknown path, not a redirect

    def resource(self) -> KleinResource:
        """Return the resource that routes requests to the endpoints."""
        return _EncodedPathResource(self)
