"""OpenAPI schemas and the settings reference, generated from the metadata of the settings."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from attrs import fields
from jsonschema import Draft202012Validator

from pmslink.config.link_definition import LinkDefinition, parse_link
from pmslink.config.link_settings import LinkSettings
from pmslink.config.profiles import PROFILE_PRESETS
from pmslink.config.settings_json_schema import settings_schemas
from pmslink.config.settings_reference import GROUPS, settings_reference
from pmslink.config.settings_serializer import serialize_settings
from pmslink.validation.setting_fields import REDACTED, setting_of
from pmslink.web.api.openapi import load_openapi

ROOT = Path(__file__).parents[2]
SETTINGS = settings_schemas()["Settings"]["properties"]
REQUEST = settings_schemas()["LinkDefinition"]["properties"]
LINK = {"host": "10.20.0.5", "port": 5010}
GIVEN = {
    "expires_at": "2027-01-01T00:00:00+01:00",
    "records": {"GI": "RNG#GSGN"},
    "extensions": "prefix",
    "extension_prefix": "*7A#",
    "status_codes": {"*61": 1, "0": 99},
    "tariff": {"rates": [{"prefix": "0043", "interval": 60, "price": 15}]},
    "timezone": "Europe/Vienna",
    "webhook_url": "https://pbx.example/events",
    "webhook_secret": "correct horse battery staple",
}


def is_valid(schema: str, value: object) -> bool:
    document = {"$ref": f"#/components/schemas/{schema}", "components": load_openapi()["components"]}
    return Draft202012Validator(document).is_valid(value)


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("alive_interval", {"type": "number", "minimum": 0.1, "maximum": 86400}),
        ("record_gap", {"type": "number", "minimum": 0, "maximum": 60}),
        ("outbox_limit", {"type": "integer", "minimum": 1, "maximum": 10_000_000}),
        ("describe", {"type": "boolean"}),
        ("sync_on", {"enum": ["LA", "any", "declared"]}),
        ("charset", {"type": "string"}),
        ("ca_file", {"type": ["string", "null"]}),
        ("expires_at", {"$ref": "#/components/schemas/OptionalTime"}),
        ("records", {"type": "object", "additionalProperties": {"type": "string"}}),
        ("extension_prefix", {"type": ["string", "null"], "pattern": "^[0-9A-Za-z*#]{1,16}$"}),
        (
            "status_codes",
            {
                "type": "object",
                "maxProperties": 100,
                "propertyNames": {"pattern": "^[0-9*#]{1,8}$"},
                "additionalProperties": {"type": "integer", "minimum": 1, "maximum": 99},
                "examples": [{"*61": 1}],
            },
        ),
        ("tariff", {"anyOf": [{"$ref": "#/components/schemas/Tariff"}, {"type": "null"}]}),
        ("webhook_url", {"type": ["string", "null"], "maxLength": 2000}),
        ("webhook_secret", {"enum": ["***", None]}),
    ],
)
def test_each_kind_of_setting_has_its_schema(name: str, schema: dict[str, Any]) -> None:
    generated = dict(SETTINGS[name])
    assert setting_of(LinkDefinition, name).meaning[1:] in generated.pop("description")
    assert generated == schema


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("host", {"type": "string", "minLength": 1}),
        ("port", {"type": "integer", "minimum": 1, "maximum": 65535}),
        ("profile", {"anyOf": [{"$ref": "#/components/schemas/Profile"}, {"type": "null"}]}),
        (
            "tls",
            {"anyOf": [{"$ref": "#/components/schemas/Settings/properties/tls"}, {"type": "null"}]},
        ),
        ("ca_file", {"$ref": "#/components/schemas/Settings/properties/ca_file"}),
        ("expires_at", {"type": ["string", "null"], "examples": ["2027-01-01T00:00:00+01:00"]}),
        ("webhook_secret", {"type": ["string", "null"], "pattern": r"^(\*\*\*|[ -~]{16,200})$"}),
    ],
)
def test_request_schema_allows_null_unless_the_setting_is_required(name: str, schema: dict[str, Any]) -> None:
    generated = {key: value for key, value in REQUEST[name].items() if key != "description"}
    assert generated == schema


def test_each_setting_has_a_description() -> None:
    for name, schema in SETTINGS.items():
        assert re.fullmatch(r"[A-Z].+\.", schema["description"]), name


@pytest.mark.parametrize("given", [{}, *({"profile": profile} for profile in PROFILE_PRESETS), GIVEN])
def test_schemas_accept_valid_requests_and_serialized_settings(given: dict[str, Any]) -> None:
    assert is_valid("LinkDefinition", LINK | given)
    assert is_valid("NewLink", {"name": "grand", **LINK, **given})
    assert is_valid("LinkChanges", given)
    serialized = serialize_settings(parse_link("grand", LINK | given).settings)
    assert is_valid("Settings", json.loads(json.dumps(serialized)))


def test_schema_allows_null_for_each_setting_and_the_redacted_secret() -> None:
    assert is_valid(
        "LinkChanges", {attribute.name: None for attribute in fields(LinkSettings)} | {"profile": None}
    )
    assert is_valid("LinkChanges", {"webhook_secret": REDACTED})


@pytest.mark.parametrize(
    "invalid",
    [
        {"host": None},
        {"port": 0},
        {"profile": "fidelio"},
        {"alive_interval": 0},
        {"send_limit": 1.5},
        {"describe": "yes"},
        {"unanswered": "drop"},
        {"extension_prefix": "7-"},
        {"status_codes": {"+61": 1}},
        {"status_codes": {"*61": 100}},
        {"tariff": {"rates": []}},
        {"webhook_secret": "short"},
        {"alive_intervall": 3},
    ],
)
def test_schemas_reject_invalid_values(invalid: dict[str, Any]) -> None:
    assert not is_valid("LinkChanges", invalid)
    assert not is_valid("LinkDefinition", LINK | invalid)


def test_each_setting_is_in_one_group() -> None:
    grouped = [name for names in GROUPS.values() for name in names]
    assert sorted(grouped) == sorted(attribute.name for attribute in fields(LinkDefinition))


def test_reference_document_is_current() -> None:
    assert (ROOT / "docs/settings-reference.md").read_text("utf-8") == settings_reference(), "run make docs"


def test_the_reference_gives_a_default_for_each_profile_where_they_differ() -> None:
    lines = settings_reference().splitlines()
    assert "order: `generic` / `opera`, `suite8` / `protel`." in lines
    assert [line for line in lines if line.startswith("| `alive_interval` | `30` / `300` / `60` | s | ")]
    assert [line for line in lines if line.startswith("| `retry_max` | `30` | s | ")]
    assert [line for line in lines if line.startswith("| `host` | required | ")]
    assert [line for line in lines if line.startswith("| `retention.guest_days` | `30` | days | ")]
