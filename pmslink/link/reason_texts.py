"""The English texts that describe a link to a person: label, reason, advice and hints.

They are for the API, the log and the command line; the page has texts of its own, in the language of its
reader (`core/health.js`). Each text has a key. `{name}` stands for a parameter of the cause; the parameter
`variant` names another key than the code of the cause.
"""

from __future__ import annotations

from collections.abc import Mapping

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
    # by cause code
    "reason.no_answer": "The PMS did not answer the last link check within {seconds} s",
    "reason.refused": "{address} refused the connection: {detail}",
    "reason.unresolved": "The host name of {address} cannot be resolved",
    "reason.unanswered_lookup": "No DNS server has answered for the host name of {address} in time",
    "reason.dial_timeout": "{address} did not accept the connection in time",
    "reason.start_timeout": "{address} accepted the connection "
    "but sent no link start (LS) within {seconds} s",
    "reason.not_called": "No PMS connected to port {port} of this machine within {seconds} s",
    "reason.other_caller": "{caller} connected to port {port}, but is not the host in the settings",
    "reason.never_confirmed": "The PMS did not confirm the link description (LA); see sync_on",
    "reason.never_confirmed_alive": "The PMS is alive, but did not confirm the link description (LA); "
    "see sync_on",
    "reason.mirror": "The other side repeats our own records: an echo server, not a PMS",
    "reason.unreadable_crlf": "No link start (LS) from {address}: {bytes} bytes came, no STX … ETX: {seen}",
    "reason.unreadable_stx_etx": "No link start (LS) from {address}: "
    "{bytes} bytes came with STX … ETX, not as lines: {seen}",
    "reason.unreadable_tls": "No link start (LS) from {address}: {bytes} bytes of TLS came: {seen}",
    "reason.unreadable_http": "No link start (LS) from {address}: {bytes} bytes of HTTP came: {seen}",
    "reason.unreadable_service": "No link start (LS) from {address}: "
    "{bytes} bytes of another service came: {seen}",
    "reason.unreadable_other": "No link start (LS) from {address}: {bytes} bytes came, no record: {seen}",
    "reason.no_tls": "{address} does not speak TLS: {detail}",
    "reason.no_handshake": "{address} accepted the connection but not the TLS handshake within {seconds} s",
    "reason.displaced": "The connection was lost within 10 s three times in a row ({detail}): "
    "another client may be using this PMS port",
    "reason.replaced": "The PMS opened a newer connection, which replaces this one",
    "reason.in_use": "The link {link} has the same host and port",
    "reason.port_taken": "Port {port} of this machine cannot be opened: {detail}",
    "reason.lost": "The connection was lost: {detail}",
    "reason.lost_start": "The connection was lost before the first record: {detail}",
    "reason.lost_description": "The connection was lost after the link description (LD, LR, LA): {detail}",
    "reason.lost_record": "The connection was lost after LR|RI{declared} of the link description: {detail}",
    "reason.pms_ended": "The PMS ended the link (LE)",
    "reason.overlong": "The PMS sent 1 MiB without a complete record",
    "reason.store": "Data from the PMS cannot be stored: {detail}",
    "reason.expired": "The PMS service subscription has ended",
    "reason.not_expired": "The clock was set back to before the end of the PMS service subscription",
    "reason.settings": "The link settings were changed",
    "reason.settings_by": "{by} changed the link settings",
    "reason.started": "The service started",
    # by the record that the PMS sent, or the control that a user requested
    "reason.record": "The PMS started the link ({record})",
    "reason.enable": "A user enabled the link",
    "reason.disable": "Switched off by a user",
    "reason.expire": "Marked as expired by a user",
    "reason.disconnect": "Disconnected by a user",
    "reason.enable_by": "{by} enabled the link",
    "reason.disable_by": "Switched off by {by}",
    "reason.expire_by": "Marked as expired by {by}",
    "reason.disconnect_by": "Disconnected by {by}",
    # by state
    "advice.DISABLED": "Enable the link when the integration is needed again.",
    "advice.EXPIRED": "Renew the subscription, change expires_at, then enable the link.",
    "advice.unconfirmed": "Waiting for the PMS to confirm the link description (LA).",
    "advice.at_rest": "Enable the link to connect again.",
    "advice.redialling": "Redialling in {seconds} s.",
    # what needs attention although the link is in sync, or holds the rows for the PMS
    "remark.wake_ups": "A wake-up failed, or a wake-up request was not understood, within the last 24 hours: "
    "see the events of the rooms.",
    "remark.rows": "Decide about the postings that are in doubt ({unknown}) or refused ({refused}).",
    "remark.held_sync": "Records for the PMS wait until it has sent what it has queued ({waiting}).",
    "remark.held_resync": "The PMS has been sending all rooms and guests since {since}: "
    "records for it wait for the end ({waiting}).",
    "remark.held_night_audit": "Night audit since {since}: postings wait, nothing is lost ({waiting}).",
    "remark.held_unanswered": "The PMS has not answered a posting since {since}: "
    "the next one goes out at {until} ({waiting} wait).",
    "remark.held_local": "Records for the PMS wait until "
    "stays that were entered by hand are confirmed ({waiting}).",
    "remark.outages": "{count} outages in the last hour, last {at}, {seconds} s: {cause}.",
    "remark.not_understood": "Not understood: {records} records, {bytes} bytes; last at {at}: {last}.",
    "remark.resync_unanswered": "The PMS did not answer the resync request (DR) of {at}.",
    # why a link was not in sync for a while, by cause code
    "outage.no_answer": "no answer to the link check",
    "outage.never_confirmed": "the link description was not confirmed",
    "outage.displaced": "another client may be using this PMS port",
    "outage.lost": "the connection was lost",
    "outage.pms_ended": "the PMS ended the link (LE)",
    "outage.overlong": "no complete record in 1 MiB",
    "outage.store": "data from the PMS could not be stored",
    "outage.started": "the PMS started the link again (LS)",
    # by cause code; "lasting" introduces the others
    "advice.lasting": "If this lasts, {advice}.",
    "advice.no_answer": "ask the hotel whether the interface program runs, and check the profile",
    "advice.refused": "ask the hotel whether the interface program runs and listens on this port",
    "advice.unresolved": "check the host setting and the DNS",
    "advice.unanswered_lookup": "check the DNS servers of this machine, and the network between",
    "advice.dial_timeout": "check host, port, and the firewalls between pmslink and the PMS",
    "advice.start_timeout": "check that this is the FIAS port, and that no other client is connected to it",
    "advice.not_called": "check that the PMS connects to this machine, and the firewalls between them",
    "advice.other_caller": "and {caller} is the PMS, set host to {caller}",
    "advice.never_confirmed": 'set sync_on = "any", or "declared" if this PMS sends nothing by itself',
    "advice.never_confirmed_alive": 'set sync_on = "declared", or "any": this PMS never sends LA',
    "advice.mirror": "check host and port: a PMS sends records of its own",
    "advice.unreadable_crlf": 'set framing = "crlf": the PMS sends lines',
    "advice.unreadable_stx_etx": 'set framing = "stx-etx": the PMS does not send lines',
    "advice.unreadable_tls": "set tls = true: this port speaks TLS",
    "advice.unreadable_http": "check host and port: this is a web server",
    "advice.unreadable_service": "check host and port: this is another service",
    "advice.unreadable_other": "check host, port, framing and tls",
    "advice.no_tls": "set tls = false: this port does not use TLS",
    "advice.no_handshake": "check whether this port uses TLS; if it does not, set tls = false",
    "advice.displaced": "make sure that no other PBX or program uses this PMS port",
    "advice.in_use": "remove one of the links, or change its host or port",
    "advice.port_taken": "choose another port, or end the program that listens on this one",
    "advice.lost": "check the network and the interface program, and whether another client uses this port",
    "advice.lost_start": "check that no other client is connected, that this is the FIAS port, "
    "and whether it needs tls = true",
    "advice.lost_description": "leave records out of the description that this PMS does not accept, "
    "with the setting records",
    "advice.lost_record": "leave {declared} out of the description: add {declared} with an empty text "
    "to the setting records",
    "advice.pms_ended": "ask the hotel whether the interface program was stopped",
    "advice.overlong": "check that this is the FIAS port, and check the framing setting",
    "advice.store": "free space on the disk that holds the state directory",
    # by hint code; framing and tls have a text for each value, clock for each direction
    "hint.framing_crlf": "{bytes} bytes came, no STX … ETX: {seen}",
    "hint.framing_stx_etx": "{bytes} bytes came with STX … ETX, not as lines: {seen}",
    "hint.tls_on": "{bytes} bytes of TLS came: {seen}",
    "hint.tls_off": "The PMS does not use TLS on this port",
    "hint.charset": "The PMS sends text in another charset, first seen in {record}",
    "hint.sync_on": "The PMS never confirmed the link description (LA)",
    "hint.clock_ahead": "The clock of the PMS is {time} ahead of the hotel's local time: "
    "wake-ups and charges get wrong times",
    "hint.clock_behind": "The clock of the PMS is {time} behind the hotel's local time: "
    "wake-ups and charges get wrong times",
    "hint.alive_by": "The PMS has never answered a link check (LS)",
    "hint.records": "The PMS closes the connection at LR|RI{declared} of the link description",
    "hint.records_budget": "The PMS has sent more than {megabytes} MiB of records today: "
    "records still take effect, but their text is not stored",
    "hint.records_disk": "The disk is nearly full, and the PMS has sent more than {megabytes} MiB of records "
    "today: records still take effect, but their text is not stored",
    "hint.mirror": "The other side repeats our own records: it is an echo server, not a PMS",
    # what would help, appended to a hint that names a setting
    "suggestion.read": "{setting} = {value} would read it",
    "suggestion.help": "{setting} = {value} would help",
    "suggestion.check": "check {setting}",
    "suggestion.omit": "leaving {declared} out with {setting} would help",
}

_HINT_KEYS: Mapping[str, str] = {
    "framing = crlf": "hint.framing_crlf",
    "framing = stx-etx": "hint.framing_stx_etx",
    "tls = true": "hint.tls_on",
    "tls = false": "hint.tls_off",
}
_SUGGESTION_KEYS: Mapping[str, str] = {
    "framing": "suggestion.read",
    "charset": "suggestion.read",
    "clock": "suggestion.check",
    "records": "suggestion.omit",
    "records_budget": "suggestion.check",
}
_UNITS_S = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))


_DEFAULTS: dict[str, str | float] = {"seconds": 0, "detail": "", "port": 0, "link": ""}


def label(marker: Marker) -> str:
    """Return the name of a state."""
    return ENGLISH_TEXTS[f"label.{marker}"]


def reason(marker: Marker, cause: Cause, address: str) -> str:
    """Return one sentence that says why a link is in this state; `address` is its `host:port`."""
    key = str(cause.params.get("variant", cause.code))
    if marker == "ESTABLISHED" and "record" in cause.params:
        key = "record"
    elif cause.code == "user":
        key = str(cause.params["control"])
    elif cause.code == "expired" and marker != "EXPIRED":
        key = "not_expired"
    if "by" in cause.params:
        key = f"{key}_by"
    values = {**_DEFAULTS, "address": address, **cause.params}
    return ENGLISH_TEXTS[f"reason.{key}"].format(
        **{name: _format_value(value) for name, value in values.items()}
    )


def advice(marker: Marker, cause: Cause, is_active: bool, in_sync: bool, redial_in: float | None) -> str:
    """Return what an operator should do; empty if there is nothing to do.

    `is_active` says whether the link holds or dials its address; `redial_in` is in seconds, None if no
    reconnect is scheduled.
    """
    if marker in ("DISABLED", "EXPIRED"):
        return ENGLISH_TEXTS[f"advice.{marker}"]
    if marker == "ESTABLISHED":
        return "" if in_sync else ENGLISH_TEXTS["advice.unconfirmed"]
    if not is_active:
        return ENGLISH_TEXTS["advice.at_rest"]
    sentences = []
    seconds = 0 if redial_in is None else round(redial_in)
    if seconds > 0:
        sentences.append(ENGLISH_TEXTS["advice.redialling"].format(seconds=seconds))
    if text := _cause_advice(cause):
        sentences.append(ENGLISH_TEXTS["advice.lasting"].format(advice=text))
    return " ".join(sentences)


def hint_text(code: str, params: Mapping[str, object]) -> str:
    """Return what a hint says, in one sentence without a full stop, with the setting that would help.

    `params` are those of the hint; `setting` and `value` are absent if no setting would help.
    """
    value = params.get("value")
    shown = str(value).lower() if isinstance(value, bool) else value
    values: dict[str, object] = {**params, "value": shown}
    kind = f"{code}_{params['variant']}" if "variant" in params else code
    key = _HINT_KEYS.get(f"{code} = {shown}", f"hint.{kind}")
    if code == "clock":
        seconds = float(str(params["seconds"]))
        key = "hint.clock_ahead" if seconds > 0 else "hint.clock_behind"
        values["time"] = format_duration(abs(seconds))
    text = ENGLISH_TEXTS[key].format(**values)
    if "setting" not in params:
        return text
    suggestion = ENGLISH_TEXTS[_SUGGESTION_KEYS.get(kind, "suggestion.help")]
    return f"{text} — {suggestion.format(**values)}"


def format_duration(seconds: float) -> str:
    """Return a duration in its two largest units, such as `2 h 5 min`."""
    remaining = int(seconds + 0.5)
    parts: list[str] = []
    for unit, length in _UNITS_S:
        count, remaining = divmod(remaining, length)
        if count:
            parts.append(f"{count} {unit}")
        elif parts:
            break
    return " ".join(parts[:2]) or "0 s"


def cause_advice(cause: Cause) -> str:
    """Return what to do about a cause, as a sentence; empty if there is nothing to do."""
    text = _cause_advice(cause)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _cause_advice(cause: Cause) -> str:
    key = f"advice.{cause.params.get('variant', cause.code)}"
    return ENGLISH_TEXTS[key].format(**cause.params) if key in ENGLISH_TEXTS else ""


def outage_text(cause_code: str) -> str:
    """Return in a few words why a link was not in sync for a while."""
    return ENGLISH_TEXTS.get(f"outage.{cause_code}", cause_code)


def _format_value(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:g}"
