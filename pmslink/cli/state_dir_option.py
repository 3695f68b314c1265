"""Options that name the state directory of a command."""

from __future__ import annotations

import argparse
from pathlib import Path

from pmslink.config.loader import Config, load_config


def add_state_dir_options(command: argparse.ArgumentParser) -> None:
    """Add the options that name the state directory."""
    group = command.add_mutually_exclusive_group()
    default = Config().state_dir
    group.add_argument("--state-dir", metavar="DIR", help=f"state directory (default: ./{default})")
    group.add_argument("--config", metavar="FILE", help="configuration file that names the state directory")


def state_dir_of(arguments: argparse.Namespace) -> Path:
    """Return the state directory that the options name. Raises ConfigError."""
    if arguments.state_dir is not None:
        return Path(arguments.state_dir)
    config = load_config(arguments.config) if arguments.config is not None else Config()
    return config.state_dir
