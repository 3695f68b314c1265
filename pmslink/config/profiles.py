"""Profiles: presets of the link checks for the PMS of one maker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Profile = Literal["generic", "opera", "suite8", "protel"]

PROFILE_PRESETS: Mapping[Profile, Mapping[str, Any]] = {
    "generic": {},
    "opera": {"alive_interval": 300, "alive_timeout": 30, "alive_on": "any"},
    "suite8": {"alive_interval": 300, "alive_timeout": 30, "alive_on": "any"},
    "protel": {"alive_interval": 60, "alive_timeout": 10, "alive_on": "any"},
}
"""Settings that differ from the defaults, as published by the maker or measured on the product."""
