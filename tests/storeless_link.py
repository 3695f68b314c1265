"""A link without a store and without an initial resync, for tests of the link alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from pmslink.config.link_definition import LinkConfig
from pmslink.link.dialer import StartLinkDial
from pmslink.link.link import Link, LinkSubscriber
from pmslink.link.resync import Progress
from pmslink.link.tcp_accepting import AcceptingNetwork
from pmslink.store.core.journal_interface import NullJournal


def link_without_store(
    config: LinkConfig,
    clock: Any,
    wall: Callable[[], datetime],
    dial: StartLinkDial,
    on_change: LinkSubscriber,
    accepting: AcceptingNetwork | None = None,
) -> Link:
    """Make a link that stores nothing, has an empty outbox and requests no resync."""
    link = Link(config, clock, wall, dial, on_change, NullJournal(), accepting=accepting)
    link.resync.progress = Progress(wanted=False)
    return link
