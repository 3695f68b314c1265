"""Tests of the served page: its files, their caching, and the paths that are not served."""

from __future__ import annotations

import re
from importlib.resources import files

from pmslink.web.ui.bootstrap_data import bootstrap_data
from pmslink.web.ui.static_files import load_assets
from pmslink.web.ui.translations import load_translations
from tests.time_limit import time_limit
from tests.web.served_api import ServedApi

PAGE = files("pmslink.web.ui").joinpath("static")
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
    assert answer.body.startswith(b"<!doctype html>")
    assert answer.body == PAGE.joinpath("index.html").read_bytes()


@time_limit(10)
async def test_each_file_has_its_content_type_and_etag_and_is_revalidated(served_api: ServedApi) -> None:
    assert len(load_assets()) > 20
    tags = set()
    for name, asset in load_assets().items():
        answer = await served_api.get(f"/page/{name}")
        assert (answer.status, answer.body) == (200, asset.body), name
        assert answer.headers["content-type"] == TYPES[name.rpartition(".")[2]], name
        assert answer.headers["cache-control"] == "no-cache"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert int(answer.headers["content-length"]) == len(asset.body)
        tags.add(answer.headers["etag"])
    assert len(tags) == len(load_assets())


@time_limit(10)
async def test_a_matching_etag_gets_304_without_a_body(served_api: ServedApi) -> None:
    for path in ("/", "/page/main.js", "/page/texts/zh.json"):
        tag = (await served_api.get(path)).headers["etag"]
        revalidated = await served_api.get(path, headers={"if-none-match": tag})
        assert (revalidated.status, revalidated.body) == (304, b"")
        other = await served_api.get(path, headers={"if-none-match": '"another"'})
        assert other.status == 200
        assert other.body


@time_limit(10)
async def test_head_sends_the_headers_of_get(served_api: ServedApi) -> None:
    for path in ("/", "/page/page.css"):
        answer = await served_api.call("HEAD", path)
        get_answer = await served_api.get(path)
        assert (answer.status, answer.body) == (200, b"")
        for name in ("content-type", "content-length", "etag"):
            assert answer.headers[name] == get_answer.headers[name]


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
    for name, asset in load_assets().items():
        urls = set(re.findall(rb"(?:https?:)?//[\w.-]+\.\w+[^\s\"']*", asset.body))
        assert urls <= {b"http://www.w3.org/2000/svg"}, name


def test_the_page_has_no_inline_script_style_or_event_handler() -> None:
    """Check that the content security policy can forbid all of them."""
    index = PAGE.joinpath("index.html").read_text("utf-8")
    assert re.findall(r"<script[^>]*>(.*?)</script>", index, re.DOTALL) == [""]
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", index)


@time_limit(10)
async def test_the_content_security_policy_allows_only_this_origin(served_api: ServedApi) -> None:
    policy = (await served_api.get("/")).headers["content-security-policy"]
    assert "default-src 'none'" in policy or "default-src 'self'" in policy
    assert "unsafe" not in policy
    for directive in ("script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"):
        assert directive in policy
