"""Compression of responses."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from twisted.web.test.requesthelper import DummyRequest

from pmslink.web.http.compression import MAX_COMPRESSED_AT_ONCE_BYTES, MIN_COMPRESSED_BYTES
from pmslink.web.http.json_responses import make_response
from tests.time_limit import time_limit
from tests.web.served_api import ServedApi

LONG_TEXT = b"x" * MIN_COMPRESSED_BYTES


def request_accepting(*values: str) -> Any:
    request = DummyRequest([b""])
    for value in values:
        request.requestHeaders.addRawHeader("accept-encoding", value)
    return request


@pytest.mark.parametrize(
    "accepted", ["gzip", "deflate, gzip", "gzip;q=0.5", "GZIP ; q=1", "*", "br;q=1.0, x-gzip;q=0.8"]
)
def test_a_long_body_is_compressed_if_the_client_accepts_it(accepted: str) -> None:
    request = request_accepting(accepted)
    body = make_response(request, LONG_TEXT)
    assert gzip.decompress(body) == LONG_TEXT
    headers = request.responseHeaders
    assert headers.getRawHeaders("content-encoding") == ["gzip"]
    assert headers.getRawHeaders("vary") == ["accept-encoding"]
    assert headers.getRawHeaders("content-length") == [str(len(body))]


@pytest.mark.parametrize("accepted", ["", "identity", "gzip;q=0", "gzip; q=0.000", "br", "gzipped"])
def test_a_body_is_sent_as_it_is_to_other_clients(accepted: str) -> None:
    request = request_accepting(accepted)
    assert make_response(request, LONG_TEXT) == LONG_TEXT
    assert request.responseHeaders.getRawHeaders("content-encoding") is None
    assert request.responseHeaders.getRawHeaders("vary") == ["accept-encoding"]


@pytest.mark.parametrize("size", [0, MIN_COMPRESSED_BYTES - 1, MAX_COMPRESSED_AT_ONCE_BYTES + 1])
def test_a_short_body_and_a_very_long_one_are_not_compressed(size: int) -> None:
    request = request_accepting("gzip")
    assert make_response(request, b"x" * size) == b"x" * size
    assert request.responseHeaders.getRawHeaders("content-encoding") is None


def test_gzip_in_several_headers_is_accepted() -> None:
    request = request_accepting("br", "gzip")
    assert gzip.decompress(make_response(request, LONG_TEXT)) == LONG_TEXT


@time_limit(10)
async def test_lists_and_metrics_are_compressed_but_the_stream_is_not(served_api: ServedApi) -> None:
    served_api.add_link()
    headers = {"accept-encoding": "gzip"}
    plain = await served_api.get("/api/v1/links")
    head = await served_api.call("HEAD", "/api/v1/links", headers)
    assert head.headers["content-encoding"] == "gzip"
    assert head.body == b""
    for path, marker in (
        ("/api/v1/links", b'"links"'),
        ("/metrics", b"pmslink_link_up{"),
        ("/openapi.json", b"3.1"),
    ):
        answer = await served_api.get(path, headers=headers)
        assert answer.headers["content-encoding"] == "gzip"
        assert marker in gzip.decompress(answer.body)
    stream = await served_api.call("HEAD", "/api/v1/stream", headers)
    assert "content-encoding" not in stream.headers
    assert json.loads(plain.body)["links"][0]["name"] == "grand"


@time_limit(10)
async def test_a_session_is_not_compressed(served_api: ServedApi) -> None:
    """Check that the length of a response tells nothing about the CSRF token in it."""
    answer = await served_api.get("/api/v1/session", headers={"accept-encoding": "gzip"})
    assert answer.json()["role"] == "control"
    assert "content-encoding" not in answer.headers
