"""Data of FIAS and the settings, which the page loads so that none of it is repeated in JavaScript."""

from __future__ import annotations

from typing import Any

from attrs import NOTHING, Attribute, fields

from pmslink.config.link_definition import API_LINK_DEFAULTS, LinkDefinition
from pmslink.config.profiles import PROFILE_PRESETS
from pmslink.fias.catalog import ANSWER_RECORDS, FIELDS, GUEST_FIELDS, RECORDS
from pmslink.validation.setting_fields import Setting


def bootstrap_data() -> dict[str, Any]:
    """Return record ids, field codes, profiles, and each setting with kind, bounds and default."""
    return {
        "records": list(RECORDS),
        "fields": list(FIELDS),
        "personal": sorted(GUEST_FIELDS),
        "answers": sorted(ANSWER_RECORDS),
        "settings": [_serialize_setting(attribute) for attribute in fields(LinkDefinition)],
        "profiles": PROFILE_PRESETS,
    }


def _serialize_setting(attribute: Attribute[Any]) -> dict[str, Any]:
    setting: Setting = attribute.metadata["setting"]
    default = API_LINK_DEFAULTS.get(attribute.name, attribute.default)
    plain = isinstance(default, bool | int | float | str)
    return {
        "name": attribute.name,
        "kind": setting.kind,
        "unit": setting.unit,
        "choices": setting.choices,
        "bounds": setting.bounds,
        "pattern": setting.pattern,
        "default": default if plain else None,
        # the profile has a default, but the form requires an explicit choice
        "required": attribute.default is NOTHING or attribute.name == "profile",
    }
