"""Files of the page, loaded and compressed once, and the address under which browsers may store them."""

from __future__ import annotations

import gzip
import mimetypes
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

from attrs import frozen

from pmslink.web.http.json_responses import serialize_json
from pmslink.web.ui.bootstrap_data import bootstrap_data
from pmslink.web.ui.module_imports import find_imported_modules
from pmslink.web.ui.source_comments import remove_script_comments, remove_style_comments
from pmslink.web.ui.translations import (
    LANGUAGES,
    load_field_names,
    load_link_texts,
    load_setting_texts,
    load_translations,
)

INDEX_FILE_NAME = "index.html"
FIRST_VIEW_MODULES = ("main.js", "views/links.js")
"""Modules from which everything is imported that the first view of the page needs."""

_GZIP_LEVEL = 9
_JSON_TYPE = b"application/json"


@frozen
class Asset:
    """One file of the page, with its content type and its HTTP entity tags."""

    content_type: bytes
    body: bytes
    compressed_body: bytes | None
    """The body compressed with gzip; None if that does not make it smaller."""
    etag: bytes
    compressed_etag: bytes

    @property
    def is_document(self) -> bool:
        """Whether a browser can show it by itself, with the scripts and styles that it names."""
        return not self.content_type.startswith((b"text/javascript", b"text/css", b"application/json"))


@frozen
class PageFiles:
    """The page of one version of the service."""

    version: str
    """Digest of all files. It is part of their address, so that an address never changes its content."""
    index: Asset
    """The page itself, with the addresses of the files of this version."""
    assets: Mapping[str, Asset]
    """All other files, by their names."""


@cache
def load_page_files() -> PageFiles:
    """Load all files of the page, compress them, and name those of the first view in the page itself."""
    bodies = dict(_read_bodies())
    version = _digest(*(part for name in sorted(bodies) for part in (name.encode(), bodies[name])))
    index = _make_index(bodies.pop(INDEX_FILE_NAME), version, bodies)
    return PageFiles(
        version,
        _make_asset(INDEX_FILE_NAME, index),
        {name: _make_asset(name, body) for name, body in bodies.items()},
    )


def _read_bodies() -> Iterator[tuple[str, bytes]]:
    for name, file in _walk_files(files(__package__).joinpath("static")):
        if not name.startswith("texts/"):  # a catalogue is served as one file
            yield name, _remove_comments(name, file.read_bytes())
    yield "known.json", serialize_json(bootstrap_data())
    for language in LANGUAGES:
        yield f"texts/{language}.json", serialize_json(load_translations(language))
        yield f"texts/{language}/link.json", serialize_json(load_link_texts(language))
        yield f"texts/{language}/fias.json", serialize_json(load_field_names(language))
        yield f"texts/{language}/settings.json", serialize_json(load_setting_texts(language))


def _remove_comments(name: str, body: bytes) -> bytes:
    match name.rpartition(".")[2]:
        case "js":
            return remove_script_comments(body)
        case "css":
            return remove_style_comments(body)
    return body


def _walk_files(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, Traversable]]:
    for file in folder.iterdir():
        if file.is_dir():
            yield from _walk_files(file, f"{prefix}{file.name}/")
        else:
            yield prefix + file.name, file


def _make_index(template: bytes, version: str, bodies: Mapping[str, bytes]) -> bytes:
    """Return the page with the addresses of this version, and links that load its modules at once.

    Without the links, a browser learns of each module only from the one that imports it: one round trip for
    each level of imports. They are in a template, which `theme.js` puts into the document when the style
    sheet is there: on a slow line, the first words would else wait for all modules.
    """
    preloads = "".join(
        f'<link rel="modulepreload" href="page/{name}">\n'
        for name in find_imported_modules(bodies, FIRST_VIEW_MODULES)
    )
    page = template.replace(b"</template>", preloads.encode() + b"</template>", 1)
    return page.replace(b'"page/', b'"page/%s/' % version.encode())


def _make_asset(name: str, body: bytes) -> Asset:
    compressed = gzip.compress(body, _GZIP_LEVEL, mtime=0)
    digest = _digest(body)
    return Asset(
        content_type=_guess_content_type(name),
        body=body,
        compressed_body=compressed if len(compressed) < len(body) else None,
        etag=f'"{digest}"'.encode(),
        compressed_etag=f'"{digest}-gzip"'.encode(),
    )


def _guess_content_type(name: str) -> bytes:
    content_type, _ = mimetypes.guess_type(name)
    if content_type == "application/json":
        return _JSON_TYPE
    return f"{content_type}; charset=utf-8".encode()


def _digest(*parts: bytes) -> str:
    digest = sha256()
    for part in parts:
        digest.update(b"%d:" % len(part) + part)
    return urlsafe_b64encode(digest.digest()[:12]).decode()
