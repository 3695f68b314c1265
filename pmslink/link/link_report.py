"""The report of a link: its reason, its attention and its advice, from the parts that know them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from attrs import define, field, frozen

from pmslink.config.link_definition import LinkConfig
from pmslink.hotel.manual_changes import ManualCounts
from pmslink.link import reason_texts
from pmslink.link.attention import Attention, is_held_too_long, rate_attention
from pmslink.link.cause import Cause, is_failure
from pmslink.link.dialer import Dialer
from pmslink.link.hourly_states import HourlyStates
from pmslink.link.link_diagnosis import LinkDiagnosis
from pmslink.link.link_remarks import RemarkFacts, build_remarks
from pmslink.link.link_session import Session
from pmslink.link.link_summary import LinkGroup, LinkSummary, group_of, recency_of, urgency_of
from pmslink.link.machine import Core
from pmslink.link.noteworthy import Noteworthy
from pmslink.link.outbox import Outbox
from pmslink.link.outbox_hold import Hold
from pmslink.link.record_trace import Trace
from pmslink.link.resync import Resync
from pmslink.link.saved_state import Creation
from pmslink.link.state_history import StateHistory
from pmslink.link.status import LinkStatus, RetryStatus
from pmslink.link.webhook_status import WebhookStatus
from pmslink.store.core.journal_interface import JournalPort


@frozen
class ChangingFacts:
    """What changes without a change of the state, in the form that is compared."""

    attention: Attention
    group: LinkGroup
    details: tuple[object, ...]


@define(eq=False)
class LinkReport:
    """Report on one link, which has these parts."""

    core: Core
    session: Session
    outbox: Outbox
    resync: Resync
    diagnosis: LinkDiagnosis
    history: StateHistory
    dialer: Dialer
    trace: Trace
    journal: JournalPort
    wall_clock: Callable[[], datetime]
    manual: ManualCounts = field(factory=ManualCounts)
    """How many changes by hand the hotel has."""
    hourly_states: HourlyStates = field(factory=HourlyStates)

    def _rate(self, now: datetime, hold: Hold | None) -> Attention:
        counts, diagnosis = self.outbox.counts, self.diagnosis
        needs_decision = (
            counts.unknown + counts.refused > 0
            or is_held_too_long(hold, counts.oldest, now)
            or diagnosis.has_failed_wake_up(now)
        )
        return rate_attention(
            self.core.intent, self.session.in_sync, needs_decision, diagnosis.needs_look(now)
        )

    def _group(self, attention: Attention) -> LinkGroup:
        core = self.core
        has_failed = self.history.down_since is not None and self.dialer.retries > 0
        return group_of(
            core.marker, core.intent, self.session.in_sync, core.cause.code, has_failed, attention
        )

    def changing_facts(self) -> ChangingFacts:
        """Return what changes without a change of the state, for comparison."""
        diagnosis, hold, now = self.diagnosis, self.outbox.hold(), self.wall_clock()
        held = None if hold is None else (hold.by, hold.since, hold.until, hold.waiting > 0)
        outages = diagnosis.outages.status(now)
        resync = self.resync.unanswered_since
        attention = self._rate(now, hold)
        wake_ups = diagnosis.wake_up_failures.status(now)
        details = (
            *(tuple(diagnosis.hints), held, outages, diagnosis.not_understood, wake_ups, resync),
            self.manual,
        )
        return ChangingFacts(attention, self._group(attention), details)

    def summary(self, config: LinkConfig, facts: ChangingFacts) -> LinkSummary:
        """Summarize the link, of which these facts are known."""
        marker, down_since = self.core.marker, self.history.down_since
        text = (config.name, config.address, config.profile, marker, reason_texts.label(marker), facts.group)
        return LinkSummary(
            config.name,
            marker,
            facts.attention,
            facts.group,
            down_since,
            urgency_of(facts.attention, down_since, config.name),
            recency_of(down_since or self.history.since, config.name),
            "\n".join((*text, self.reason(config))).lower(),
        )

    def noteworthy(self, config: LinkConfig, summary: LinkSummary) -> Noteworthy:
        """Return what notices depend on; `summary` is how the link was published last."""
        core, counts, diagnosis, now = self.core, self.outbox.counts, self.diagnosis, self.wall_clock()
        return Noteworthy(
            group=summary.group,
            failure=self._failure(),
            intent=core.intent,
            in_sync=self.session.in_sync,
            down_since=self.history.down_since,
            attempts=self.dialer.retries,
            host=config.host,
            port=config.port,
            expires_at=config.settings.expires_at,
            unknown=counts.unknown,
            refused=counts.refused,
            undecided=self.manual.undecided,
            failed_wake_ups=diagnosis.wake_up_failures.recent(now),
            recent_outages=diagnosis.outages.status(now).last_hour,
        )

    def reason(self, config: LinkConfig) -> str:
        """Return why the link is in its state, in English."""
        return reason_texts.reason(self.core.marker, self.core.cause, config.address)

    def status(
        self, config: LinkConfig, declared: bool, made: Creation | None, webhook: WebhookStatus | None
    ) -> LinkStatus:
        """Take a snapshot of the link."""
        core, session, history, diagnosis = self.core, self.session, self.history, self.diagnosis
        # While the store fails, a redial waits for the store, however soon it is due.
        redial_in = None if self.journal.is_failing else self.dialer.redial_in
        now, hold = self.wall_clock(), self.outbox.hold()
        attention = self._rate(now, hold)
        return LinkStatus(
            name=config.name,
            marker=core.marker,
            since=history.since,
            reason=self.reason(config),
            cause=core.cause,
            advice=self._advice(config, redial_in),
            intent=core.intent,
            attention=attention,
            group=self._group(attention),
            in_sync=session.in_sync,
            last_in_sync=session.last_in_sync,
            down_since=history.down_since,
            failure=self._failure(),
            host=config.host,
            port=config.port,
            profile=config.profile,
            settings=config.settings,
            declared=declared,
            made=made,
            retry=RetryStatus(
                self.dialer.retries, None if redial_in is None else now + timedelta(seconds=redial_in)
            ),
            link_checks=session.link_checks.status(self.trace.last_received),
            outbox=self.outbox.status(),
            resync=self.resync.status(),
            held=hold,
            manual=self.manual,
            clock_offset=diagnosis.clock_offset,
            outages=diagnosis.outages.status(now),
            not_understood=diagnosis.not_understood,
            failed_wake_ups=diagnosis.wake_up_failures.status(now),
            hints=tuple(diagnosis.hints),
            recent_wake_up_failures=diagnosis.wake_up_failures.recent(now),
            webhook=webhook,
            traffic=self.trace.counts(),
            transition_counts=dict(history.transition_counts),
        )

    def _failure(self) -> Cause | None:
        """Return what the last attempt of the outage failed at: the cause of the state if it is a failure."""
        if self.history.down_since is None:
            return None
        return self.core.cause if is_failure(self.core.cause) else self.history.failure

    def _advice(self, config: LinkConfig, redial_in: float | None) -> str:
        core, counts, diagnosis = self.core, self.outbox.counts, self.diagnosis
        if not (core.marker == "ESTABLISHED" and self.session.in_sync):
            is_active = core.intent == "enabled" or core.marker == "WAIT_LE"
            return reason_texts.advice(core.marker, core.cause, is_active, False, redial_in)
        now = self.wall_clock()
        return build_remarks(
            RemarkFacts(
                zone=config.settings.zone,
                now=now,
                has_failed_wake_up=diagnosis.has_failed_wake_up(now),
                unknown=counts.unknown,
                refused=counts.refused,
                hold=self.outbox.hold(),
                outages=diagnosis.outages.status(now),
                not_understood=diagnosis.not_understood,
                hints=tuple(diagnosis.hints),
                resync_unanswered_since=self.resync.unanswered_since,
            )
        )
