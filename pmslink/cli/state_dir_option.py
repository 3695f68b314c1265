"""Where a command finds the state directory that it works on."""

from __future__ import annotations

import argparse
from pathlib import Path

from pmslink.config.loader import Config, load_config


def state_dir_options() -> argparse.ArgumentParser:
    """The options that name it, as a parent of the commands that have them."""
    options = argparse.ArgumentParser(add_help=False)
    where = options.add_mutually_exclusive_group()
    usual = Config().state_dir
    where.add_argument("--state-dir", metavar="DIR", help=f"the state directory (default: ./{usual})")
    where.add_argument("--config", metavar="FILE", help="a configuration that names it")
    return options


def state_dir_of(arguments: argparse.Namespace) -> Path:
    """The directory that they name. Raises ConfigError."""
    if arguments.state_dir is not None:
        return Path(arguments.state_dir)
    config = load_config(arguments.config) if arguments.config is not None else Config()
    return config.state_dir
