"""The description of the interface for programs, from `openapi.yaml` beside this file."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from pmslink import __version__
from pmslink.web.http.json_responses import written


@cache
def openapi() -> dict[str, Any]:
    """The OpenAPI document, of this version."""
    document: dict[str, Any] = yaml.safe_load(files(__package__).joinpath("openapi.yaml").read_bytes())
    document["info"]["version"] = __version__
    return document


@cache
def openapi_json() -> bytes:
    """The same, as JSON."""
    return written(openapi())
