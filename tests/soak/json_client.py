"""Calls over HTTP to a process that may be killed in the middle of any of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlencode

from attrs import frozen

CALL_TIMEOUT_S = 20.0
"""Seconds after which a call counts as unanswered; the service answers far sooner or is dead."""


@frozen
class JsonClient:
    """The JSON interface on a port of this machine."""

    port: int

    def call(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any] | None:
        """Status and answer; None if the connection could not be made or broke."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=CALL_TIMEOUT_S)
        try:
            sent = None if body is None else json.dumps(body)
            given = {**({"Content-Type": "application/json"} if sent else {}), **(headers or {})}
            connection.request(method, path, sent, given)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        except (OSError, HTTPException):
            return None
        finally:
            connection.close()

    def get(self, path: str) -> Any:
        """The answer to a GET that must succeed."""
        answer = self.call("GET", path)
        assert answer is not None, f"GET {path}: nobody answers on port {self.port}"
        assert answer[0] == 200, f"GET {path}: {answer}"
        return answer[1]

    def get_all_pages(self, path: str, key: str, **query: str) -> list[Any]:
        """A whole list that is served newest first, page by page; oldest first."""
        found: list[Any] = []
        while True:
            asked = {**query, "limit": "1000", **({"before": found[-1]["id"]} if found else {})}
            page = self.get(f"{path}?{urlencode(asked)}")[key]
            if not page:
                return found[::-1]
            found += page
