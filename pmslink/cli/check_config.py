"""`pmslink check-config`: check a configuration file and summarize it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import Any

from pmslink.config.link_definition import LinkConfig
from pmslink.config.link_settings import LinkSettings
from pmslink.config.loader import load_config
from pmslink.config.profiles import PROFILE_PRESETS
from pmslink.config.settings_serializer import serialize_settings


def add_command(commands: Any) -> None:
    """Add the command to the subparsers of `pmslink`."""
    command = commands.add_parser("check-config", help="check a configuration file; starts nothing")
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
