// The notices of the service: facts that somebody should know, and who has acknowledged them.

import { call } from "./api.js";
import { now } from "./clock.js";
import { loadLink } from "./links.js";
import { isMuted, mutedNames, setMuted, unmuteIfWell } from "./muted_links.js";

const LASTING_LIMIT = 200; // notices that last and are loaded at once; of more, only the number is known
const OVER_LIMIT = 50; // notices in a page of those that are over
const EARLIER_MS = 30 * 24 * 60 * 60_000; // for how long notices that are over are shown
const MAX_EARLIER = 1_000; // notices that are over and stay loaded, however many events bring
const RECOUNT_DELAY_MS = 2_000; // between two requests of the number of open notices
const MUTED_INTERVAL_MS = 10 * 60_000; // between two looks at muted links: one that is well has no events
const MAX_JUDGED = 50; // muted links in one such look

const lasting = new Map(); // notices by id
const earlier = new Map(); // notices that are over, by id
const redials = new Map(); // of links that are down, by name: {marker, attempts}
const listeners = new Set();
let loading = null; // the promise of the notices that last; null before it is wanted, and after a failure
let isLive = false; // the stream was open when they were loaded
let liveSince = Infinity; // when the stream was asked for, by the service's clock
let heldBack = null; // events that arrive while they are loaded
let hasAll = true; // all notices that last are loaded
let openTotal = 0; // how many notices are open, as the service counted last
let olderThan = ""; // where the notices that are over go on; null after the last one
let recount = null;

// What is known.

/** How many notices are open, that is not acknowledged, without those about muted links. */
export function openCount() {
  let open = 0;
  let muted = 0;
  for (const { state, link } of lasting.values()) {
    if (state !== "open") continue;
    open += 1;
    if (isMuted(link)) muted += 1;
  }
  return Math.max((hasAll ? open : openTotal) - muted, 0);
}

/** The notices that last, newest first. */
export const lastingNotices = () => sorted([...lasting.values()]);

/** The notices that were over within the last 30 days and are loaded, newest first. */
export const earlierNotices = () => sorted([...earlier.values()].filter(isRecent));

/** How many notices last, as far as they are loaded. */
export const lastingCount = () => lasting.size;

/** Whether all notices that last are loaded. */
export const hasAllLasting = () => hasAll;

/** Whether there may be earlier notices that are not loaded. */
export const hasOlder = () => olderThan !== null;

/** The marker of the link of a notice, and how often it has redialled, as far as they are known. */
export const redialsOf = ({ link, params }) => ({ ...params, ...redials.get(link) });

const sorted = (notices) => notices.sort((one, other) => other.id - one.id);
const isRecent = ({ over }) => now() - Date.parse(over) < EARLIER_MS;

/**
 * Call `listener(kind, data)` when notices or links have changed, until the returned function is called.
 *
 * `kind` is that of an event of the stream, or "loaded", of which `data` are the notices that last, "changed" when
 * something else has changed what is shown or counted, or "clear".
 */
export function subscribe(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

const publish = (kind, data) => [...listeners].forEach((listener) => listener(kind, data));

/** Tell the listeners that a choice of this browser changes what is shown or counted. */
export const changed = () => publish("changed");

// Loading.

/**
 * Load the notices that last, unless they are loaded.
 *
 * `live` says that the stream is open, so that no change after the loading is missed.
 */
export function start(live) {
  if (loading !== null && (isLive || !live)) return;
  isLive = live;
  loading = load();
}

/**
 * Note that the stream, which was asked for at `since`, tells of each change from now on.
 *
 * The first one begins with a reset, which loads the notices; one that resumes has none, and the last loading may
 * have failed.
 */
export function onStream(since) {
  const isResumed = liveSince !== Infinity;
  liveSince = since;
  if (isResumed) start(true);
}

/** Whether a notice was opened before the stream that tells of changes: then it is no news. */
export const isFromBefore = ({ at }) => Date.parse(at) < liveSince;

async function load() {
  const events = (heldBack = []);
  try {
    const page = await call("GET", `notices?state=open,acknowledged&limit=${LASTING_LIMIT}`);
    lasting.clear();
    page.notices.forEach(put);
    hasAll = page.next === null;
    openTotal = page.open;
    forgetRedials();
    publish("loaded", page.notices);
  } catch (problem) {
    console.info(`the notices cannot be loaded: ${problem.message}`);
    if (heldBack === events) loading = null; // the next event tries again
  }
  if (heldBack !== events) return; // they were cleared, or loading has begun anew
  heldBack = null;
  events.forEach(([kind, data]) => apply(kind, data));
  await judgeMuted();
}

/** Forget the redials of links whose outage ended while nothing was received. */
function forgetRedials() {
  const down = new Set([...lasting.values()].filter(({ kind }) => kind === "down").map(({ link }) => link));
  for (const name of redials.keys()) if (!down.has(name)) redials.delete(name);
}

/** Load muted links, and mute those no longer that have been well for an hour, or are removed. */
async function judgeMuted() {
  const names = mutedNames().slice(0, MAX_JUDGED);
  for (const name of names) {
    try {
      unmuteIfWell(await loadLink(name));
    } catch (problem) {
      if (problem.code === "unknown_link") setMuted(name, false);
    }
  }
  if (names.some((name) => !isMuted(name))) changed();
}

/** Load the next page of notices that are over. Throws CallError. */
export async function loadOlder() {
  const after = olderThan ? `&after=${olderThan}` : "";
  const page = await call("GET", `notices?state=over&limit=${OVER_LIMIT}${after}`);
  page.notices.forEach(put);
  const last = page.notices.at(-1);
  olderThan = last && isRecent(last) ? page.next : null;
  changed();
}

/** Forget all notices, as when somebody else signs in. */
export function clear() {
  lasting.clear();
  earlier.clear();
  redials.clear();
  clearTimeout(recount);
  loading = heldBack = recount = null;
  liveSince = Infinity;
  olderThan = "";
  publish("clear");
}

// Changes.

/** Apply an event of the stream. */
export function handle(kind, data) {
  if (kind === "reset") loading = null;
  start(true);
  if (heldBack) heldBack.push([kind, data]);
  else apply(kind, data);
}

function apply(kind, data) {
  if (kind === "notice") {
    put(data.notice);
    forgetOldest();
    recountSoon();
  } else if (kind === "link") {
    const { name, state, retry } = data.link;
    if (redials.has(name)) redials.set(name, { marker: state, attempts: retry.attempt });
    unmuteIfWell(data.link);
  }
  if (kind === "notice" || kind === "link") publish(kind, data);
}

function put(notice) {
  const { id, kind, state, link, params } = notice;
  lasting.delete(id);
  (state === "over" ? earlier : lasting).set(id, notice);
  if (kind !== "down") return;
  if (state === "over") redials.delete(link);
  else if (!redials.has(link)) redials.set(link, params.marker ? { marker: params.marker, attempts: params.attempts } : {});
}

/** Forget the oldest notices that are over, if events have brought many; they can be loaded again. */
function forgetOldest() {
  if (earlier.size <= MAX_EARLIER) return;
  earlier.delete(Math.min(...earlier.keys()));
  olderThan = "";
}

/** While not all notices are loaded, let the service count those that are open. */
function recountSoon() {
  if (hasAll || recount !== null) return;
  recount = setTimeout(async () => {
    try {
      openTotal = (await call("GET", "notices?state=open&limit=1")).open;
    } catch (problem) {
      console.info(`the notices cannot be counted: ${problem.message}`);
    }
    recount = null;
    changed();
  }, RECOUNT_DELAY_MS);
}

/** Acknowledge a notice for all users. Throws CallError. */
export async function acknowledge(id) {
  const notice = await call("POST", `notices/${id}/acknowledge`);
  apply("notice", { link: notice.link, notice });
}

/** Acknowledge all open notices for all users, also those that are not loaded. Throws CallError. */
export async function acknowledgeAll() {
  await call("POST", "notices/acknowledge");
}

setInterval(() => loading !== null && judgeMuted(), MUTED_INTERVAL_MS);
