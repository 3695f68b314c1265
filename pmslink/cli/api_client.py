"""Send requests to the API of a running service."""

from __future__ import annotations

import argparse
import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from pmslink.errors import PmslinkError

RESPONSE_TIMEOUT_S = 10
"""Time limit for each step of a request: to connect, and to read more of the response."""

_DEFAULT_URL = "http://127.0.0.1:8080"


class ServiceError(PmslinkError):
    """Report that the service cannot be reached, or that it rejected a request."""


def add_service_options(command: argparse.ArgumentParser) -> None:
    """Add the options that name the service."""
    command.add_argument(
        "--url", type=_parse_url, default=_DEFAULT_URL, help=f"URL of the service (default: {_DEFAULT_URL})"
    )
    command.add_argument("--token-file", metavar="FILE", help="file with a token in its first line")


def _parse_url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError(f"{text!r} must begin with http:// or https://")
    return text.rstrip("/")


def client_of(arguments: argparse.Namespace) -> ServiceClient:
    """Return a client for the service that the options name. Raises ServiceError."""
    return ServiceClient(arguments.url, arguments.token_file and _read_token(arguments.token_file))


def _read_token(file: str) -> str:
    try:
        token = Path(file).read_text(encoding="ascii").partition("\n")[0].strip()
    except OSError as error:
        raise ServiceError(f"{file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        token = ""
    if not token.isprintable() or not token:
        raise ServiceError(f"{file} has no token in its first line")
    return token


@frozen
class ServiceClient:
    """Read lists from the API of a running pmslink."""

    url: str
    token: str | None = None

    def get(self, path: str, key: str, **query: object) -> list[dict[str, Any]]:
        """Return the list under a key of the response to GET /api/v1/`path`. Raises ServiceError."""
        return self._get(path, key, query)[0]

    def get_pages(self, path: str, key: str) -> list[dict[str, Any]]:
        """Return the list of all pages of GET /api/v1/`path`. Raises ServiceError."""
        entries, after = self._get(path, key, {})
        while after is not None:
            page, after = self._get(path, key, {"after": after})
            entries += page
        return entries

    def _get(
        self, path: str, key: str, query: Mapping[str, object]
    ) -> tuple[list[dict[str, Any]], str | None]:
        """Return the list of a response, and where the next page begins, if there is one."""
        url = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(query)}".rstrip("?")
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        # without a proxy from the environment: the service is usually on this machine
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            request = urllib.request.Request(url, headers=headers)  # noqa: S310  (http or https: see _parse_url)
            with opener.open(request, timeout=RESPONSE_TIMEOUT_S) as response:
                answer = json.load(response)
                return list(answer[key]), answer.get("next")  # an earlier release has no pages of links
        except urllib.error.HTTPError as error:
            with error:
                raise ServiceError(f"{self.url}: {_error_message(error)}") from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise ServiceError(f"{self.url} cannot be reached: {reason}") from None
        except (ValueError, LookupError, TypeError):
            raise ServiceError(f"{self.url} sent a response that is not from pmslink") from None


def _error_message(response: urllib.error.HTTPError) -> str:
    try:
        error = json.load(response)["error"]
        hint = "; name a token file with --token-file" if response.code == 401 else ""
        return f"{error['message']}{hint} ({response.code} {error['code']})"
    except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError):
        return f"{response.code} {response.reason}"
