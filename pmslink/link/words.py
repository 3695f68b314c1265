"""What a person is told of a link: label, reason and advice, from its marker and cause."""

from __future__ import annotations

from pmslink.link.cause import Cause, Code
from pmslink.link.machine import Marker

LABELS: dict[Marker, str] = {
    "DISABLED": "Switched off",
    "EXPIRED": "Subscription ended",
    "CLOSED": "Link closed",
    "WAIT_LS": "Waiting for the PMS",
    "ESTABLISHED": "Link established",
    "EXPECTION": "Link abnormal",
    "WAIT_LE": "Ending the link",
}

_REASONS: dict[Code, str] = {
    "no_answer": "The PMS did not answer the last link check within {seconds:g} s",
    "refused": "{address} refused the connection: {detail}",
    "unresolved": "The name of {address} is not known to the DNS",
    "dial_timeout": "{address} did not take the connection in time",
    "start_timeout": "{address} took the connection but no link start (LS) came within {seconds:g} s",
    "never_confirmed": "The PMS never confirmed the link description; see sync_on",
    "displaced": "Three times running the connection was lost within 10 s: "
    "another client may be using this PMS port",
    "lost": "The connection was lost: {detail}",
    "pms_ended": "The PMS ended the link (LE)",
    "overlong": "The PMS sent 1 MiB without one record",
    "store": "What the PMS sends cannot be kept: {detail}",
    "expired": "The PMS service subscription has ended",
    "settings": "The link's settings were changed",
    "started": "The service started",
}

_BY_USER = {
    "enable": "A user enabled the link",
    "disable": "Switched off by a user",
    "expire": "Marked as expired by a user",
    "disconnect": "Disconnected by a user",
}

_ADVICE: dict[Code, str] = {
    "no_answer": "ask the hotel whether the interface program runs, and check the profile",
    "refused": "ask the hotel whether the interface program runs and listens on this port",
    "unresolved": "check the host in the link's settings, and the DNS",
    "dial_timeout": "check host, port, and the firewalls between here and the PMS",
    "start_timeout": "check that this port speaks FIAS, and whether another client holds it",
    "never_confirmed": 'if this PMS never sends LA, set sync_on to "any" or "declared"',
    "displaced": "make sure that no other PBX or program is set up for this PMS port",
    "lost": "check the network and the interface program, and whether another client uses this port",
    "pms_ended": "ask the hotel whether the interface program was stopped",
    "overlong": "check that this port speaks FIAS, and the framing setting",
    "store": "make room on the disk that holds the state directory",
}


def reason(marker: Marker, cause: Cause, address: str) -> str:
    """Why the link is in this state, in a sentence."""
    if marker == "ESTABLISHED" and "record" in cause.params:
        return f"The PMS started the link ({cause.params['record']})"
    if cause.code == "user":
        return _BY_USER[str(cause.params["control"])]
    return _REASONS[cause.code].format(**{"address": address, "seconds": 0, "detail": "", **cause.params})


def advice(marker: Marker, cause: Cause, wanted: bool, in_sync: bool, redial_in: float | None) -> str:
    """What to do about it; empty when nothing is to be done."""
    if marker == "DISABLED":
        return "Enable the link when the integration is wanted again."
    if marker == "EXPIRED":
        return "Renew the subscription, move expires_at, and enable the link."
    if marker == "ESTABLISHED":
        return "" if in_sync else "Waiting for the PMS to confirm the link description (LA)."
    if not wanted:
        return "" if marker == "WAIT_LE" else "Enable the link to connect again."
    redial = "" if redial_in is None else f"Redialling in {redial_in:.0f} s. "
    if cause.code in _ADVICE:
        return f"{redial}If this lasts, {_ADVICE[cause.code]}."
    return redial.strip()
