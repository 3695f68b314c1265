"""Requests of the command to a running service: tokens, errors, URLs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.fake_service import FakeService, Run


def test_token_is_the_first_line_of_the_file(run: Run, service: FakeService, tmp_path: Path) -> None:
    run("status", "--url", service.url)
    assert service.authorization is None
    (tmp_path / "token").write_text("s3cret \nnot this\n")
    run("status", "--url", service.url + "/", "--token-file", str(tmp_path / "token"))
    assert service.authorization == "Bearer s3cret"
    assert service.requested_paths == ["/api/v1/links"] * 2


@pytest.mark.parametrize("content", [b"", b"\nsecond line", b"\xff\xfe", b"a\tb"])
def test_file_without_a_token_is_rejected(content: bytes, fail: Run, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    assert fail("status", "--token-file", str(file)) == [f"{file} has no token in its first line"]


def test_missing_token_file_is_reported(fail: Run, tmp_path: Path) -> None:
    file = tmp_path / "token"
    assert fail("status", "--token-file", str(file)) == [f"{file} cannot be read: No such file or directory"]


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (
            404,
            b'{"error": {"code": "not_found", "message": "There is no such link"}}',
            ": There is no such link (404 not_found)",
        ),
        (502, b"<h1>Bad gateway</h1>", ": 502 Bad Gateway"),
        (500, b'{"error": "?"}', ": 500 Internal Server Error"),
        (200, b"<h1>Hello</h1>", " sent a response that is not from pmslink"),
        (200, b"[]", " sent a response that is not from pmslink"),
        (200, b'{"records": 5}', " sent a response that is not from pmslink"),
    ],
)
def test_error_response_is_reported_in_one_line(
    status: int, body: bytes, error: str, fail: Run, service: FakeService
) -> None:
    service.error_response = status, body
    assert fail("trace", "grand", "--url", service.url) == [service.url + error]


def test_link_name_is_quoted_in_the_url(fail: Run, service: FakeService) -> None:
    service.error_response = 404, b""
    fail("trace", "../status?x=", "--url", service.url)
    assert service.requested_paths == ["/api/v1/links/..%2Fstatus%3Fx%3D/records?limit=20"]


def test_unreachable_service_is_reported_in_one_line(fail: Run, service: FakeService) -> None:
    service.stop()
    assert fail("status", "--url", service.url) == [
        f"{service.url} cannot be reached: [Errno 111] Connection refused"
    ]


def test_proxy_of_the_environment_is_not_used(
    run: Run, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert run("status", "--url", service.url)
