"""The settings of a link: meaning, expectation, unit, bounds and default of each.

All of that is stated once, in the attrs metadata of the fields. Error texts, the form of the page, the
OpenAPI schemas and docs/settings-reference.md are generated from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from attrs import field, frozen

from pmslink.config.record_settings import (
    RECORDS_SCHEMA,
    STATUS_CODES_SCHEMA,
    parse_record_overrides,
    parse_status_codes,
)
from pmslink.config.setting_checks import (
    MAX_WEBHOOK_URL_CHARS,
    is_timezone,
    is_webhook_url,
    parse_date_time,
)
from pmslink.fias.charset import is_usable_charset
from pmslink.fias.framing import Framing
from pmslink.hotel.call_tariff import Tariff, parse_tariff
from pmslink.hotel.extensions import ExtensionScheme
from pmslink.validation.setting_fields import (
    REDACTED,
    boolean,
    choice,
    integer,
    matching_text,
    seconds,
    setting_metadata,
    text,
)
from pmslink.validation.validators import is_path

AliveOn = Literal["LA", "any"]
AliveBy = Literal["LS", "LA", "nothing"]
SyncOn = Literal["LA", "any", "declared"]
UnansweredPolicy = Literal["resend", "hold"]
LateChargePolicy = Literal["hold", "send"]
ConnectMode = Literal["dial", "accept"]


def _redacted_repr(secret: str | None) -> str:
    return repr(secret and REDACTED)


@frozen(kw_only=True)
class LinkSettings:
    """Hold the effective settings of one link: the given ones over its profile's over the defaults here.

    Durations are in seconds; `expires_at` is aware and in UTC.
    """

    connect: ConnectMode = field(
        default="dial",
        metadata=choice(
            ConnectMode,
            'who opens the connection: "dial" connects to host and port; "accept" listens on port for the PMS'
            " and accepts connections only from host",
        ),
    )
    alive_interval: float = field(default=30, metadata=seconds("interval between link checks"))
    alive_timeout: float = field(
        default=3,
        metadata=seconds("time limit for the answer (LA) to a link check; after it the link is abnormal"),
    )
    alive_on: AliveOn = field(
        default="LA",
        metadata=choice(
            AliveOn,
            'records that prove the link alive: "LA" accepts LA, LS and LD; "any" accepts every known record',
        ),
    )
    alive_by: AliveBy = field(
        default="LS",
        metadata=choice(
            AliveBy,
            'what a link check sends: "LS", which the PMS must answer; "LA", a heartbeat without an answer;'
            ' or "nothing"',
        ),
    )
    listen_time: float = field(
        default=3, metadata=seconds("time to wait for the PMS's LS after connecting; then LS is sent once")
    )
    start_timeout: float = field(
        default=30, metadata=seconds("time limit from the start of dialling to the link start (LS)")
    )
    sync_timeout: float = field(
        default=30, metadata=seconds("time limit from the link description (LD) to the LA that confirms it")
    )
    end_timeout: float = field(default=2, metadata=seconds("time to wait for the PMS's LE"))
    answer_timeout: float = field(default=30, metadata=seconds("time limit for the answer (PA) to a posting"))
    retry_initial: float = field(default=1, metadata=seconds("delay before the first reconnect attempt"))
    retry_max: float = field(default=30, metadata=seconds("longest delay before a reconnect attempt"))
    describe: bool = field(
        default=True, metadata=boolean("answer LS with the link description (LD, LR…, LA)")
    )
    sync_on: SyncOn = field(
        default="LA",
        metadata=choice(
            SyncOn,
            'what opens the outbox after the link description: "LA", "any" known record, or "declared":'
            " the description itself",
        ),
    )
    unanswered: UnansweredPolicy = field(
        default="hold",
        metadata=choice(
            UnansweredPolicy,
            "what happens to a posting whose connection ended before its PA:"
            ' "hold" leaves it to an operator, "resend" sends it again, so that some are booked twice',
        ),
    )
    late_charge: LateChargePolicy = field(
        default="hold",
        metadata=choice(
            LateChargePolicy,
            'what happens to a charge whose guest has left and whose room has another guest: "hold" refuses'
            ' it and leaves it to an operator, "send" sends it to the room',
        ),
    )
    send_limit: int = field(
        default=3, metadata=integer("how many times an unanswered posting is sent in total", 1, 100)
    )
    charset: str = field(
        default="cp1252",
        metadata=text(
            "character set of the records on the wire",
            'a character set that Python knows and that extends ASCII, such as "cp1252", "utf-8" or "gbk"',
            is_usable_charset,
        ),
    )
    framing: Framing = field(
        default="stx-etx",
        metadata=choice(Framing, "how records are delimited: by STX and ETX, or one per line (CR LF)"),
    )
    record_gap: float = field(
        default=0,
        metadata=seconds("pause between records, for a PMS that reads one record per TCP segment", 0, 60),
    )
    posting_digits: int = field(
        default=8, metadata=integer("width of the posting number P#; 4 for old systems", 1, 8, "digits")
    )
    outbox_limit: int = field(
        default=100_000,
        metadata=integer(
            "maximum number of pending rows in the outbox; above it new ones are rejected",
            1,
            10_000_000,
            "rows",
        ),
    )
    store_budget_mb: int = field(
        default=200,
        metadata=integer(
            "record text that the link may store in a day of the hotel; above it records still take effect,"
            " but their text is not stored",
            1,
            1_000_000,
            "MiB",
        ),
    )
    tls: bool = field(
        default=False, metadata=boolean("connect to the PMS with TLS and verify its certificate")
    )
    ca_file: str | None = field(
        default=None,
        metadata=text(
            "CA certificates to verify the PMS's certificate with; if not set, the system's are used",
            "the path of a readable file of PEM certificates",
            is_path,
        ),
    )
    timezone: str | None = field(
        default=None,
        metadata=text(
            "time zone of the hotel, in which DA and TI are local time; if not set, the system's is used",
            'a time zone of the IANA list, such as "Europe/Vienna"',
            is_timezone,
        ),
    )
    expires_at: datetime | None = field(
        default=None,
        metadata=setting_metadata(
            "when the PMS service subscription ends",
            'a date and time with its offset, such as "2027-01-01T00:00:00+01:00"',
            parse_date_time,
            kind="moment",
            schema={"examples": ["2027-01-01T00:00:00+01:00"]},
        ),
    )
    enabled: bool = field(
        default=True,
        metadata=boolean("dock when the link is first added; later the last user action decides"),
    )
    records: Mapping[str, str] = field(
        factory=dict,
        metadata=setting_metadata(
            "overrides of the link description: the fields to declare, by record id",
            'known field codes, concatenated, under a record id, such as GI = "RNG#GSGN";'
            " empty text leaves the record out",
            parse_record_overrides,
            kind="records",
            schema=RECORDS_SCHEMA,
        ),
    )
    extensions: ExtensionScheme = field(
        default="same",
        metadata=choice(
            ExtensionScheme,
            'how a room\'s extensions are found: the room number itself ("same"), with extension_prefix added'
            ' ("prefix") or removed ("strip"), or from extension_table ("table")',
        ),
    )
    extension_prefix: str | None = field(
        default=None,
        metadata=matching_text(
            'characters added in front of the room ("prefix"), or removed from its front ("strip")',
            "text of 1 to 16 digits, letters, * or #",
            "[0-9A-Za-z*#]{1,16}",
        ),
    )
    extension_table: str | None = field(
        default=None,
        metadata=text(
            'CSV file on the service\'s machine that lists the extensions of each room ("table"):'
            " one room per row, such as 101,7101,7201",
            "the path of a readable CSV file of rooms and their extensions",
            is_path,
        ),
    )
    status_codes: Mapping[str, int] = field(
        factory=dict,
        metadata=setting_metadata(
            "room status (RS) to send to the PMS for each dialled code; if empty, 1 to 6 are sent as dialled",
            'a whole number from 1 to 99 under 1 to 8 digits, * or #, such as "*61" = 1; 100 at most',
            parse_status_codes,
            kind="codes",
            schema=STATUS_CODES_SCHEMA,
        ),
    )
    tariff: Tariff | None = field(
        default=None,
        metadata=setting_metadata(
            "price list for calls sent without an amount; if not set, the PMS prices them",
            'a table with rates, such as rates = [{prefix = "0043", interval = 60, price = 15}]',
            parse_tariff,
            kind="tariff",
        ),
    )
    currency: str | None = field(
        default=None,
        metadata=matching_text(
            "currency in which amounts are shown; it changes nothing that is sent",
            "text of 1 to 3 characters without blanks, such as EUR or €",
            r"[^\s\x00-\x1f\x7f]{1,3}",
        ),
    )
    wake_up_attempts: int = field(
        default=3, metadata=integer("maximum number of call attempts for one wake-up", 1, 10)
    )
    wake_up_interval: float = field(
        default=180,
        metadata=seconds(
            "time between two attempts of a wake-up, and time limit for the PBX to report a result",
            10,
            3600,
        ),
    )
    wake_up_late: float = field(
        default=600,
        metadata=seconds(
            "maximum delay of a wake-up after downtime; a later one is not rung, but reported as missed",
            60,
            7200,
        ),
    )
    webhook_url: str | None = field(
        default=None,
        metadata=text(
            "URL to which events are sent by POST, signed with webhook_secret",
            f"an http or https URL of at most {MAX_WEBHOOK_URL_CHARS} characters, without user, password and"
            " fragment",
            is_webhook_url,
            schema={"maxLength": MAX_WEBHOOK_URL_CHARS},
        ),
    )
    webhook_secret: str | None = field(
        default=None,
        repr=_redacted_repr,
        metadata=matching_text(
            "key that signs the events; it is never shown",
            "text of 16 to 200 printable ASCII characters",
            "[ -~]{16,200}",
            kind="secret",
        ),
    )

    webhook_batch: int = field(
        default=1,
        metadata=integer(
            "maximum number of events in one request to webhook_url; above 1, the body of each request is a"
            " list of events",
            1,
            100,
            "events",
        ),
    )

    @property
    def zone(self) -> ZoneInfo | None:
        """The time zone of the hotel; None stands for that of the system."""
        return ZoneInfo(self.timezone) if self.timezone else None
