"""Data that the page loads at its start, so that FIAS and the settings are not repeated in JavaScript."""

from __future__ import annotations

from typing import Any, get_args

from attrs import NOTHING, Attribute, fields

from pmslink import __version__
from pmslink.config.link_definition import API_LINK_DEFAULTS, LinkDefinition
from pmslink.config.profiles import PROFILE_PRESETS
from pmslink.fias.catalog import ANSWER_RECORDS, FIELDS, GUEST_FIELDS, RECORDS
from pmslink.link.machine import Marker
from pmslink.validation.setting_fields import Setting


def bootstrap_data() -> dict[str, Any]:
    """Return record ids, field codes, markers, profiles, and each setting with kind, bounds and default."""
    return {
        "version": __version__,
        "markers": get_args(Marker),
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
