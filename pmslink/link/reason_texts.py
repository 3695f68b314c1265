"""What a person is told of a link, in English: label, reason and advice, from its marker and cause.

Each text has a key, under which other languages have theirs; `{name}` stands for one of the cause's
values, or for what the key says of itself.
"""

from __future__ import annotations

from pmslink.link.cause import Cause
from pmslink.link.machine import Marker

ENGLISH_TEXTS: dict[str, str] = {
    "label.DISABLED": "Switched off",
    "label.EXPIRED": "Subscription ended",
    "label.CLOSED": "Link closed",
    "label.WAIT_LS": "Waiting for the PMS",
    "label.ESTABLISHED": "Link established",
    "label.EXPECTION": "Link abnormal",
    "label.WAIT_LE": "Ending the link",
    # by the code of the cause
    "reason.no_answer": "The PMS did not answer the last link check within {seconds} s",
    "reason.refused": "{address} refused the connection: {detail}",
    "reason.unresolved": "The name of {address} is not known to the DNS",
    "reason.dial_timeout": "{address} did not take the connection in time",
    "reason.start_timeout": "{address} took the connection but no link start (LS) came within {seconds} s",
    "reason.never_confirmed": "The PMS never confirmed the link description; see sync_on",
    "reason.displaced": "Three times running the connection was lost within 10 s: "
    "another client may be using this PMS port",
    "reason.lost": "The connection was lost: {detail}",
    "reason.pms_ended": "The PMS ended the link (LE)",
    "reason.overlong": "The PMS sent 1 MiB without one record",
    "reason.store": "What the PMS sends cannot be kept: {detail}",
    "reason.expired": "The PMS service subscription has ended",
    "reason.settings": "The link's settings were changed",
    "reason.started": "The service started",
    # the cause is that the PMS said something, or a user
    "reason.record": "The PMS started the link ({record})",
    "reason.enable": "A user enabled the link",
    "reason.disable": "Switched off by a user",
    "reason.expire": "Marked as expired by a user",
    "reason.disconnect": "Disconnected by a user",
    # by the state
    "advice.DISABLED": "Enable the link when the integration is wanted again.",
    "advice.EXPIRED": "Renew the subscription, move expires_at, and enable the link.",
    "advice.unconfirmed": "Waiting for the PMS to confirm the link description (LA).",
    "advice.at_rest": "Enable the link to connect again.",
    "advice.redialling": "Redialling in {seconds} s.",
    # by the code of the cause, "if this lasts"
    "advice.lasting": "If this lasts, {advice}.",
    "advice.no_answer": "ask the hotel whether the interface program runs, and check the profile",
    "advice.refused": "ask the hotel whether the interface program runs and listens on this port",
    "advice.unresolved": "check the host in the link's settings, and the DNS",
    "advice.dial_timeout": "check host, port, and the firewalls between here and the PMS",
    "advice.start_timeout": "check that this port speaks FIAS, and whether another client holds it",
    "advice.never_confirmed": 'if this PMS never sends LA, set sync_on to "any" or "declared"',
    "advice.displaced": "make sure that no other PBX or program is set up for this PMS port",
    "advice.lost": "check the network and the interface program, and whether another client uses this port",
    "advice.pms_ended": "ask the hotel whether the interface program was stopped",
    "advice.overlong": "check that this port speaks FIAS, and the framing setting",
    "advice.store": "make room on the disk that holds the state directory",
}


def label(marker: Marker) -> str:
    """The state in words."""
    return ENGLISH_TEXTS[f"label.{marker}"]


def reason(marker: Marker, cause: Cause, address: str) -> str:
    """Why the link is in this state, in a sentence."""
    key: str = cause.code
    if marker == "ESTABLISHED" and "record" in cause.params:
        key = "record"
    elif cause.code == "user":
        key = str(cause.params["control"])
    values = {"address": address, "seconds": 0, "detail": "", **cause.params}
    return ENGLISH_TEXTS[f"reason.{key}"].format(
        **{name: _format_value(value) for name, value in values.items()}
    )


def advice(marker: Marker, cause: Cause, is_active: bool, in_sync: bool, redial_in: float | None) -> str:
    """What to do about it; empty when nothing is to be done."""
    if marker in ("DISABLED", "EXPIRED"):
        return ENGLISH_TEXTS[f"advice.{marker}"]
    if marker == "ESTABLISHED":
        return "" if in_sync else ENGLISH_TEXTS["advice.unconfirmed"]
    if not is_active:
        return "" if marker == "WAIT_LE" else ENGLISH_TEXTS["advice.at_rest"]
    sentences = []
    if redial_in is not None:
        sentences.append(ENGLISH_TEXTS["advice.redialling"].format(seconds=round(redial_in)))
    if f"advice.{cause.code}" in ENGLISH_TEXTS:
        sentences.append(ENGLISH_TEXTS["advice.lasting"].format(advice=ENGLISH_TEXTS[f"advice.{cause.code}"]))
    return " ".join(sentences)


def _format_value(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:g}"
