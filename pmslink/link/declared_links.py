"""Make the running links those that the configuration file declares, when the file is read again."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import field, frozen
from twisted.logger import Logger

from pmslink.config.link_definition import LinkConfig
from pmslink.errors import NotApplicableError
from pmslink.link.link_registry import LinkRegistry

_log = Logger()


@frozen
class LinkChanges:
    """The names of the links that were added, changed and removed, in the order of the file."""

    added: tuple[str, ...] = field(default=(), converter=tuple[str, ...])
    changed: tuple[str, ...] = field(default=(), converter=tuple[str, ...])
    removed: tuple[str, ...] = field(default=(), converter=tuple[str, ...])


def redeclare_links(registry: LinkRegistry, configs: Sequence[LinkConfig]) -> LinkChanges:
    """Add, change and remove links, so that those of the file are `configs`, as at a restart with them.

    A link of the file takes over the name, and the host and port, of a link that was created over the API.
    A link that is not declared any more stops, and its stored data stay. The other links keep their
    connections; their extension tables are read again. Raises NotApplicableError, and changes nothing, while
    a link with one of the names is being removed over the API.
    """
    _require_free_names(registry, configs)
    running = {config.name: link for config in configs if (link := registry.get(config.name)) is not None}
    declared_names = {config.name for config in configs}
    removed = [link for link in registry if link.declared and link.name not in declared_names]
    added = [config for config in configs if config.name not in running]
    changed: list[str] = []

    for link in removed:
        registry.withdraw(link)
    for config in configs:
        link = running.get(config.name)
        if link is not None and (link.config != config or not link.declared):
            registry.reconfigure(link, config, definition=None)
            changed.append(config.name)
        elif link is not None and config.settings.extensions == "table":
            registry.apply_policy(link)  # the table may have changed
    for config in added:
        registry.take_address(config)
    new_links = [registry.add(config, start=False) for config in added]
    if new_links:
        registry.recount_outboxes()

    def start_links(_: object) -> None:
        registry.unblock_links()
        for link in new_links:
            registry.start_later(link)

    # A PMS may accept only one connection, and a removed link may have that of a new one, or of a blocked
    # one: the link was renamed, or an earlier reload has removed what this one adds.
    registry.when_withdrawn().addCallback(start_links).addErrback(
        lambda failure: _log.failure("Links of the configuration file were not started", failure)
    )
    return LinkChanges([link.name for link in new_links], changed, [link.name for link in removed])


def _require_free_names(registry: LinkRegistry, configs: Sequence[LinkConfig]) -> None:
    for config in configs:
        if registry.is_removing(config.name):
            raise NotApplicableError(
                "name_taken", f"the link {config.name} is being removed over the API; reload again"
            )
