"""Generate OpenAPI schemas and a Markdown reference from the metadata of the settings.

`python -m pmslink.config.settings_reference FILE` writes the reference.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import NOTHING, Attribute, fields, fields_dict

from pmslink.config.link_definition import API_LINK_DEFAULTS, LinkDefinition
from pmslink.config.link_settings import LinkSettings
from pmslink.config.loader import TOML_KEYS, Config
from pmslink.config.profiles import PROFILE_PRESETS, Profile
from pmslink.validation.setting_fields import REDACTED, Setting, SettingKind

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
"""Kinds whose expectation a schema states completely."""

GROUPS: Mapping[str, tuple[str, ...]] = {
    "PMS": ("host", "port", "profile", "timezone", "charset", "enabled"),
    "Link start": ("listen_time", "start_timeout", "describe", "sync_on", "sync_timeout", "end_timeout"),
    "Link checks": ("alive_interval", "alive_timeout", "alive_on"),
    "Reconnecting": ("retry_initial", "retry_max"),
    "Postings": (
        "answer_timeout",
        "unanswered",
        "send_limit",
        "posting_digits",
        "record_gap",
        "outbox_limit",
    ),
    "Wire format and TLS": ("framing", "tls", "ca_file", "records"),
    "Rooms, phones and tariff": (
        "extensions",
        "extension_prefix",
        "extension_table",
        "status_codes",
        "wake_up_attempts",
        "wake_up_interval",
        "wake_up_late",
        "tariff",
    ),
    "Webhook": ("webhook_url", "webhook_secret"),
    "Subscription": ("expires_at",),
}
"""The settings of a link as the reference groups them."""


def settings_schemas() -> dict[str, Schema]:
    """Return the schemas Profile, Settings, LinkDefinition, NewLink and LinkChanges of the OpenAPI document.

    Settings describes effective values, the other three what a client sends: there null means the default.
    """
    effective = {one.name: _effective_schema(one) for one in fields(LinkSettings)}
    own = [one for one in fields(LinkDefinition) if one.name not in effective]
    sent = {one.name: _sent_schema(one) for one in (*own, *fields(LinkSettings))}
    required = [one.name for one in fields(LinkDefinition) if one.default is NOTHING]
    profile = _setting(fields_dict(LinkDefinition)["profile"])
    return {
        "Profile": {**_schema(profile), "description": _description(profile)},
        "Settings": _object("All effective settings; durations are in seconds.", effective, list(effective)),
        "FlatLink": _object("A link as one flat object; null means the default.", sent, required),
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


def _effective_schema(one: Attribute[Any]) -> Schema:
    setting = _setting(one)
    if setting.secret:
        return {
            "enum": [REDACTED, None],
            "description": f"{_sentence(setting.meaning)} `{REDACTED}` means that it is set.",
        }
    if setting.kind == "moment":
        schema = {"$ref": f"{_SCHEMAS}/PerhapsTime"}
        return {**schema, "description": _sentence(setting.meaning)}
    schema = _schema(setting)
    return {
        **(_nullable(schema) if one.default is None else schema),
        "description": _description(setting),
    }


def _sent_schema(one: Attribute[Any]) -> Schema:
    setting = _setting(one)
    if one.name == "profile":
        return _nullable({"$ref": f"{_SCHEMAS}/Profile"})
    if setting.secret:
        pattern = f"^({re.escape(REDACTED)}|{setting.pattern})$"
        description = f"{_description(setting)} `{REDACTED}` keeps the current value."
        return {"type": ["string", "null"], "pattern": pattern, "description": description}
    if setting.kind != "moment" and one.name in fields_dict(LinkSettings):
        schema = {"$ref": f"{_SCHEMAS}/Settings/properties/{one.name}"}
        return schema if one.default is None else _nullable(schema)
    schema = _schema(setting)
    return {
        **(schema if one.default is NOTHING else _nullable(schema)),
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
    """State what a schema does not: the meaning, the unit, and what is expected of text and tables."""
    unit = f" Unit: {setting.unit}." if setting.unit else ""
    expected = "" if setting.kind in _SELF_EVIDENT else f" It must be {setting.expected}."
    return f"{_sentence(setting.meaning)}{unit}{expected}"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _setting(one: Attribute[Any]) -> Setting:
    found: Setting = one.metadata["setting"]
    return found


def settings_reference() -> str:
    """Return the reference of all settings as a Markdown document: one table per group."""
    return "\n".join(_reference_lines())


def _reference_lines() -> Iterator[str]:
    yield "# Settings reference"
    yield ""
    yield "Generated by `make docs` from the metadata of the settings; a test fails when it is out of date."
    yield "See also [settings](settings.md) for examples and [timings](timings.md) for the reasons."
    yield ""
    yield "## Service"
    yield ""
    yield "Set these in the configuration file, outside the links. `api.listen` is `listen` in `[api]`."
    yield ""
    service = [one for one in fields(Config) if one.name != "links"]
    yield from _table([_row(TOML_KEYS.get(one.name, one.name), one, _default(one)) for one in service])
    yield "## Link"
    yield ""
    yield "Set these for each link. The names are the same in the configuration file (`[links.NAME]`), in the"
    yield "API and in the form of the page. If a default depends on the profile, all are given in this"
    yield f"order: {' / '.join(', '.join(f'`{name}`' for name in alike) for alike in _profiles())}."
    for name, value in API_LINK_DEFAULTS.items():
        yield f"If a link is created over the API, the default of `{name}` is {_value(value)}."
    yield ""
    known = fields_dict(LinkDefinition)
    for group, names in GROUPS.items():
        yield f"### {group}"
        yield ""
        yield from _table([_row(name, known[name], _defaults(known[name])) for name in names])


def _table(rows: list[tuple[str, ...]]) -> Iterator[str]:
    head = ("Setting", "Default", "Unit", "Meaning", "Must be")
    for cells in (head, ("---",) * len(head), *rows):
        yield f"| {' | '.join(cells)} |"
    yield ""


def _row(key: str, one: Attribute[Any], default: str) -> tuple[str, ...]:
    setting = _setting(one)
    return f"`{key}`", default, setting.unit, _escaped(setting.meaning), _escaped(setting.expected)


def _profiles() -> list[list[Profile]]:
    """Return the profiles, those with equal presets together."""
    alike: dict[str, list[Profile]] = {}
    for profile, presets in PROFILE_PRESETS.items():
        alike.setdefault(json.dumps(presets), []).append(profile)
    return list(alike.values())


def _defaults(one: Attribute[Any]) -> str:
    """Return the default of a setting, or one per group of profiles where they differ."""
    default = _default(one)
    each = [
        _value(presets[one.name]) if one.name in (presets := PROFILE_PRESETS[first]) else default
        for first, *_ in _profiles()
    ]
    return default if len(set(each)) == 1 else " / ".join(each)


def _default(one: Attribute[Any]) -> str:
    if one.default is NOTHING:
        return "required"
    if isinstance(one.default, str | int | float | Path):
        return _value(one.default)
    return "not set"


def _value(value: object) -> str:
    return f"`{json.dumps(value, default=str)}`"


def _escaped(text: str) -> str:
    return re.sub(r"([*|\[\]<])", r"\\\1", text)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(settings_reference(), encoding="utf-8")
