"""The OpenAPI document: `openapi.yaml` in this folder, and the schemas of the settings."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from pmslink import __version__
from pmslink.config.settings_json_schema import settings_schemas
from pmslink.web.http.json_responses import serialize_json


@cache
def load_openapi() -> dict[str, Any]:
    """Return the OpenAPI document of this version."""
    document: dict[str, Any] = yaml.safe_load(files(__package__).joinpath("openapi.yaml").read_bytes())
    document["info"]["version"] = __version__
    document["components"]["schemas"].update(settings_schemas())
    return document


@cache
def serialize_openapi() -> bytes:
    """Return the OpenAPI document as JSON."""
    return serialize_json(load_openapi())
