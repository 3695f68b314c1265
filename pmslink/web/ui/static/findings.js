// What needs a look at a link beside its state: each finding is a sentence, the most urgent first.

import { now } from "./core/clock.js";
import { hintText, suggestionText } from "./hints.js";
import { isResyncing } from "./link_model.js";
import { decimal, duration, minute, t } from "./core/texts.js";

const MINUTE = 60_000; // milliseconds
const DAY = 24 * 60 * MINUTE;
const MAX_CLOCK_OFFSET = 120; // seconds
const MIN_OUTAGES = 2;
// For how long postings may be held before somebody has to decide (`link/attention.py`):
const MAX_HOLD = 30 * MINUTE;
const MAX_NIGHT_AUDIT_HOLD = 180 * MINUTE;
const DS_TIMEOUT = 30_000; // milliseconds that the PMS has for DS

/** How urgent a finding is, most urgent first: a person has to decide, has to look, or only has to wait. */
export const LEVELS = ["decide", "look", "wait"];

/**
 * The findings of a link: `level`, `code`, `text`; where a setting would help, also `hint` and `suggestion`.
 * While the link is not in sync, the hints come first: they say what would get it there.
 */
export function findings(link) {
  const all = [
    ...counted("unknown", link),
    ...counted("refused", link),
    ...failedWakeUp(link),
    ...held(link),
    ...resyncing(link),
    ...unstable(link),
    ...notUnderstood(link),
    ...wrongClock(link),
    ...hinted(link),
    ...resyncUnanswered(link),
  ];
  const isDocking = link.intent === "enabled" && !link.in_sync;
  const order = ({ level, hint }) => (isDocking && hint ? -1 : LEVELS.indexOf(level));
  return all.sort((one, other) => order(one) - order(other)); // which keeps the order of equals
}

const finding = (level, code, text) => ({ level, code, text });

/** A count with its noun. */
const counting = (noun, count) =>
  t(count === 1 ? `count.one.${noun}` : `count.many.${noun}`, { count: decimal(count) });

function counted(state, { outbox }) {
  if (!outbox[state]) return [];
  return [finding("decide", state, t(`finding.${state}`, { postings: counting("postings", outbox[state]) }))];
}

/** The interface has no count of them: they are what is left when nothing else explains the attention. */
function failedWakeUp(link) {
  const { unknown, refused } = link.outbox;
  if (link.attention !== 3 || unknown || refused || isHeldTooLong(link)) return [];
  return [finding("decide", "wake_up", t("finding.wake_up"))];
}

function isHeldTooLong({ held: hold, outbox }) {
  if (!hold?.waiting || !outbox.oldest) return false;
  const begun = Math.max(Date.parse(hold.since), Date.parse(outbox.oldest));
  return now() - begun >= (hold.by === "night_audit" ? MAX_NIGHT_AUDIT_HOLD : MAX_HOLD);
}

function held(link) {
  const { held: hold, in_sync } = link;
  if (!hold || isResyncing(link)) return [];
  if (hold.by === "sync" && !hold.waiting) return []; // each connection begins so
  let key = hold.by;
  if (key === "sync" && in_sync) key = "queued";
  if (key === "unanswered" && !hold.until) key = "unanswered_last"; // the next one goes out at once
  const text = t(`finding.held.${key}`, { since: minute(hold.since), until: hold.until && minute(hold.until) });
  return [finding(levelOfHold(link), `held_${hold.by}`, withWaiting(text, hold))];
}

const levelOfHold = (link) => (isHeldTooLong(link) ? "decide" : "wait");

function withWaiting(text, { waiting }) {
  return waiting ? t("finding.waiting", { text, count: decimal(waiting) }) : text;
}

function resyncing(link) {
  if (!isResyncing(link)) return [];
  const { held: hold, resync } = link;
  const text = t("finding.resync", { since: minute(hold.since), records: counting("records", resync.records) });
  return [finding(levelOfHold(link), "resync", withWaiting(text, hold))];
}

function resyncUnanswered({ in_sync, resync }) {
  const { wanted, asked, started } = resync;
  if (!in_sync || wanted || !asked || (started && started >= asked)) return [];
  const age = now() - Date.parse(asked);
  if (age < DS_TIMEOUT || age > DAY) return [];
  return [finding("wait", "resync_unanswered", t("finding.resync_unanswered", { at: minute(asked) }))];
}

function unstable({ outages }) {
  const { last_hour: count, last_at, last_seconds, last_cause } = outages;
  if (count < MIN_OUTAGES) return [];
  const cause = t(`outage.${last_cause}`);
  const key = last_seconds === null ? "finding.outages_down" : "finding.outages";
  return [finding("look", "outages", t(key, { count, at: minute(last_at), time: duration(last_seconds), cause }))];
}

function notUnderstood({ not_understood: { records, bytes, last_at, last } }) {
  if (!last_at || now() - Date.parse(last_at) > DAY) return [];
  const counts = [records && counting("records", records), bytes && counting("bytes", bytes)].filter(Boolean);
  const what = counts.join(t("finding.and"));
  return [finding("look", "not_understood", t("finding.not_understood", { what, at: minute(last_at), last }))];
}

/** The hint about the clock says the same, and more. */
function wrongClock({ clock_offset: seconds, hints }) {
  if (seconds === null || Math.abs(seconds) <= MAX_CLOCK_OFFSET) return [];
  if (hints.some(({ code }) => code === "clock")) return [];
  return [finding("look", "clock", hintText({ code: "clock", params: { seconds } }))];
}

function hinted({ hints }) {
  return hints.map((hint) => ({
    ...finding("look", hint.code, hintText(hint)),
    hint: hint.code,
    suggestion: suggestionText(hint),
  }));
}
