"""What the page is told of FIAS and of the settings, so that neither stands a second time in it."""

from __future__ import annotations

from typing import Any, get_args

from attrs import NOTHING, Attribute, fields

from pmslink import __version__
from pmslink.config.link_settings import PROFILES
from pmslink.config.loader import WHEN_DEFINED, FlatLink
from pmslink.fias.catalog import ANSWERS, FIELDS, GUEST_FIELDS, RECORDS
from pmslink.link.machine import Marker
from pmslink.validation.setting_fields import Setting


def known() -> dict[str, Any]:
    """Ids of records and codes of fields, the markers, and each setting with its kind, bounds and default."""
    return {
        "version": __version__,
        "markers": get_args(Marker),
        "records": list(RECORDS),
        "fields": list(FIELDS),
        "personal": sorted(GUEST_FIELDS),
        "answers": sorted(ANSWERS),
        "settings": [_setting(one) for one in fields(FlatLink)],
        "profiles": PROFILES,
    }


def _setting(one: Attribute[Any]) -> dict[str, Any]:
    setting: Setting = one.metadata["setting"]
    default = WHEN_DEFINED.get(one.name, one.default)
    plain = isinstance(default, bool | int | float | str)
    return {
        "name": one.name,
        "kind": setting.kind,
        "unit": setting.unit,
        "choices": setting.choices,
        "bounds": setting.bounds,
        "default": default if plain else None,
        # the profile has a default, but whoever makes a link by hand is to think of it
        "required": one.default is NOTHING or one.name == "profile",
    }
