"""Generate OpenAPI schemas from the metadata of the settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from attrs import NOTHING, Attribute, fields, fields_dict

from pmslink.config.link_definition import LinkDefinition
from pmslink.config.link_settings import LinkSettings
from pmslink.validation.setting_fields import REDACTED, Setting, SettingKind, setting_of_attribute

Schema = dict[str, Any]

_SCHEMAS = "#/components/schemas"
_BY_KIND: Mapping[SettingKind, Schema] = {
    "number": {"type": "number"},
    "whole": {"type": "integer"},
    "yes_or_no": {"type": "boolean"},
    "choice": {},
    "text": {"type": "string"},
    "secret": {"type": "string"},
    "moment": {"type": "string"},
    "records": {"type": "object"},
    "codes": {"type": "object"},
    "tariff": {"$ref": f"{_SCHEMAS}/Tariff"},
}
_SELF_EVIDENT: frozenset[SettingKind] = frozenset({"number", "whole", "yes_or_no", "choice"})
"""Kinds of settings whose schema says everything that `expected` says."""


def settings_schemas() -> dict[str, Schema]:
    """Return the schemas Profile, Settings, LinkDefinition, NewLink and LinkChanges of the OpenAPI document.

    Settings describes effective values, the other three what a client sends: there null means the default.
    """
    effective = {attribute.name: _effective_schema(attribute) for attribute in fields(LinkSettings)}
    own = [attribute for attribute in fields(LinkDefinition) if attribute.name not in effective]
    sent = {attribute.name: _sent_schema(attribute) for attribute in (*own, *fields(LinkSettings))}
    required = [attribute.name for attribute in fields(LinkDefinition) if attribute.default is NOTHING]
    profile = setting_of_attribute(fields_dict(LinkDefinition)["profile"])
    return {
        "Profile": {**_schema(profile), "description": _description(profile)},
        "Settings": _object("All effective settings; durations are in seconds.", effective, list(effective)),
        "LinkDefinition": _object("A link as one flat object; null means the default.", sent, required),
        "NewLink": _object(
            "A link and its name as one flat object; null means the default.",
            {**sent, "name": {"$ref": f"{_SCHEMAS}/Link/properties/name"}},
            ["name", *required],
        ),
        "LinkChanges": _object("Settings to change; null restores the default.", sent),
    }


def _object(description: str, properties: Schema, required: list[str] | None = None) -> Schema:
    schema = {"type": "object", "description": description, "additionalProperties": False}
    return {**schema, **({"required": required} if required else {}), "properties": properties}


def _effective_schema(attribute: Attribute[Any]) -> Schema:
    setting = setting_of_attribute(attribute)
    if setting.secret:
        return {
            "enum": [REDACTED, None],
            "description": f"{_sentence(setting.meaning)} `{REDACTED}` means that it is set.",
        }
    if setting.kind == "moment":
        schema = {"$ref": f"{_SCHEMAS}/OptionalTime"}
        return {**schema, "description": _sentence(setting.meaning)}
    schema = _schema(setting)
    return {
        **(_nullable(schema) if attribute.default is None else schema),
        "description": _description(setting),
    }


def _sent_schema(attribute: Attribute[Any]) -> Schema:
    setting = setting_of_attribute(attribute)
    if attribute.name == "profile":
        return _nullable({"$ref": f"{_SCHEMAS}/Profile"})
    if setting.secret:
        pattern = f"^({re.escape(REDACTED)}|{setting.pattern})$"
        description = f"{_description(setting)} `{REDACTED}` keeps the current value."
        return {"type": ["string", "null"], "pattern": pattern, "description": description}
    if setting.kind != "moment" and attribute.name in fields_dict(LinkSettings):
        schema = {"$ref": f"{_SCHEMAS}/Settings/properties/{attribute.name}"}
        return schema if attribute.default is None else _nullable(schema)
    schema = _schema(setting)
    return {
        **(schema if attribute.default is NOTHING else _nullable(schema)),
        "description": _description(setting),
    }


def _schema(setting: Setting) -> Schema:
    """Return the schema of a value, without null and description."""
    schema: Schema = {**_BY_KIND[setting.kind], **setting.schema}
    if setting.choices:
        schema["enum"] = list(setting.choices)
    if setting.bounds:
        schema["minimum"], schema["maximum"] = setting.bounds
    if setting.pattern:
        schema["pattern"] = f"^{setting.pattern}$"
    return schema


def _nullable(schema: Schema) -> Schema:
    if "type" in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def _description(setting: Setting) -> str:
    """Return what the schema keywords do not say: meaning, unit, and expected form of text and tables."""
    unit = f" Unit: {setting.unit}." if setting.unit else ""
    expected = "" if setting.kind in _SELF_EVIDENT else f" It must be {setting.expected}."
    return f"{_sentence(setting.meaning)}{unit}{expected}"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
