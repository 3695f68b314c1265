"""Find out what is wrong with a link, or with its PMS, from what arrives and how connections end."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Protocol, cast

from attrs import evolve
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from pmslink.config.link_settings import LinkSettings
from pmslink.fias.catalog import LINK_RECORDS
from pmslink.fias.framing import SkipReason
from pmslink.fias.record import Record
from pmslink.hotel.record_problems import find_record_problem
from pmslink.link.attention import MIN_OUTAGES
from pmslink.link.cause import Cause, CauseCode
from pmslink.link.charset_check import find_better_charset
from pmslink.link.clock_offset import MAX_OFFSET_S, is_zone_offset, measure_clock_offset
from pmslink.link.echo_detector import EchoDetector
from pmslink.link.link_hints import HintCode, LinkHints
from pmslink.link.machine import Marker
from pmslink.link.not_understood import NotUnderstood, is_separator
from pmslink.link.outage_history import Outage, OutageHistory, is_outage
from pmslink.link.record_budget import RecordBudget
from pmslink.link.status import LinkCheckStatus
from pmslink.link.unreadable_input import UnreadableInput
from pmslink.link.unreadable_input_detector import UnreadableInputDetector
from pmslink.link.wake_up_failures import WakeUpFailures
from pmslink.store.tables.log_entries import RecordLogged
from pmslink.store.tables.recent_failures import StoredFailures, SyncLoss
from pmslink.timestamps import from_ms, optional_from_ms

_HINTED_SETTINGS = (
    *("framing", "charset", "sync_on", "timezone", "alive_by", "alive_on", "tls", "records"),
    "store_budget_mb",
)
"""Settings that hints are about."""
_HINT_STEP_S = 60.0
"""Seconds by which the clock of the PMS must change before its hint is replaced."""
_TLS_MISMATCH_DETAILS = ("wrong version number", "http request", "packet length too long", "record layer")
"""Parts of OpenSSL's messages about a peer that does not speak TLS."""


class DiagnosisListener(Protocol):
    """The link that is diagnosed."""

    def settings(self) -> LinkSettings:
        """Return the current settings."""

    def on_unreadable_input(self, found: UnreadableInput) -> None:
        """Handle a connection on which data arrives but no record."""


class LinkDiagnosis:
    """Collect what is wrong with one link: hints, the clock of the PMS, and what was not understood."""

    log = Logger()

    def __init__(
        self, name: str, clock: IReactorTime, wall_clock: Callable[[], datetime], listener: DiagnosisListener
    ) -> None:
        self._name = name
        self._wall_clock = wall_clock
        self._listener = listener
        self._settings = listener.settings
        self.hints = LinkHints()
        self.input = UnreadableInputDetector(clock, listener.settings, self._on_unreadable)
        self.echo = EchoDetector()
        self.outages = OutageHistory()
        self.wake_up_failures = WakeUpFailures()
        self.clock_offset: float | None = None
        self.not_understood = NotUnderstood()
        self._is_up = False  # there is a connection, and TLS where it is used
        self._logged: set[str] = set()  # subjects of log lines of this connection
        self._skipped: tuple[SkipReason, int] | None = None  # since the last frame
        self._foreign_text: RecordLogged | None = None  # a record in another charset, until it has its number
        self._settings_changed_at = wall_clock()
        self._unanswered_checks = 0  # connections in a row that ended with the first check

    # What needs attention.

    def has_failed_wake_up(self, now: datetime) -> bool:
        """Check whether a guest may not have been woken, and nobody has acknowledged it."""
        return self.wake_up_failures.status(now).count > 0

    def needs_look(self, now: datetime) -> bool:
        """Check for repeated outages, hints, and records or bytes that were not understood."""
        return (
            self.outages.status(now).last_hour >= MIN_OUTAGES
            or bool(self.hints)
            or self.not_understood.is_recent(now)
        )

    def restore(self, failures: StoredFailures, in_sync_since: datetime | None) -> None:
        """Add what went wrong before the service started."""
        self.outages.restore(_to_outages(failures.sync_losses), in_sync_since)
        for failed_wake_up in failures.failed_wake_ups:
            self.wake_up_failures.add(failed_wake_up)
        if failures.last_problem is not None:
            at, last = failures.last_problem
            known = self.not_understood
            self.not_understood = evolve(
                known,
                records=known.records + failures.problem_count,
                last_at=known.last_at or from_ms(at),
                last=known.last or last,
            )

    # What arrives and is sent.

    def on_connection_up(self) -> None:
        """Begin with a new connection."""
        self._is_up = True
        self.input.on_connected()
        self.echo.reset()
        self._logged.clear()
        self._skipped = None

    def on_sent(self, records: Sequence[Record]) -> None:
        """Note records that are sent."""
        self.echo.on_sent(records)

    def on_skipped(self, kind: SkipReason, size: int) -> None:
        """Count skipped bytes."""
        if self._skipped is not None:  # more of the same: one long record arrives in parts
            kind, size = self._skipped[0], self._skipped[1] + size
        elif is_separator(kind, size):
            return
        before = self.not_understood
        if self._skipped is not None:
            before = evolve(before, bytes=before.bytes - self._skipped[1])
        self._skipped = kind, size
        self.not_understood = before.add_skipped(kind, size, self._wall_clock())
        self._log_once(kind, f"skipped {self.not_understood.last}")

    def examine_record(self, record: Record) -> str | None:
        """Return what is not understood of a received record; None if nothing."""
        self._skipped = None
        if self.echo.is_echo(record):
            return "our own record, sent back"
        problem = find_record_problem(record)
        if problem is not None:
            self.not_understood = self.not_understood.add_record(record.id, problem, self._wall_clock())
            subject = record.id if record.id == "WR" else "record"
            self._log_once(subject, f"a record was not understood ({self.not_understood.last})")
        return problem

    def on_record(self, record: Record, frame: bytes, entry: RecordLogged) -> None:
        """Take in a received record that FIAS knows: `frame` are its bytes, `entry` its log entry."""
        self.input.on_record()
        if self.hints.get("framing") or self.hints.get("tls"):
            self.hints.remove("framing", "tls")
        if record.id in LINK_RECORDS:
            self._check_clock(record)
        if not frame.isascii():
            self._check_charset(record, frame, entry)

    def on_record_numbered(self, entry: RecordLogged) -> None:
        """Take in a record that is stored now: count it if the hotel had no place for it.

        The hint about its charset gets its number.
        """
        if entry.is_beyond_bounds and entry.problem is not None:
            self.not_understood = self.not_understood.add_record(entry.type, entry.problem, entry.at)
            self._log_once("bounds", f"records are ignored ({self.not_understood.last})")
        if entry is self._foreign_text:
            self._foreign_text = None
            hint = self.hints.get("charset")
            if hint is not None:
                self.hints.add("charset", **{**hint.params, "id": entry.seq})

    def _on_unreadable(self, found: UnreadableInput) -> None:
        self._add_input_hint(found)
        self._log_once("input", f"{found.size} bytes arrived that are no record: {found.shown}")
        self._listener.on_unreadable_input(found)

    def _add_input_hint(self, found: UnreadableInput) -> None:
        if found.suggestion is not None:
            setting, value = found.suggestion
            code: HintCode = "tls" if setting == "tls" else "framing"
            self.hints.add(code, setting=setting, value=value, bytes=found.size, seen=found.shown)

    def _check_clock(self, record: Record) -> None:
        local_time = self._wall_clock().astimezone(self._settings().zone)
        offset = measure_clock_offset(record, local_time)
        if offset is None:
            return
        self.clock_offset = offset
        if abs(offset) <= MAX_OFFSET_S:
            self.hints.remove("clock")
            return
        hint = self.hints.get("clock")
        if hint is None or abs(hint.params["seconds"] - offset) > _HINT_STEP_S:
            setting = {"setting": "timezone"} if is_zone_offset(offset) else {}
            self.hints.add("clock", seconds=offset, **setting)
        ahead = "ahead of" if offset > 0 else "behind"
        self._log_once(
            "clock",
            f"the clock of the PMS is {abs(offset):.0f} s {ahead} the hotel's local time; "
            "wake-ups and charges get wrong times",
        )

    def _check_charset(self, record: Record, frame: bytes, entry: RecordLogged) -> None:
        better = find_better_charset(frame, self._settings().charset)
        if better is None:  # the charset of the link reads it
            self.hints.remove("charset")
        if better is None or self.hints.get("charset") is not None:
            return
        self._foreign_text = None if entry.published else entry
        number = {"id": entry.seq} if entry.published else {}
        self.hints.add("charset", setting="charset", value=better, record=record.id, **number)

    def watch_budget(self, budget: RecordBudget) -> None:
        """Add a hint while the text of records is not stored, because the budget of the day is exceeded."""
        budget.on_exceeded, budget.on_renewed = self._on_budget_exceeded, self._remove_budget_hint

    def _on_budget_exceeded(self, megabytes: int, is_limited_by_disk: bool) -> None:
        if self.hints.get("records") is not None:
            return
        if is_limited_by_disk:
            self.hints.add("records", variant="disk", megabytes=megabytes)
        else:
            self.hints.add("records", variant="budget", setting="store_budget_mb", megabytes=megabytes)
        self.log.warn(
            "{link}: the PMS has sent more than {megabytes} MiB of records today ({limit}); "
            "records still take effect, but their text is not stored until the next day",
            link=self._name,
            megabytes=megabytes,
            limit="and the disk is nearly full" if is_limited_by_disk else "store_budget_mb",
        )

    def _remove_budget_hint(self) -> None:
        if self._has_budget_hint():
            self.hints.remove("records")

    def _has_budget_hint(self) -> bool:
        hint = self.hints.get("records")
        return hint is not None and hint.params.get("variant") in ("budget", "disk")

    # How connections end.

    def classify_loss(self, cause: Cause) -> Cause:
        """Return the cause of a lost connection, with what came if none of it was a record."""
        if (found := self.input.describe()) is not None:
            self._add_input_hint(found)
            return Cause(cause.code, {**cause.params, **found.params})
        detail = str(cause.params.get("detail", ""))
        if self._settings().tls and any(part in detail for part in _TLS_MISMATCH_DETAILS):
            self.hints.add("tls", setting="tls", value=False)
            return Cause(cause.code, {**cause.params, "variant": "no_tls"})
        if cause.code == "lost" and self.input.is_silent:
            return Cause(cause.code, {**cause.params, "variant": "lost_start"})
        return cause

    def explain_start_timeout(self, cause: Cause) -> Cause:
        """Return the cause of a start timeout, with what came if anything did."""
        if self._settings().tls and cause.code == "start_timeout" and not self._is_up:
            self.hints.add("tls", setting="tls", value=False)
            return Cause(cause.code, {**cause.params, "variant": "no_handshake"})
        found = self.input.describe()
        return cause if found is None else Cause(cause.code, {**cause.params, **found.params})

    def on_abnormal(self, cause: Cause, checks: LinkCheckStatus) -> None:
        """Add the hint that the end of a connection gives; the link was established before."""
        variant = cause.params.get("variant")
        if variant == "mirror":
            self.hints.add("mirror")
        elif cause.code == "never_confirmed":
            self.hints.add("sync_on", setting="sync_on", value=cause.params["value"])
        elif variant == "lost_record":
            declared = str(cause.params["declared"])
            value = {**self._settings().records, declared: ""}
            self.hints.add("records", setting="records", value=value, declared=declared)
        elif cause.code == "no_answer":
            self._on_check_unanswered(checks)

    def _on_check_unanswered(self, checks: LinkCheckStatus) -> None:
        """Suggest another kind of link check for a PMS that is alive but has never answered one."""
        if checks.last_answer is not None and checks.last_answer >= self._settings_changed_at:
            return
        self._unanswered_checks += 1
        is_alive = (
            checks.last_check is not None
            and checks.last_received is not None
            and checks.last_received > checks.last_check
        )
        if is_alive or self._unanswered_checks > 1:
            self.hints.add("alive_by", setting="alive_by", value="LA")

    def on_sync_changed(self, in_sync: bool, marker: Marker, cause: Cause) -> None:
        """Note a loss of sync, or the end of an outage and of the hints about docking."""
        if in_sync:
            self.outages.end(self._wall_clock())
            self.hints.remove("sync_on", "mirror")
            if not self._has_budget_hint():
                self.hints.remove("records")
        elif is_outage(marker, cause.code):
            self.outages.begin(self._wall_clock(), cause.code)

    def on_not_enabled(self) -> None:
        """End the outage: the link is not to be in sync."""
        self.outages.end(self._wall_clock())

    def on_check_answered(self) -> None:
        """Remove the hint about link checks: the PMS has answered one."""
        self._unanswered_checks = 0
        self.hints.remove("alive_by")

    def on_disconnected(self) -> None:
        """Stop watching the connection, which has ended."""
        self._is_up = False
        self.input.stop()

    def on_settings_changed(self, before: LinkSettings, after: LinkSettings, is_readdressed: bool) -> None:
        """Remove the hints that the new settings, or another address, make void."""
        self._settings_changed_at = self._wall_clock()
        self._unanswered_checks = 0
        if is_readdressed:
            self.hints.clear()
            self.clock_offset = None
            return
        changed = {name for name in _HINTED_SETTINGS if getattr(before, name) != getattr(after, name)}
        self.hints.remove_for_settings(changed)
        if "timezone" in changed:
            self.clock_offset = None

    def _log_once(self, subject: str, text: str) -> None:
        """Log a warning, the first time on this connection."""
        if subject not in self._logged:
            self._logged.add(subject)
            self.log.warn(
                "{link}: {text} (logged once on a connection)",
                link=self._name,
                text=text,
            )


def _to_outages(losses: Iterable[SyncLoss]) -> Iterator[Outage]:
    for loss in losses:
        code = cast(CauseCode, json.loads(loss.cause)["code"])
        if is_outage(cast(Marker, loss.marker), code):
            yield Outage(from_ms(loss.begin_ms), optional_from_ms(loss.end_ms), code)
