// Facts about rows of the outbox, without a document: what each chip shows, why rows wait, what a person may decide.

/**
 * @typedef {object} Posting a row of the outbox
 * @property {number} id
 * @property {number | null} number P#
 * @property {string} type
 * @property {string} room
 * @property {string} state
 * @property {number} attempts
 * @property {string} created
 * @property {string | null} sent
 * @property {string | null} answered
 * @property {string | null} answer
 * @property {string | null} text_answer
 * @property {string | null} reason
 * @property {string | null} room_sent
 * @property {string | null} reservation
 *
 * @typedef {object} Filter of the outbox
 * @property {string} query
 * @property {string} chip a key of `CHIPS`
 * @property {string} time one of `TIMES`
 * @property {string} from a local time, for the time `range`
 * @property {string} to a local time, for the time `range`
 *
 * @typedef {object} Action what a person may do with a row
 * @property {string} label the key of the button's text
 * @property {string} call
 * @property {boolean} asks whether a confirmation comes first
 *
 * @typedef {object} Decision
 * @property {string} meaning the key of the sentence that says what happened
 * @property {string | null} look the key of the sentence that says what to look at before deciding
 * @property {Action[]} actions
 */

const POSTINGS = ["call", "minibar", "charge"];
const UNDECIDED = ["unknown", "refused"];

/** The chips above the outbox: the filter that each asks the service for, and the states that it shows. */
export const CHIPS = {
  all: { filter: null, states: null },
  ask: { filter: "decide", states: UNDECIDED },
  waiting: { filter: "waiting", states: ["pending", "sent"] },
  done: { filter: "final", states: ["done", "discarded"] },
};

const HOUR_MS = 3_600_000;
/** How far back each time range goes, in milliseconds. */
const RANGES = { hour: HOUR_MS, day: 24 * HOUR_MS, week: 7 * 24 * HOUR_MS };

/** The time ranges that can be chosen; `range` is from one time to another. */
export const TIMES = ["all", ...Object.keys(RANGES), "range"];

/**
 * Return which rows a filter asks the service for, as parameters of its query.
 *
 * @param {Filter} filter
 * @param {number} now milliseconds since 1970
 */
export function queryOf({ query, chip, time, from, to }, now) {
  const asked = {};
  if (CHIPS[chip].filter !== null) asked.state = CHIPS[chip].filter;
  if (query !== "") asked.q = query;
  if (time in RANGES) asked.from = new Date(now - RANGES[time]).toISOString();
  if (time === "range" && from) asked.from = new Date(from).toISOString();
  if (time === "range" && to) asked.to = new Date(to).toISOString();
  return asked;
}

/**
 * Check whether a row that has just come belongs to what the filter shows, as the service would.
 *
 * @param {Posting} posting
 * @param {Filter} filter
 * @param {number} now milliseconds since 1970
 */
export function belongs(posting, filter, now) {
  const { states } = CHIPS[filter.chip];
  const { from = "", to = "~" } = queryOf(filter, now);
  const isInTime = posting.created >= from && posting.created < to;
  return isInTime && (states === null || states.includes(posting.state)) && matches(posting, filter.query);
}

const digitsOf = (text) => text.replace(/[+\-() ]/g, "");

/** @param {{room: string, number: number | null, dialled?: string}} posting */
function matches({ room, number, dialled }, query) {
  const wanted = query.toLowerCase();
  if (wanted === "" || room.toLowerCase().startsWith(wanted)) return true;
  if (String(number) === wanted.replace(/^p?#/, "")) return true;
  const digits = digitsOf(wanted);
  return /^\d+$/.test(digits) && (dialled ?? "").includes(digits);
}

/** Check whether a person has to decide on a row. */
export const needsDecision = ({ state }) => UNDECIDED.includes(state);

/** Check whether a row goes on a guest's bill; the others are of phones and rooms. */
export const isPosting = ({ type }) => POSTINGS.includes(type);

/** Check whether a row, if it is sent again, goes on the bill of whoever stays in its room by then. */
export const goesToWhoeverStays = ({ state, reason }) =>
  state === "refused" && ["guest_left", "local_guest"].includes(reason);

const SETTLE = { label: "out.settle", call: "discard", asks: false };
const RESEND_UNBOOKED = { label: "out.resend", call: "resend", asks: false };
const CLOSE = { label: "out.close", call: "discard", asks: false };
const SEND_AGAIN = { label: "out.again", call: "resend", asks: false };
const DISCARD = { label: "out.discard", call: "discard", asks: true };
const SEND_ANYWAY = { label: "out.send_anyway", call: "resend", asks: true };

/**
 * Decisions on refused rows, by reason.
 *
 * @type {Record<string, (suffix: string) => Decision>}
 */
const REFUSED = {
  guest_left: (suffix) => ({ meaning: `out.left.${suffix}`, look: null, actions: [DISCARD, SEND_ANYWAY] }),
  local_guest: (suffix) => ({ meaning: `out.local.${suffix}`, look: "out.local.do", actions: [DISCARD, SEND_ANYWAY] }),
  charset: () => ({ meaning: "out.charset.mean", look: "out.charset.do", actions: [DISCARD, SEND_AGAIN] }),
};

/**
 * Return what a person has to decide on a row; null if nothing.
 *
 * @param {Posting} posting
 * @param {{in_sync: boolean, since: string}} link
 * @returns {Decision | null}
 */
export function decisionOf(posting, link) {
  if (posting.state === "unknown") return isPosting(posting) ? doubtfulPosting(posting, link) : doubtfulUpdate();
  if (posting.state !== "refused") return null;
  return REFUSED[posting.reason]?.(posting.type === "call" ? "mean" : "mean_other") ?? refusedByPms(posting);
}

function doubtfulPosting({ reason, sent }, link) {
  const actions = [SETTLE, RESEND_UNBOOKED];
  if (reason === "restored") return { meaning: "out.restored.mean", look: "out.unknown.do", actions };
  const isSameConnection = link.in_sync && sent !== null && link.since <= sent;
  return { meaning: isSameConnection ? "out.silent.mean" : "out.unknown.mean", look: "out.unknown.do", actions };
}

const doubtfulUpdate = () => ({
  meaning: "out.unproven.mean",
  look: "out.unproven.do",
  actions: [CLOSE, SEND_AGAIN],
});

const PUT_OFF = ["RY", "NA"];

function refusedByPms({ answer, text_answer: text }) {
  const actions = [DISCARD, SEND_AGAIN];
  if (PUT_OFF.includes(answer)) return { meaning: "out.put_off.mean", look: null, actions };
  return { meaning: text || answer ? "out.refused.mean" : "out.refused.silent", look: null, actions };
}

/** Rows that wait for a decision, from which on several can be chosen. */
const SEVERAL = 6;

/** Check whether so many rows wait for a decision that several can be chosen at once. */
export const offersSeveral = ({ unknown, refused }) => unknown + refused >= SEVERAL;

/** Sentences on why rows wait although the link is in sync, by what holds them. */
const HELD = {
  night_audit: { until: "out.held.audit", open: "out.held.audit.open" },
  sync: { until: "out.held.first", open: "out.held.first" },
  resync: { until: "out.held.resync", open: "out.held.resync" },
  unanswered: { until: "out.held.unanswered", open: "out.held.unanswered.open" },
  local: { until: "out.held.local", open: "out.held.local" },
};

/**
 * Return why nothing is sent: the key of a sentence and the times that it names; null if rows are sent.
 *
 * @returns {{key: string, since: string | null, until: string | null} | null}
 */
export function whyWaiting({ in_sync: inSync, held, intent }) {
  if (!inSync) return { key: intent === "enabled" ? "out.held.sync" : "out.held.off", since: null, until: null };
  const sentences = held && HELD[held.by];
  if (!sentences) return null;
  return { key: held.until === null ? sentences.open : sentences.until, since: held.since, until: held.until };
}
