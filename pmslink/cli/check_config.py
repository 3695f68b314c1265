"""`pmslink check-config`: check a configuration file and summarize it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator

from pmslink.config.link_definition import LinkConfig
from pmslink.config.link_settings import LinkSettings
from pmslink.config.loader import load_config
from pmslink.config.profiles import PROFILE_PRESETS
from pmslink.config.settings_serializer import serialize_settings


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to its parser."""
    command.add_argument("file", metavar="FILE")
    command.set_defaults(run=check_config)


def check_config(arguments: argparse.Namespace) -> Iterator[str]:
    """Yield a summary of the file. Raises ConfigError."""
    config = load_config(arguments.file)
    yield f"state_dir: {config.state_dir}"
    yield f"api.listen: {config.api_listen}"
    yield f"retention: guest data {config.guest_days} days, history {config.history_days} days"
    for link in config.links:
        yield f"links.{link.name}: {_format_link(link)}"
    if not config.links:
        yield "no links"


def _format_link(link: LinkConfig) -> str:
    """Return address, profile, and the settings that differ from the profile's."""
    defaults = serialize_settings(LinkSettings(**PROFILE_PRESETS[link.profile]))
    differing = [
        f"{name} = {json.dumps(value, ensure_ascii=False)}"
        for name, value in serialize_settings(link.settings).items()
        if value != defaults[name]
    ]
    return ", ".join([link.address, link.profile, *differing])
