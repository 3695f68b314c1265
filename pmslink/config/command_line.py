"""Combine the configuration file with what the command line of `twistd pmslink` says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from attrs import evolve, frozen

from pmslink.config.config_errors import ConfigError
from pmslink.config.link_definition import LinkConfig
from pmslink.config.loader import Config, find_address_conflict, load_config
from pmslink.errors import NotApplicableError


@frozen
class CommandLine:
    """The options that concern the configuration; None or no links for those that were not given."""

    file: Path | None = None
    state_dir: Path | None = None
    api_listen: str | None = None
    links: Sequence[LinkConfig] = ()

    def read_config(self) -> Config:
        """Read the file and combine it with the options, which win. Raises ConfigError."""
        config = Config() if self.file is None else load_config(self.file)
        if self.state_dir is not None:
            config = evolve(config, state_dir=self.state_dir)
        if self.api_listen is not None:
            config = evolve(config, api_listen=self.api_listen)
        return evolve(config, links=(*config.links, *self._additional_links(config)))

    def _additional_links(self, config: Config) -> Sequence[LinkConfig]:
        for link in config.links:
            if link.name in [other.name for other in self.links]:
                expected = f"must have another name: the command line defines a link {link.name}"
                raise ConfigError(f"links.{link.name}", link.address, expected, str(self.file))
        by_address = {link.address_key: link for link in config.links}
        for link in self.links:
            for conflict in find_address_conflict(link, by_address):
                raise conflict
        return self.links

    def reread_config(self) -> Config:
        """Read the configuration again, for a reload.

        Raises ConfigError, and NotApplicableError if there is no file.
        """
        if self.file is None:
            raise NotApplicableError(
                "not_applicable", "the service runs without a configuration file, so there is none to reload"
            )
        if self.file.exists() and not self.file.is_file():
            raise ConfigError("", None, "is not a regular file, so it cannot be read again", str(self.file))
        return self.read_config()


NO_OPTIONS = CommandLine()
"""A command line without options: there is no configuration file to read again."""
