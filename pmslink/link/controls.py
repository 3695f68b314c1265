"""The controls of a link: enable, disable, expire, disconnect and resync, as a user requests them.

A control that does not apply to the link in its present state raises NotApplicableError. `by` is the name of
the user's token; None without one.
"""

from __future__ import annotations

from pmslink.config.link_definition import LinkConfig
from pmslink.errors import NotApplicableError
from pmslink.link.cause import user_cause
from pmslink.link.link import Link
from pmslink.link.machine import applies


def enable(link: Link, by: str | None = None) -> None:
    """Enable a link, or dial at once.

    Raises NotApplicableError if the subscription has ended, or if another link has the same host and port.
    """
    blocked_by = link.connector.blocked_by
    if blocked_by is not None:
        raise address_in_use(link.config, blocked_by)
    link.expiry.require_not_over(link.name)
    link.session.forget_failures()
    link.change_intent("enabled", link.machine.enable, user_cause("enable", by))


def address_in_use(config: LinkConfig, other: str) -> NotApplicableError:
    """Return the error about a link whose host and port another link has."""
    accepts = config.settings.connect == "accept"
    uses = f"accepts connections on port {config.port}" if accepts else f"has {config.address}"
    return NotApplicableError(
        "in_use", f"the link {other} {uses} already; remove it, or change the host or port of one of them"
    )


def disable(link: Link, by: str | None = None) -> None:
    """Disable a link: close its connection and dial no more."""
    link.change_intent("disabled", link.machine.disable, user_cause("disable", by))


def expire(link: Link, by: str | None = None) -> None:
    """Mark the subscription of a link as ended: close its connection and dial no more."""
    link.change_intent("expired", link.machine.expire, user_cause("expire", by))


def disconnect(link: Link, by: str | None = None) -> None:
    """End the connection with LE and do not redial. Raises NotApplicableError if the link is not enabled."""
    if not applies("disconnect", link.core.marker):
        raise NotApplicableError(
            "not_applicable",
            f"{link.name} is {link.core.marker}: there is nothing to disconnect. "
            "Enable it first if it is to be connected.",
        )
    link.change_intent("disconnected", link.machine.disconnect, user_cause("disconnect", by))


def request_resync(link: Link) -> None:
    """Request a resync from the PMS once the link is in sync. Raises NotApplicableError during a resync."""
    if link.resync.running:
        raise NotApplicableError("resync_running", f"a resync of {link.name} is running already")
    link.resync.request()
