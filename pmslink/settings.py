"""What can be set for a link: each setting with its meaning, its unit, what may stand in it, its default.

All of that stands once, in the attrs metadata of the fields: errors, documents and forms are made from it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

from attrs import asdict, field, fields, frozen

from pmslink.fias.catalog import FIELDS, LINK_RECORDS, RECORDS
from pmslink.fias.framing import Framing
from pmslink.fias.values import usable_charset

Profile = Literal["generic", "opera", "suite8", "protel"]
AliveOn = Literal["LA", "any"]
SyncOn = Literal["LA", "any", "declared"]
Unanswered = Literal["resend", "hold"]
Kind = Literal["number", "whole", "yes_or_no", "choice", "text", "moment", "records"]


@frozen
class Setting:
    """What one setting means, and what may stand in it.

    ``right`` completes the sentence "must be …". ``read`` makes the value of what a person wrote, and
    raises ValueError (WrongPartError, if it can tell the place) for anything that is not right.
    ``kind`` says what a form asks for it with, ``choices`` and ``bounds`` what may be chosen there.
    """

    meaning: str
    right: str
    read: Callable[[Any], object]
    unit: str = ""
    kind: Kind = "text"
    choices: tuple[str, ...] = ()
    bounds: tuple[float, float] | None = None


class WrongPartError(ValueError):
    """Only one part of a value is wrong: what stands under ``key``."""

    def __init__(self, key: str, value: object) -> None:
        super().__init__(key, value)
        self.key = key
        self.value = value


def setting(cls: type, name: str) -> Setting:
    """The metadata of a field of one of the classes that hold settings."""
    found: Setting = getattr(fields(cls), name).metadata["setting"]
    return found


# What follows makes the metadata of a field: one function per kind of value.


def about(meaning: str, right: str, read: Callable[[Any], object], **more: Any) -> Mapping[str, Setting]:
    return {"setting": Setting(meaning, right, read, **more)}


def seconds(meaning: str, least: float = 0.1, most: float = 86400) -> Mapping[str, Setting]:
    def read(raw: object) -> object:
        # not isinstance(…, float): whole numbers are as good, but a bool is an int to Python
        return _required(type(raw) in (int, float) and least <= raw <= most, raw)  # type: ignore[operator]

    right = f"a number of seconds from {least} to {most}"
    return about(meaning, right, read, unit="s", kind="number", bounds=(least, most))


def whole(meaning: str, least: int, most: int, unit: str = "") -> Mapping[str, Setting]:
    def read(raw: object) -> object:
        return _required(type(raw) is int and least <= raw <= most, raw)

    right = f"a whole number from {least} to {most}"
    return about(meaning, right, read, unit=unit, kind="whole", bounds=(least, most))


def yes_or_no(meaning: str) -> Mapping[str, Setting]:
    return about(
        meaning, "true or false", lambda raw: _required(isinstance(raw, bool), raw), kind="yes_or_no"
    )


def one_of(choices: object, meaning: str) -> Mapping[str, Setting]:
    words = get_args(choices)
    right = " or ".join(f'"{word}"' for word in words)
    return about(
        meaning,
        right,
        lambda raw: _required(isinstance(raw, str) and raw in words, raw),
        kind="choice",
        choices=words,
    )


def text(meaning: str, right: str, is_right: Callable[[str], object]) -> Mapping[str, Setting]:
    return about(meaning, right, lambda raw: _required(isinstance(raw, str) and is_right(raw), raw))


def _required(right: object, raw: object) -> object:
    if not right:
        raise ValueError
    return raw


def is_host(name: str) -> bool:
    """Whether this can be a host's name or an IP address; an address of IPv6 stands without brackets."""
    if ":" in name:
        return _reads(ipaddress.IPv6Address, name)
    if not (0 < len(name) <= 253 and name.isprintable()) or set(name) & set(" ,/[]"):
        return False
    return _reads(lambda host: host.encode("idna"), name)  # what the DNS can be asked for


def is_path(name: str) -> bool:
    """Whether this can be the path of a file or directory."""
    return bool(name) and "\0" not in name


def _is_timezone(name: str) -> bool:
    return _reads(ZoneInfo, name)


def _reads(read: Callable[[str], object], raw: str) -> bool:
    try:
        read(raw)
    except (ValueError, KeyError, OSError):
        return False
    return True


def _read_moment(raw: object) -> datetime:
    moment = datetime.fromisoformat(raw) if isinstance(raw, str) else raw
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise ValueError
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError from None


def _read_records(raw: object) -> dict[str, str]:
    if not isinstance(raw, dict):
        raise ValueError
    for id, codes in raw.items():
        if id not in _DECLARABLE or not isinstance(codes, str) or not _is_field_list(codes):
            raise WrongPartError(id, codes)
    return dict(raw)


_DECLARABLE = RECORDS.keys() - LINK_RECORDS - {"LR", "LC", "DR", "DS", "DE"}
"""Records that are used only where an LR declares them."""


def _is_field_list(glued: str) -> bool:
    pairs = [glued[at : at + 2] for at in range(0, len(glued), 2)]
    return 0 < len(glued) <= FIELDS["FL"].length and all(pair in FIELDS for pair in pairs)


@frozen(kw_only=True)
class LinkSettings:
    """The effective settings of one link: what was given, over its profile, over the defaults here.

    Durations are seconds; ``expires_at`` is aware and in UTC.
    """

    alive_interval: float = field(default=30, metadata=seconds("time between link checks (LS)"))
    alive_timeout: float = field(
        default=3, metadata=seconds("how long the answer (LA) may take; then the link is abnormal")
    )
    alive_on: AliveOn = field(
        default="LA",
        metadata=one_of(AliveOn, "what proves the link alive: LA, LS and LD, or any known record"),
    )
    listen_time: float = field(
        default=3, metadata=seconds("wait so long for the PMS's LS after connecting, then send LS once")
    )
    start_timeout: float = field(
        default=30, metadata=seconds("from the beginning of the dial to the link start, LS included")
    )
    sync_timeout: float = field(
        default=30, metadata=seconds("from the link description to the LA that confirms it")
    )
    end_timeout: float = field(default=2, metadata=seconds("how long to wait for the PMS's LE"))
    answer_timeout: float = field(default=30, metadata=seconds("how long a posting waits for PA"))
    retry_initial: float = field(default=1, metadata=seconds("first delay before redialling"))
    retry_max: float = field(default=30, metadata=seconds("longest delay before redialling"))
    describe: bool = field(default=True, metadata=yes_or_no("answer LS with LD, LR…, LA"))
    sync_on: SyncOn = field(
        default="LA",
        metadata=one_of(
            SyncOn, "what opens the outbox after describing: LA, any known record, or nothing more"
        ),
    )
    unanswered: Unanswered = field(
        default="resend",
        metadata=one_of(Unanswered, "what becomes of a posting whose PA never came"),
    )
    send_limit: int = field(
        default=3, metadata=whole("how often an unanswered posting is sent in all", 1, 100)
    )
    charset: str = field(
        default="cp1252",
        metadata=text(
            "how the PMS writes what is not ASCII",
            'a character set of Python that holds ASCII unchanged, such as "cp1252", "utf-8" or "gbk"',
            usable_charset,
        ),
    )
    framing: Framing = field(
        default="stx-etx",
        metadata=one_of(Framing, "how records are told apart: between STX and ETX, or a line each"),
    )
    record_gap: float = field(
        default=0,
        metadata=seconds("pause between records, for a PMS that reads one record per segment", 0, 60),
    )
    posting_digits: int = field(
        default=8, metadata=whole("width of the posting number P#; 4 for old systems", 1, 8, "digits")
    )
    outbox_limit: int = field(
        default=100_000,
        metadata=whole("how much may wait for the PMS; over it new work is refused", 1, 10_000_000, "rows"),
    )
    tls: bool = field(default=False, metadata=yes_or_no("TLS to the PMS, its certificate verified"))
    ca_file: str | None = field(
        default=None,
        metadata=text(
            "certificates that vouch for the PMS's; without it, the system's",
            "the path of a readable file of PEM certificates",
            is_path,
        ),
    )
    timezone: str | None = field(
        default=None,
        metadata=text(
            "where the hotel is: DA and TI are its local time; without it, the system's",
            'a time zone of the IANA list, such as "Europe/Vienna"',
            _is_timezone,
        ),
    )
    expires_at: datetime | None = field(
        default=None,
        metadata=about(
            "when the PMS service subscription ends",
            'a date and time with its offset, such as "2027-01-01T00:00:00+01:00"',
            _read_moment,
            kind="moment",
        ),
    )
    enabled: bool = field(
        default=True,
        metadata=yes_or_no("whether to dock at first sight of the link; later the user's word counts"),
    )
    records: Mapping[str, str] = field(
        factory=dict,
        metadata=about(
            "overrides of the link description: per record id, the fields to declare",
            'known field codes glued together under the id of a record, such as GI = "RNG#GSGN"',
            _read_records,
            kind="records",
        ),
    )


PROFILES: Mapping[Profile, Mapping[str, Any]] = {
    "generic": {},
    "opera": {"alive_interval": 300, "alive_timeout": 30, "alive_on": "any"},
    "suite8": {"alive_interval": 300, "alive_timeout": 30, "alive_on": "any"},
    "protel": {"alive_interval": 60, "alive_timeout": 10, "alive_on": "any"},
}
"""What differs from the defaults for the PMS of one maker: what it publishes, or was measured on it."""


def describe_settings(settings: LinkSettings) -> dict[str, object]:
    """All effective settings, ready for JSON: durations in seconds, times ISO 8601 in UTC."""
    described = asdict(settings)
    if settings.expires_at is not None:
        described["expires_at"] = settings.expires_at.isoformat(timespec="milliseconds").replace(
            "+00:00", "Z"
        )
    return described
