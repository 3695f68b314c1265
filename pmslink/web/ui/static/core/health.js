// What a link is like: its words, mood, sign and group, why it is so, and what to do about it.

import { now } from "./clock.js";
import { counted, decimal, duration, has, minute, since, t } from "./texts.js";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const MIN_OUTAGES = 2;
const SLOW_MS = 3_000; // after which what the PMS has not answered is worth a sentence

const hasFailed = ({ retry, down_since }) => retry.attempt > 0 && down_since !== null;
const isAtRest = ({ state, intent }) => state === "CLOSED" && intent === "disconnected";
const isNew = ({ state, cause, last_in_sync }) => state === "DISABLED" && cause.code === "started" && !last_in_sync;
const isEndedByPms = ({ cause }) => cause.code === "pms_ended";
const isDown = (link) => link.state === "EXPECTION" || link.cause.code === "in_use" || hasFailed(link);
const needsDecision = ({ outbox, failed_wake_ups }) => outbox.unknown + outbox.refused + failed_wake_ups.count > 0;
const isUnstable = ({ outages }) => outages.last_hour >= MIN_OUTAGES;
const isOdd = ({ not_understood: { last_at } }) => last_at !== null && now() - Date.parse(last_at) <= DAY_MS;

// The first row that fits holds: key of the words, mood, sign, group, and the condition.
/** @typedef {[key: string, mood: string, sign: string, group: string, fits: (link: Api.Link) => boolean]} Row */

/** @type {Row[]} */
const WHATEVER_SYNC = [
  ["expired", "ended", "ended", "off", ({ state }) => state === "EXPIRED"],
  ["new", "off", "off", "off", isNew],
  ["off", "off", "off", "off", ({ state }) => state === "DISABLED"],
  ["disconnecting", "wait", "wait", "connecting", ({ state }) => state === "WAIT_LE"],
  ["disconnected", "off", "off", "off", isAtRest],
];
/** @type {Row[]} */
const NOT_IN_SYNC = [
  ["ended", "bad", "bad", "down", (link) => isEndedByPms(link) && !hasFailed(link)],
  ["down", "bad", "bad", "down", (link) => isEndedByPms(link) || isDown(link)],
  ["confirming", "wait", "wait", "connecting", ({ state }) => state === "ESTABLISHED"],
  ["connecting", "wait", "wait", "connecting", () => true],
];
/** @type {Row[]} */
const IN_SYNC = [
  ["held", "wait", "warn", "look", (link) => link.attention >= 3 && !needsDecision(link)],
  ["decide", "wait", "warn", "look", ({ attention }) => attention >= 3],
  ["unstable", "wait", "warn", "look", (link) => link.attention === 2 && isUnstable(link)],
  ["records", "wait", "warn", "look", (link) => link.attention === 2 && isOdd(link)],
  ["check", "wait", "warn", "look", ({ attention }) => attention === 2],
  ["connected", "good", "good", "connected", () => true],
];

/** The groups of links, those first that need somebody, each with its mood and sign. */
export const GROUPS = [
  ["down", "bad", "bad"],
  ["look", "wait", "warn"],
  ["connecting", "wait", "wait"],
  ["connected", "good", "good"],
  ["off", "off", "off"],
];

/** What a link is like: `{key, mood, sign, group}`; its words are the text `state.KEY`. */
export function health(link) {
  const rows = [...WHATEVER_SYNC, ...(link.in_sync ? IN_SYNC : NOT_IN_SYNC)];
  const [key, mood, sign, group] = rows.find(([, , , , fits]) => fits(link));
  return { key, mood, sign, group };
}

/** The words for what a link is like. */
export const words = (link) => t(`state.${health(link).key}`);

/** Since when a link is as it is: the beginning of its outage, or of its state. */
export const shownSince = (link) => (health(link).mood === "bad" && link.down_since) || link.since;

/** Where a link reaches its PMS. */
export const address = ({ host, port }) => (host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`);

/** The same for a person; a PMS that connects by itself has no address here, but a port. */
export const endpoint = (link) =>
  link.settings.connect === "accept" ? t("list.accepts", { host: link.host, port: link.port }) : address(link);

// Sentences: why a link is so, and what to do; either may be empty.

/** Why a link is as it is, in one sentence; empty if there is nothing to say. */
export const why = (link) => explanation(link).why;

/** What to do about it, in one sentence; empty if there is nothing to do. */
export const remedy = (link) => explanation(link).remedy;

/**
 * What explains a link: `{code, why, remedy, hint?}`.
 *
 * `code` is that of a cause, of a finding, or the key of what the link is like. `hint` is the hint behind the remedy.
 */
export function explanation(link) {
  const { key, mood } = health(link);
  if (mood === "bad") return ofOutage(link);
  if (key in BY_STATE) return finding(key, ...BY_STATE[key](link));
  return findings(link)[0] ?? finding("", "", "");
}

/** Why an outage goes on: what the last attempt failed at, also while the next one is on its way. */
export const failureOf = (link) => link.failure ?? link.cause;

const by = ({ cause }) => cause.params.by ?? t("by.user");

const BY_STATE = {
  new: ({ made }) => [
    made?.by ? t("why.new", { by: made.by, at: minute(made.at) }) : t("why.new_unknown"),
    t("do.new"),
  ],
  off: (link) => [byUser(link, "disable", "why.off", "why.off_unknown"), t("do.off")],
  expired: (link) => [expiry(link), t("do.expired")],
  disconnected: (link) => [byUser(link, "disconnect", "why.disconnected", "why.at_rest"), t("do.disconnected")],
  disconnecting: () => [t("why.disconnecting"), ""],
  confirming: ({ settings }) => [t("why.confirm"), t("do.confirm", { seconds: decimal(settings.sync_timeout) })],
  connecting: (link) => [connecting(link), ""],
};

function byUser(link, control, key, unknownKey) {
  const isKnown = link.cause.code === "user" && link.cause.params.control === control;
  return isKnown ? t(key, { by: by(link), at: minute(link.since) }) : t(unknownKey);
}

function expiry(link) {
  const { settings, cause } = link;
  if (cause.code === "user") return t("why.ended_by", { by: by(link), at: minute(link.since) });
  const at = settings.expires_at;
  return at && Date.parse(at) <= now() ? t("why.ended_at", { at: minute(at) }) : t("why.expired");
}

function connecting(link) {
  if (link.state === "CLOSED") return t("why.closed");
  if (link.settings.connect === "accept") return t("why.accepting", { port: link.port });
  return t("why.connecting", { address: address(link) });
}

// The hints about a connection, each with the causes that it explains.
const EXPLAINED_CAUSES = { framing: /./, tls: /./, mirror: /./, sync_on: /^never_confirmed/, alive_by: /^no_answer/ };

/** What explains a link that is down. A hint about its connection says more than the cause does. */
function ofOutage(link) {
  const cause = failureOf(link);
  const key = causeKey(link.state, cause);
  const hint = link.hints.find(({ code }) => cause.code === "started" || EXPLAINED_CAUSES[code]?.test(key));
  const hinted = hint && { code: hint.code, ...hintTexts(hint), hint };
  // That the PMS has started the link again is no reason of the outage.
  if (cause.code === "started") return hinted ?? finding("unstable", t("why.confirm"), t("do.flap_other"));
  const action = hinted?.remedy ?? causeRemedy({ ...link, cause });
  return { code: key, why: causeText(link.state, cause, link), remedy: action, hint };
}

/** How all links are, in one sentence, by how many are in each group: the worst of it. */
export function summary({ down, look, connecting, connected }) {
  if (down) return counted("list.sum_bad_one", "list.sum_bad", down);
  if (look) return counted("list.sum_look_one", "list.sum_look", look);
  if (connecting) return counted("list.sum_wait_one", "list.sum_wait", connecting);
  return t(connected ? "list.sum_good" : "list.sum_none");
}

// Causes.

/** What the network says about a lost connection, in the language of the reader where there is a text for it. */
export function detailText(detail) {
  const key = `detail.${detail.toLowerCase().replace(/[^a-z]+/g, "_")}`;
  return has(key) ? t(key) : detail;
}

function causeKey(state, { code, params }) {
  if (state === "ESTABLISHED" && "record" in params) return "record";
  if (code === "user") return params.control;
  if (code === "settings" && params.by) return "settings_by";
  if (code === "expired" && state !== "EXPIRED") return "not_expired";
  const key = params.variant ?? code;
  return key === "refused" && ![undefined, "Connection refused"].includes(params.detail) ? "no_way" : key;
}

/**
 * Why a link came into a state, in one sentence: for its history, too.
 *
 * `link` has `host` and `port`. A cause without a text of its own is told in the service's words, `reason`.
 */
export function causeText(state, cause, link, reason = link.reason) {
  const key = `why.${causeKey(state, cause)}`;
  return has(key) ? t(key, causeValues(cause, link)) : reason;
}

function causeValues(cause, link) {
  const { params } = cause;
  const numbers = ["seconds", "bytes"].filter((name) => name in params).map((name) => [name, decimal(params[name])]);
  const known = { ...params, ...Object.fromEntries(numbers), by: by({ cause }) };
  return { address: address(link), host: link.host, port: link.port, ...known, detail: detailText(params.detail ?? "") };
}

/** What to do about the cause of a link's state; "" if there is no text of its own for it. */
export function causeRemedy(link) {
  const key = `do.${causeKey(link.state, link.cause)}`;
  return has(key) ? t(key, causeValues(link.cause, link)) : "";
}

// Findings: what needs a look although a link is in sync, or holds back what is sent.

/** What there is to say of a link beside its state, the most urgent first: `{code, why, remedy, hint?}`. */
export function findings(link) {
  return [
    ...failedWakeUps(link),
    ...inDoubt(link),
    ...held(link),
    ...unanswered(link),
    ...differing(link),
    ...unstable(link),
    ...notUnderstood(link),
    ...link.hints.map((hint) => ({ code: hint.code, ...hintTexts(hint), hint })),
    ...unansweredResync(link),
  ];
}

const finding = (code, sentence, action) => ({ code, why: sentence, remedy: action });

function failedWakeUps({ failed_wake_ups: { count, last_at, last_room } }) {
  if (!count) return [];
  const key = last_room === null ? "why.wake_unread" : count === 1 ? "why.wake" : "why.wake_many";
  const values = { count: decimal(count), room: last_room, at: minute(last_at) };
  return [finding("wake_up", t(key, values), t("do.wake"))];
}

const inDoubt = ({ outbox: { unknown, refused } }) => (unknown || refused ? [doubt({ unknown, refused })] : []);

/** What there is to say of charges that need a decision, by how many: `{code, why, remedy}`. */
export function doubt({ unknown, refused }) {
  const sentences = [];
  if (unknown) sentences.push(counted("why.unknown_one", "why.unknown_many", unknown));
  if (refused) sentences.push(counted("why.refused_one", "why.refused_many", refused));
  const action = unknown
    ? counted("do.unknown_one", "do.unknown_many", unknown)
    : counted("do.refused_one", "do.refused_many", refused);
  return finding("doubt", sentences.join(t("sentence.joint")), action);
}

function differing({ by_hand: { differ } }) {
  if (!differ) return [];
  return [finding("by_hand", counted("why.hand_one", "why.hand_many", differ), t("do.hand"))];
}

/** What holds back the outbox, as a sentence; empty if nothing does, or nothing waits for a hold that ends by itself. */
export function heldText({ held: hold, in_sync }) {
  if (!hold || (!hold.waiting && (hold.by === "sync" || hold.by === "resync"))) return "";
  if (hold.by === "sync") return t(in_sync ? "held.queued" : "held.sync");
  if (hold.by === "night_audit") return t("held.night_audit", { at: minute(hold.since) });
  if (hold.by === "resync") return t("held.resync");
  if (hold.by === "local") return t("held.local");
  return hold.until ? t("held.unanswered", { at: minute(hold.until) }) : t("held.unanswered_last");
}

const HELD_REMEDIES = ["resync", "unanswered", "night_audit", "local"];

function held(link) {
  const sentence = heldText(link);
  if (!sentence) return [];
  const reason = link.held.by;
  const isQuiet = reason === "night_audit" && link.attention < 3;
  return [finding("held", sentence, HELD_REMEDIES.includes(reason) && !isQuiet ? t(`do.held.${reason}`) : t("do.held"))];
}

/** Charges that wait in a link that is in sync and holds nothing back: the PMS is slow, or wants them later. */
function unanswered({ in_sync, held: hold, outbox: { pending, oldest } }) {
  if (!in_sync || hold || !pending || !oldest || now() - Date.parse(oldest) < SLOW_MS) return [];
  return [finding("unanswered", t("why.slow", { at: minute(oldest) }), t("do.slow"))];
}

function unstable(link) {
  if (!isUnstable(link)) return [];
  const { last_hour: count, last_seconds, last_cause } = link.outages;
  const key = last_seconds === null ? "why.flap_now" : "why.flap";
  const cause = has(`outage.${last_cause}`) ? t(`outage.${last_cause}`) : last_cause;
  const isLost = last_cause === "lost" || last_cause === "displaced";
  const action = last_cause === "no_answer" ? "do.flap_no_answer" : isLost ? "do.flap_lost" : "do.flap_other";
  return [finding("unstable", t(key, { count, time: duration(last_seconds ?? 0), cause }), t(action))];
}

function notUnderstood(link) {
  if (!isOdd(link)) return [];
  const { records, bytes, last_at, last } = link.not_understood;
  const sentences = records ? [counted("why.odd_one", "why.odd_many", records, { at: minute(last_at), last })] : [];
  if (bytes) sentences.push(skippedText(link));
  return [finding("not_understood", sentences.join(t("sentence.joint")), t("do.odd"))];
}

/** How many bytes of the PMS were no record, in one sentence; there were some. */
export const skippedText = ({ not_understood: { bytes, last_at } }) =>
  counted("why.skipped_one", "why.skipped", bytes, { at: minute(last_at) });

function unansweredResync({ in_sync, resync: { asked, started } }) {
  if (!in_sync || !asked || (started && started >= asked)) return [];
  const age = now() - Date.parse(asked);
  if (age < SLOW_MS || age > DAY_MS) return [];
  return [finding("resync", t("why.resync", { at: minute(asked) }), t("do.resync"))];
}

// Hints.

/** What a hint says, and what it suggests. */
export function hintTexts(hint) {
  const key = hintKey(hint);
  if (!has(`why.hint.${key}`)) return { why: hint.code, remedy: "" }; // an older page meets a newer service
  const values = { ...hint.params, time: duration(Math.abs(hint.params.seconds ?? 0)) };
  return { why: t(`why.hint.${key}`, values), remedy: t(`do.hint.${key}`, values) };
}

const RECORDS_VARIANTS = { budget: "records_budget", disk: "records_disk" };

function hintKey({ code, params }) {
  const { seconds, value, variant } = params;
  if (code === "framing") return value === "crlf" ? "framing_crlf" : "framing_stx_etx";
  if (code === "tls") return value ? "tls_on" : "tls_off";
  if (code === "sync_on") return value === "any" ? "sync_on_any" : "sync_on_declared";
  if (code === "clock") return seconds > 0 ? "clock_ahead" : "clock_behind";
  return RECORDS_VARIANTS[variant] ?? code;
}

/** Where the document about PMSs explains a hint; `tests/test_documents.py` checks that it has each of them. */
export const documentOf = (code) => `page/pms-differences.html#hint-${encodeURIComponent(code)}`;

/** For how long a link is as it is, in words. */
export const shownAge = (link) => since(shownSince(link));
