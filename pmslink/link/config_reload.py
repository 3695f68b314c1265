"""Reload the configuration of a running service: all of it, or, if it is not valid, nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from attrs import frozen
from twisted.logger import Logger

from pmslink.config.loader import TOML_KEYS, Config
from pmslink.errors import NotApplicableError, PmslinkError
from pmslink.link.declared_links import LinkChanges, redeclare_links
from pmslink.link.link_registry import LinkRegistry
from pmslink.store.operations.retention import Retention
from pmslink.store.store_service import Store

RESTART_SETTINGS = ("api_listen", "state_dir")
"""Settings that take effect at a restart only."""


ReadCertificate = Callable[[], Callable[[], None]]
"""Reads the certificate of the API again, and returns the function that applies it. Raises PmslinkError."""


@frozen
class ConfigChanges:
    """What a reload has changed, and the dotted keys of the changed settings that need a restart."""

    links: LinkChanges
    needs_restart: Sequence[str]


class ConfigReload:
    """Reload the configuration, on SIGHUP and for the API."""

    log = Logger()

    def __init__(
        self,
        read_config: Callable[[], Config],
        config: Config,
        links: LinkRegistry,
        store: Store,
        read_certificate: ReadCertificate | None = None,
    ) -> None:
        """`config` is what the service started with; `read_config` reads it again, or raises PmslinkError.

        `read_certificate` is None if the API has no certificate.
        """
        self._read_config = read_config
        self._started_with = config
        self._links = links
        self._store = store
        self._read_certificate = read_certificate
        self.on_reloaded: list[Callable[[ConfigChanges], None]] = []
        """Called after each reload that succeeded."""

    def reload(self) -> ConfigChanges:
        """Read the configuration again and apply it. The log says what changes.

        Raises ConfigError if it is not valid, and NotApplicableError if there is no file or if a link of it
        is being removed. Nothing has changed then.
        """
        config = self._read_config()
        apply_certificate = None if self._read_certificate is None else self._read_certificate()
        changes = ConfigChanges(
            redeclare_links(self._links, config.links),
            [
                TOML_KEYS.get(name, name)
                for name in RESTART_SETTINGS
                if getattr(config, name) != getattr(self._started_with, name)
            ],
        )
        self._store.retention = retention_of(config)
        if apply_certificate is not None:
            apply_certificate()
        self._log_changes(changes)
        for callback in self.on_reloaded:
            callback(changes)
        return changes

    def reload_on_hangup(self) -> None:
        """Reload the configuration because SIGHUP came. The log says why it cannot be reloaded."""
        try:
            self.reload()
        except NotApplicableError as problem:
            self.log.warn("SIGHUP: nothing is reloaded: {problem}", problem=str(problem))
        except PmslinkError as problem:
            for line in str(problem).splitlines():
                self.log.error("SIGHUP: nothing is reloaded: {problem}", problem=line)
        except Exception:
            self.log.failure("SIGHUP: the configuration was not reloaded")

    def _log_changes(self, changes: ConfigChanges) -> None:
        links = changes.links
        self.log.info(
            "The configuration is reloaded: links added: {added}; changed: {changed}; removed: {removed}",
            added=", ".join(links.added) or "none",
            changed=", ".join(links.changed) or "none",
            removed=", ".join(links.removed) or "none",
        )
        for key in changes.needs_restart:
            self.log.warn("{key} has changed; the new value needs a restart of the service", key=key)


def retention_of(config: Config) -> Retention:
    """Return the retention times of a configuration."""
    return Retention(timedelta(days=config.guest_days), timedelta(days=config.history_days))
