"""The settings of a link in the body of a request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pmslink.config.config_errors import ConfigError
from pmslink.config.link_definition import LinkConfig
from pmslink.config.settings_serializer import SECRET_SETTINGS
from pmslink.validation.setting_fields import REDACTED
from pmslink.web.http.api_errors import ApiError

LinkParser = Callable[[str, Mapping[str, object]], LinkConfig]
"""Parses the settings of the link of this name. Raises ConfigError."""


def drop_nulls(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings without nulls; null means the default."""
    return {name: value for name, value in settings.items() if value is not None}


def restore_secrets(settings: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings with each redacted secret replaced by the stored one, if there is one."""
    return {
        name: stored[name] if value == REDACTED and name in SECRET_SETTINGS & stored.keys() else value
        for name, value in settings.items()
    }


def parse_settings(parse: LinkParser, name: str, settings: Mapping[str, object]) -> LinkConfig:
    """Return the configuration of a link. Raises ApiError 400, with the first setting that is wrong."""
    try:
        return parse(name, settings)
    except ConfigError as problem:
        message = "; ".join(str(problem).splitlines())
        raise ApiError(400, "invalid", message, problem.key) from None
    except RecursionError:
        raise ApiError(400, "invalid", "the body is nested too deeply") from None
