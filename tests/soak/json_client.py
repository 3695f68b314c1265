"""HTTP calls to a process that may be killed at any time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlencode

from attrs import frozen

CALL_TIMEOUT_S = 20.0
"""Seconds after which a call counts as unanswered; a live service responds much earlier."""


@frozen
class JsonClient:
    """A client of the JSON API on a port of this machine."""

    port: int

    def call(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any] | None:
        """Return the status code and the JSON of the response; None if the connection failed."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=CALL_TIMEOUT_S)
        try:
            payload = None if body is None else json.dumps(body)
            all_headers = {**({"Content-Type": "application/json"} if payload else {}), **(headers or {})}
            connection.request(method, path, payload, all_headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read() or b"null")
        except (OSError, HTTPException):
            return None
        finally:
            connection.close()

    def get(self, path: str) -> Any:
        """Return the JSON of a GET that must succeed."""
        response = self.call("GET", path)
        assert response is not None, f"GET {path}: no response on port {self.port}"
        assert response[0] == 200, f"GET {path}: {response}"
        return response[1]

    def get_all_pages(self, path: str, key: str, **query: str) -> list[Any]:
        """Return all pages of a list that is served newest first, as one list, oldest first."""
        items: list[Any] = []
        while True:
            page_query = {**query, "limit": "1000", **({"before": items[-1]["id"]} if items else {})}
            page = self.get(f"{path}?{urlencode(page_query)}")[key]
            if not page:
                return items[::-1]
            items += page
