"""Serve the page: its files, and the way from a path that somebody typed to the view of that name."""

from __future__ import annotations

from collections.abc import Iterator

from twisted.web.http import CACHED
from twisted.web.server import Request

from pmslink.web.http.api_errors import ApiError
from pmslink.web.http.compression import accepts_gzip
from pmslink.web.http.json_responses import begin_response
from pmslink.web.http.routing import Route
from pmslink.web.ui.page_files import Asset, load_page_files

_REVALIDATED = b"no-cache"
_STORED_FOR_A_YEAR = b"public, max-age=31536000, immutable"

_DOCUMENT_HEADERS = (
    b"content-security-policy",
    b"cross-origin-opener-policy",
    b"referrer-policy",
    b"x-frame-options",
)
"""Headers that mean something for documents only: for the modules of the first view they are 10 kB."""
_VIEW_PATHS = ("/links", "/links/<path:name>", "/new", "/notices", "/about")
"""Paths of views. Their addresses stand behind "#", which people forget."""

_MAX_VIEW_PATH_CHARS = 2000
"""Characters of the path of a view, with its query."""


class PageResource:
    """Serves the page: browsers revalidate the page itself, and store its files for a year."""

    def __init__(self) -> None:
        """Load and compress the files, so that the first reader does not wait for it."""
        self._files = load_page_files()

    def routes(self) -> Iterator[Route]:
        """List the routes of the page."""
        yield "GET", "/", self.get_index
        yield "GET", "/page/<path:name>", self.get_asset
        for path in _VIEW_PATHS:
            yield "GET", path, self.redirect_to_view

    def get_index(self, request: Request) -> bytes:
        """Return the page itself, or 304."""
        return _serve(request, self._files.index, _REVALIDATED)

    def get_asset(self, request: Request, name: str) -> bytes:
        """Return a file of the page, or 304. Raises ApiError 404 for an unknown name.

        A file has two addresses: below the version of the page it never changes. Without the version it is
        revalidated: the documents have lasting addresses there.
        """
        version, _, versioned_name = name.partition("/")
        is_versioned = version == self._files.version
        asset = self._files.assets.get(versioned_name if is_versioned else name)
        if asset is None:
            raise ApiError(404, "not_found", f"the page has no file {name!r}")
        return _serve(request, asset, _STORED_FOR_A_YEAR if is_versioned else _REVALIDATED)

    def redirect_to_view(self, request: Request, name: str = "") -> bytes:
        """Answer with 303 to the view of the same path behind "#". Raises ApiError 404 for an endless path.

        The location is relative: a proxy may serve the page below a path of its own.
        """
        if len(request.uri) > _MAX_VIEW_PATH_CHARS:
            raise ApiError(404, "not_found", f"no view has a path of over {_MAX_VIEW_PATH_CHARS} characters")
        path, separator, query = request.uri.partition(b"?")
        to_root = b"../" * (path.count(b"/") - 1) or b"./"
        view = b"/" if path == b"/links" else path
        begin_response(request, 303, b"text/plain; charset=utf-8")
        request.setHeader(b"location", to_root + b"#" + view + separator + query)
        request.setHeader(b"content-length", b"0")
        return b""


def _serve(request: Request, asset: Asset, cache_control: bytes) -> bytes:
    begin_response(request, 200, asset.content_type)
    if not asset.is_document:
        for name in _DOCUMENT_HEADERS:
            request.responseHeaders.removeHeader(name)
    request.setHeader(b"cache-control", cache_control)
    request.setHeader(b"vary", b"accept-encoding")
    body, etag = asset.body, asset.etag
    is_compressed = asset.compressed_body is not None and accepts_gzip(request)
    if is_compressed:
        body, etag = asset.compressed_body or b"", asset.compressed_etag
    if request.setETag(etag) is CACHED:
        return b""
    if is_compressed:
        request.setHeader(b"content-encoding", b"gzip")
    request.setHeader(b"content-length", b"%d" % len(body))
    return body
