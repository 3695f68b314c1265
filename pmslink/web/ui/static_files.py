"""Serve the page: the files in `static/`, its bootstrap data and its translations."""

from __future__ import annotations

import mimetypes
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

from attrs import frozen
from twisted.web.http import CACHED
from twisted.web.server import Request

from pmslink.web.http.api_errors import ApiError
from pmslink.web.http.json_responses import begin_response, serialize_json
from pmslink.web.http.routing import Route
from pmslink.web.ui.bootstrap_data import bootstrap_data
from pmslink.web.ui.translations import LANGUAGES, load_translations

INDEX_FILE_NAME = "index.html"


@frozen
class Asset:
    """One file of the page, with its content type and its HTTP entity tag."""

    content_type: bytes
    body: bytes
    etag: bytes


class PageResource:
    """Serves the page. A browser caches each file and revalidates it with its entity tag."""

    def routes(self) -> Iterator[Route]:
        """List the routes of the page."""
        yield "GET", "/", self.get_index
        yield "GET", "/page/<path:name>", self.get_asset

    def get_index(self, request: Request) -> bytes:
        """Return the page itself."""
        return self.get_asset(request, INDEX_FILE_NAME)

    def get_asset(self, request: Request, name: str) -> bytes:
        """Return a file of the page, or 304. Raises ApiError 404 for an unknown name."""
        asset = load_assets().get(name)
        if asset is None:
            raise ApiError(404, "not_found", f"the page has no file {name!r}")
        begin_response(request, 200, asset.content_type)
        request.setHeader(b"cache-control", b"no-cache")
        if request.setETag(asset.etag) is CACHED:
            return b""
        request.setHeader(b"content-length", b"%d" % len(asset.body))
        return asset.body


@cache
def load_assets() -> dict[str, Asset]:
    """Load all files of the page, by their names below `/page/`."""
    page = files(__package__).joinpath("static")
    assets = {
        name: _make_asset(_guess_content_type(name), file.read_bytes()) for name, file in _walk_files(page)
    }
    json_type = b"application/json"
    assets["known.json"] = _make_asset(json_type, serialize_json(bootstrap_data()))
    for language in LANGUAGES:
        assets[f"texts/{language}.json"] = _make_asset(json_type, serialize_json(load_translations(language)))
    return assets


def _walk_files(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, Traversable]]:
    for file in folder.iterdir():
        if file.is_dir():
            yield from _walk_files(file, f"{prefix}{file.name}/")
        else:
            yield prefix + file.name, file


def _guess_content_type(name: str) -> bytes:
    content_type, _ = mimetypes.guess_type(name)
    return f"{content_type}; charset=utf-8".encode()


def _make_asset(content_type: bytes, body: bytes) -> Asset:
    return Asset(content_type, body, b'"%s"' % urlsafe_b64encode(sha256(body).digest()[:12]))
