"""The page: the files beside this one in `page/`, and what it is told of FIAS, the settings and its texts."""

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

from pmslink.web.http.json_responses import ApiError, begin_answer, written
from pmslink.web.http.routing import Route
from pmslink.web.ui.bootstrap_data import known
from pmslink.web.ui.translations import LANGUAGES, texts

INDEX = "index.html"


@frozen
class Asset:
    """One file of the page."""

    type: bytes
    body: bytes
    tag: bytes
    """The same for the same content, as HTTP's ETag."""


class PageCalls:
    """Gives the page to a browser, which keeps it and asks each time whether it is still the same."""

    def routes(self) -> Iterator[Route]:
        yield "GET", "/", self.index
        yield "GET", "/page/<path:name>", self.asset

    def index(self, request: Request) -> bytes:
        return self.asset(request, INDEX)

    def asset(self, request: Request, name: str) -> bytes:
        asset = assets().get(name)
        if asset is None:
            raise ApiError(404, "not_found", f"the page has no part {name!r}")
        begin_answer(request, 200, asset.type)
        request.setHeader(b"cache-control", b"no-cache")
        if request.setETag(asset.tag) is CACHED:
            return b""
        request.setHeader(b"content-length", b"%d" % len(asset.body))
        return asset.body


@cache
def assets() -> dict[str, Asset]:
    """All parts of the page, by their names below `/page/`."""
    page = files(__package__).joinpath("static")
    parts = {name: _asset(_type(name), file.read_bytes()) for name, file in _files(page)}
    json = b"application/json"
    parts["known.json"] = _asset(json, written(known()))
    for language in LANGUAGES:
        parts[f"texts/{language}.json"] = _asset(json, written(texts(language)))
    return parts


def _files(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, Traversable]]:
    for file in folder.iterdir():
        if file.is_dir():
            yield from _files(file, f"{prefix}{file.name}/")
        else:
            yield prefix + file.name, file


def _type(name: str) -> bytes:
    type, _ = mimetypes.guess_type(name)
    return f"{type}; charset=utf-8".encode()


def _asset(type: bytes, body: bytes) -> Asset:
    return Asset(type, body, b'"%s"' % urlsafe_b64encode(sha256(body).digest()[:12]))
