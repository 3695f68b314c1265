"""What the page is told of FIAS and of the settings, so that neither stands a second time in it."""

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
    """Ids of records and codes of fields, the markers, and each setting with its kind, bounds and default."""
    return {
        "version": __version__,
        "markers": get_args(Marker),
        "records": list(RECORDS),
        "fields": list(FIELDS),
        "personal": sorted(GUEST_FIELDS),
        "answers": sorted(ANSWER_RECORDS),
        "settings": [_serialize_setting(one) for one in fields(LinkDefinition)],
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
        "default": default if plain else None,
        # the profile has a default, but whoever makes a link by hand is to think of it
        "required": attribute.default is NOTHING or attribute.name == "profile",
    }
