"""Parse the definition of one link from TOML, from JSON of the API, or from `HOST:PORT[,PROFILE]`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from ipaddress import ip_address

from attrs import field, fields, frozen

from pmslink.config.config_errors import ConfigError, combine_errors, dotted_key
from pmslink.config.cross_checks import cross_check
from pmslink.config.link_settings import LinkSettings
from pmslink.config.profiles import PROFILE_PRESETS, Profile
from pmslink.config.settings_parser import SettingsParser
from pmslink.validation.setting_fields import choice, integer, setting_of, text
from pmslink.validation.validators import is_host, is_parseable

API_LINK_DEFAULTS: Mapping[str, object] = {"enabled": False}
"""Defaults that differ for a link created over the API: it does not dock until a user enables it."""

_LINK_NAME_PATTERN = re.compile("[A-Za-z0-9_-]{1,64}")
_PMS_PATTERN = re.compile(r"(?:\[([^\[\]]+)\]|([^:,\[\]]+)):([0-9]{1,5})(?:,(.+))?")


@frozen
class LinkConfig:
    """Hold the configuration of one link, as `parse_link` returns it.

    `given` has the settings that were given explicitly, without host, port and profile, ready for JSON.
    `settings` has the effective settings: `given` over the presets of the profile over the defaults.
    """

    name: str
    host: str
    port: int
    profile: Profile = "generic"
    given: Mapping[str, object] = field(factory=dict, repr=False)  # it may contain a secret
    settings: LinkSettings = field(factory=LinkSettings)

    @property
    def address(self) -> str:
        """Host and port for a person to read, as in ``[2001:db8::1]:5010``."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def address_key(self) -> tuple[str, int]:
        """What no two links may share: host, without case, and port; with `connect = "accept"`, the port."""
        if self.settings.connect == "accept":
            return "", self.port
        host = self.host.casefold().rstrip(".")
        return str(ip_address(host)) if is_parseable(ip_address, host) else host, self.port


@frozen(kw_only=True)
class LinkDefinition(LinkSettings):
    """Hold all settings that TOML and JSON can have for one link."""

    host: str = field(
        metadata=text(
            'host name or IP address of the PMS; with connect = "accept", the only host that may connect',
            "a host name or an IP address, without the port",
            is_host,
            schema={"minLength": 1},
        )
    )
    port: int = field(
        metadata=integer('TCP port of the PMS; with connect = "accept", the port to listen on', 1, 65535)
    )
    profile: Profile = field(
        default="generic",
        metadata=choice(Profile, "product of the PMS: selects the defaults of the link checks"),
    )


_PARSER = SettingsParser(LinkDefinition)


def parse_link(name: str, raw: Mapping[str, object], key_prefix: str = "") -> LinkConfig:
    """Return the configuration of a link from a flat table; None stands for a setting that is not given.

    `key_prefix` is the dotted key of the link, for errors. Raises ConfigError with all errors.
    """
    errors: list[ConfigError] = []
    if not _LINK_NAME_PATTERN.fullmatch(name):
        expected = 'must be named by 1 to 64 letters, digits, "-" and "_"'
        errors.append(ConfigError(key_prefix or "name", name, expected))
    given = {key: value for key, value in raw.items() if value is not None}
    try:
        definition = _PARSER.parse({**_profile_presets(given), **given}, key_prefix)
        for key, value, expected in cross_check(definition, given):
            errors.append(ConfigError(dotted_key(key_prefix, key), value, expected))
    except ConfigError as error:
        errors.extend(error.errors)
    if errors:
        raise combine_errors(errors)
    return _link_config(name, definition, given)


def _link_config(name: str, definition: LinkDefinition, given: Mapping[str, object]) -> LinkConfig:
    settings = {attribute.name: getattr(definition, attribute.name) for attribute in fields(LinkSettings)}
    return LinkConfig(
        name=name,
        host=definition.host,
        port=definition.port,
        profile=definition.profile,
        given={
            key: value.isoformat() if isinstance(value, datetime) else value
            for key, value in given.items()
            if key not in ("host", "port", "profile")
        },
        settings=LinkSettings(**settings),
    )


def _profile_presets(given: Mapping[str, object]) -> Mapping[str, object]:
    # compared, not looked up: the given profile may be unhashable
    return next((PROFILE_PRESETS[name] for name in PROFILE_PRESETS if name == given.get("profile")), {})


def parse_api_link(name: str, raw: Mapping[str, object]) -> LinkConfig:
    """Return the configuration of a link that is created over the API. Raises ConfigError."""
    given = {key: value for key, value in raw.items() if value is not None}
    return parse_link(name, {**API_LINK_DEFAULTS, **given})


def parse_pms_argument(text: str) -> LinkConfig:
    """Return the link `pms` from `HOST:PORT[,PROFILE]`; an IPv6 address has brackets.

    Raises ConfigError.
    """
    profiles = setting_of(LinkDefinition, "profile").expected.replace('"', "")
    error = ConfigError(
        "--pms",
        text,
        f"must be HOST:PORT or HOST:PORT,PROFILE, such as 10.20.0.5:5010,opera; PROFILE is {profiles}",
    )
    match = _PMS_PATTERN.fullmatch(text)
    if match is None:
        raise error
    ipv6_host, host, port, profile = match.groups()
    try:
        return parse_link("pms", {"host": ipv6_host or host, "port": int(port), "profile": profile})
    except ConfigError:
        raise error from None
