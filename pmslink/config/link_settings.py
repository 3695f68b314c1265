"""What can be set for a link: each setting with its meaning, its unit, what may stand in it, its default.

All of that stands once, in the attrs metadata of the fields: errors, documents and forms are made from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from attrs import asdict, field, fields, frozen

from pmslink.fias.field_values import usable_charset
from pmslink.fias.framing import Framing
from pmslink.hotel.call_tariff import Tariff, read_tariff
from pmslink.hotel.extensions import HowExtensions
from pmslink.timestamps import timestamp
from pmslink.validation.nested_settings import read_records, read_status_codes
from pmslink.validation.setting_fields import (
    UNTOLD,
    about,
    is_host,
    is_path,
    matching,
    one_of,
    reads,
    seconds,
    setting,
    text,
    whole,
    yes_or_no,
)

Profile = Literal["generic", "opera", "suite8", "protel"]
AliveOn = Literal["LA", "any"]
SyncOn = Literal["LA", "any", "declared"]
Unanswered = Literal["resend", "hold"]


def _is_timezone(name: str) -> bool:
    return reads(ZoneInfo, name)


def _read_moment(raw: object) -> datetime:
    moment = datetime.fromisoformat(raw) if isinstance(raw, str) else raw
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise ValueError
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError from None


def _is_webhook(url: str) -> bool:
    return len(url) <= 2000 and url.isascii() and url.isprintable() and reads(_judge_webhook, url)


def _judge_webhook(url: str) -> None:
    parts = urlsplit(url)
    plain = not set(url) & set(" #") and "@" not in parts.netloc
    if not (
        plain and parts.scheme in ("http", "https") and is_host(parts.hostname or "") and parts.port != 0
    ):
        raise ValueError


def _shown_secret(secret: str | None) -> str:
    return repr(secret and UNTOLD)


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
            read_records,
            kind="records",
        ),
    )
    extensions: HowExtensions = field(
        default="same",
        metadata=one_of(
            HowExtensions,
            "how a room's extensions are found: they are numbered as the rooms, with extension_prefix"
            " before the room, without it, or as extension_table says",
        ),
    )
    extension_prefix: str | None = field(
        default=None,
        metadata=text(
            'what stands before the room ("prefix"), or is taken away from its front ("strip")',
            "text of 1 to 16 digits, letters, * or #",
            matching("[0-9A-Za-z*#]{1,16}"),
        ),
    )
    extension_table: str | None = field(
        default=None,
        metadata=text(
            'which extensions a room has ("table"): a row for each room, such as 101,7101,7201',
            "the path of a readable CSV file of rooms and their extensions",
            is_path,
        ),
    )
    status_codes: Mapping[str, int] = field(
        factory=dict,
        metadata=about(
            "which room status (RS) the PMS gets for what is dialled; without any, 1 to 6 mean themselves",
            'a whole number from 1 to 99 under 1 to 8 digits, * or #, such as "*61" = 1; 100 at most',
            read_status_codes,
            kind="codes",
        ),
    )
    tariff: Tariff | None = field(
        default=None,
        metadata=about(
            "what calls cost that the PBX tells no amount of; without it, the PMS prices them",
            'a table with rates, such as rates = [{prefix = "0043", interval = 60, price = 15}]',
            read_tariff,
            kind="tariff",
        ),
    )
    wake_up_attempts: int = field(
        default=3, metadata=whole("how often a guest is called in all who does not answer", 1, 10)
    )
    wake_up_interval: float = field(
        default=180,
        metadata=seconds(
            "from one attempt to wake a guest to the next, and how long the PBX may take to tell the result",
            10,
            3600,
        ),
    )
    wake_up_late: float = field(
        default=600,
        metadata=seconds(
            "how late the PBX may still be told to wake a guest, after a standstill; else it was missed",
            60,
            7200,
        ),
    )
    webhook_url: str | None = field(
        default=None,
        metadata=text(
            "where events are sent to, signed with webhook_secret",
            "an http or https URL of at most 2000 characters, without user, password and fragment",
            _is_webhook,
        ),
    )
    webhook_secret: str | None = field(
        default=None,
        repr=_shown_secret,
        metadata=text(
            "what events are signed with; it is never told again",
            "text of 16 to 200 printable ASCII characters",
            matching("[ -~]{16,200}"),
            kind="secret",
        ),
    )

    @property
    def zone(self) -> ZoneInfo | None:
        """The hotel's time zone; None is the system's."""
        return ZoneInfo(self.timezone) if self.timezone else None


SECRETS = frozenset(one.name for one in fields(LinkSettings) if setting(LinkSettings, one.name).secret)
"""Settings that are never told again."""

PROFILES: Mapping[Profile, Mapping[str, Any]] = {
    "generic": {},
    "opera": {"alive_interval": 300, "alive_timeout": 30, "alive_on": "any"},
    "suite8": {"alive_interval": 300, "alive_timeout": 30, "alive_on": "any"},
    "protel": {"alive_interval": 60, "alive_timeout": 10, "alive_on": "any"},
}
"""What differs from the defaults for the PMS of one maker: what it publishes, or was measured on it."""


def describe_settings(settings: LinkSettings) -> dict[str, object]:
    """All effective settings, ready for JSON: durations in seconds, times ISO 8601 in UTC, secrets untold."""
    described = asdict(settings, value_serializer=_listed)
    described |= {name: UNTOLD for name in SECRETS if described[name] is not None}
    if settings.expires_at is not None:
        described["expires_at"] = timestamp(settings.expires_at)
    return described


def _listed(_of: object, _field: object, value: object) -> object:
    return list(value) if isinstance(value, tuple) else value  # JSON has no other sequence
