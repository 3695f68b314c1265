"""Tests of the served page: its files, their caching, and the paths that are not served."""

from __future__ import annotations

import gzip
import re
from importlib.resources import files
from urllib.parse import urldefrag, urljoin

import pytest

from pmslink.web.ui.bootstrap_data import bootstrap_data
from pmslink.web.ui.page_files import load_page_files
from pmslink.web.ui.translations import load_translations
from tests.time_limit import time_limit
from tests.web.served_api import ServedApi

PAGE = files("pmslink.web.ui").joinpath("static")
PAGE_FILES = load_page_files()
VERSIONED = f"/page/{PAGE_FILES.version}/"
ACCEPTS_GZIP = {"accept-encoding": "gzip"}
TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml; charset=utf-8",
    "json": "application/json",
}


@time_limit(10)
async def test_the_page_is_served_at_the_root(served_api: ServedApi) -> None:
    answer = await served_api.get("/")
    assert answer.status == 200
    assert answer.headers["content-type"] == TYPES["html"]
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.body.startswith(b"<!doctype html>")


@time_limit(10)
async def test_the_page_names_all_files_under_addresses_that_never_change(served_api: ServedApi) -> None:
    page = (await served_api.get("/")).body.decode()
    addresses = set(re.findall(r'(?:href|src)="(page/[^"]+)"', page))
    assert len(addresses) > 10
    for address in addresses:
        answer = await served_api.get(f"/{address}")
        assert answer.status == 200, address
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


@time_limit(10)
async def test_each_file_has_its_content_type_and_etag(served_api: ServedApi) -> None:
    assert len(PAGE_FILES.assets) > 20
    tags = set()
    for name, asset in PAGE_FILES.assets.items():
        for address, caching in ((VERSIONED, "public, max-age=31536000, immutable"), ("/page/", "no-cache")):
            answer = await served_api.get(f"{address}{name}")
            assert (answer.status, answer.body) == (200, asset.body), name
            assert answer.headers["content-type"] == TYPES[name.rpartition(".")[2]], name
            assert answer.headers["cache-control"] == caching
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["vary"] == "accept-encoding"
            assert int(answer.headers["content-length"]) == len(asset.body)
            tags.add(answer.headers["etag"])
    assert len(tags) == len(PAGE_FILES.assets)


@time_limit(10)
async def test_each_file_is_compressed_for_a_browser_that_accepts_it(served_api: ServedApi) -> None:
    for path, asset in (("/", PAGE_FILES.index), (f"{VERSIONED}main.js", PAGE_FILES.assets["main.js"])):
        plain = await served_api.get(path)
        answer = await served_api.get(path, headers=ACCEPTS_GZIP)
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.headers["vary"] == "accept-encoding"
        assert int(answer.headers["content-length"]) == len(answer.body) < len(plain.body) / 2
        assert gzip.decompress(answer.body) == plain.body == asset.body
        assert answer.headers["etag"] != plain.headers["etag"]
        assert "content-encoding" not in plain.headers


@time_limit(10)
async def test_a_matching_etag_gets_304_without_a_body(served_api: ServedApi) -> None:
    for path in ("/", f"{VERSIONED}main.js", "/page/texts/zh.json"):
        for encoding in ({}, ACCEPTS_GZIP):
            tag = (await served_api.get(path, headers=encoding)).headers["etag"]
            revalidated = await served_api.get(path, headers={**encoding, "if-none-match": tag})
            assert (revalidated.status, revalidated.body) == (304, b"")
        other = await served_api.get(path, headers={"if-none-match": '"another"'})
        assert other.status == 200
        assert other.body


@time_limit(10)
async def test_only_documents_have_the_headers_of_documents(served_api: ServedApi) -> None:
    for name, is_document in (("main.js", False), ("page.css", False), ("icons/signs.svg", True)):
        headers = (await served_api.get(f"{VERSIONED}{name}")).headers
        assert ("content-security-policy" in headers) == is_document, name
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"
    for path in ("/", "/page/pms-differences.html"):
        assert "content-security-policy" in (await served_api.get(path)).headers


@time_limit(10)
async def test_head_sends_the_headers_of_get(served_api: ServedApi) -> None:
    for path in ("/", f"{VERSIONED}page.css"):
        answer = await served_api.call("HEAD", path)
        get_answer = await served_api.get(path)
        assert (answer.status, answer.body) == (200, b"")
        for name in ("content-type", "content-length", "etag"):
            assert answer.headers[name] == get_answer.headers[name]


@time_limit(10)
async def test_a_file_of_another_version_is_not_served(served_api: ServedApi) -> None:
    assert (await served_api.get("/page/AAAAAAAAAAAAAAAA/main.js")).error == (404, "not_found")


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/links/grand", "../#/links/grand"),
        ("/links/grand/rooms/10%2F8", "../../../#/links/grand/rooms/10%2F8"),
        ("/links/grand/settings?group=checks", "../../#/links/grand/settings?group=checks"),
        ("/links", "./#/"),
        ("/new?copy=grand", "./#/new?copy=grand"),
        ("/notices", "./#/notices"),
        ("/about", "./#/about"),
    ],
)
@time_limit(10)
async def test_a_path_of_a_view_leads_to_the_view(served_api: ServedApi, path: str, location: str) -> None:
    answer = await served_api.get(path)
    assert (answer.status, answer.headers["location"], answer.body) == (303, location, b"")
    for root in ("http://pms.example/", "https://intranet.example/pms/"):  # the second one behind a proxy
        view, hash = urldefrag(urljoin(root + path[1:], location))
        assert (view, hash) == (root, "/" if path == "/links" else path)


@time_limit(10)
async def test_the_bootstrap_data_and_the_translations_are_served(served_api: ServedApi) -> None:
    data = (await served_api.get("/page/known.json")).json()
    assert data["records"] == list(bootstrap_data()["records"])
    assert {setting["name"]: setting["bounds"] for setting in data["settings"]}["port"] == [1, 65535]
    assert (await served_api.get("/page/texts/en.json")).json() == load_translations("en")
    assert (await served_api.get("/page/texts/zh.json")).json() == load_translations("zh")


@time_limit(10)
async def test_no_other_path_is_served(served_api: ServedApi) -> None:
    for path in (
        "/page/",
        "/page/nothing.js",
        "/page/texts",
        "/page/texts/xx.json",
        "/page/Main.js",
        "/page/../answers.py",
        "/page/../../config.py",
        "/page/%2e%2e/answers.py",
        "/page/..%2fanswers.py",
        "/page/texts/..%2f..%2fanswers.py",
        "/page//etc/passwd",
        "/page/%2fetc%2fpasswd",
        "/page/main.js%00",
    ):
        answer = await served_api.get(path)
        assert answer.error == (404, "not_found"), path
        assert answer.headers["content-type"] == "application/json", path


@time_limit(10)
async def test_files_of_the_page_are_read_only(served_api: ServedApi) -> None:
    for method in ("POST", "PUT", "DELETE"):
        assert (await served_api.call(method, "/page/main.js")).error == (405, "method_not_allowed")


def test_no_file_refers_to_another_host() -> None:
    for name, asset in PAGE_FILES.assets.items():
        urls = set(re.findall(rb"(?:https?:)?//[\w.-]+\.\w+[^\s\"']*", asset.body))
        assert urls <= {b"http://www.w3.org/2000/svg"}, name


def test_the_page_has_no_inline_script_style_or_event_handler() -> None:
    """Check that the content security policy can forbid all of them."""
    index = PAGE.joinpath("index.html").read_text("utf-8")
    assert re.findall(r"<script[^>]*>(.*?)</script>", index, re.DOTALL) == ["", ""]
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", index)


@time_limit(10)
async def test_the_content_security_policy_allows_only_this_origin(served_api: ServedApi) -> None:
    policy = (await served_api.get("/")).headers["content-security-policy"]
    assert "default-src 'none'" in policy or "default-src 'self'" in policy
    assert "unsafe" not in policy
    for directive in ("script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"):
        assert directive in policy
