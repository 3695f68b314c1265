// The notices of the service: facts that somebody should know, and who has acknowledged them.

import { call } from "./api.js";
import { isMuted, unmuteIfWell } from "./muted_links.js";

const LASTING_LIMIT = 200; // notices that last and are loaded at once; of more, only the number is known
const OVER_LIMIT = 50; // notices in a page of those that are over
const EARLIER_MS = 30 * 24 * 60 * 60_000; // for how long notices that are over are shown
const RECOUNT_DELAY_MS = 2_000; // between two requests of the number of open notices

const notices = new Map(); // by id
const redials = new Map(); // of links that are down, by name: {marker, attempts}
const listeners = new Set();
let loading = null; // the promise of the notices that last; null before it is wanted, and after a failure
let isLive = false; // the stream was open when they were loaded
let heldBack = null; // events that arrive while they are loaded
let hasAll = true; // all notices that last are loaded
let openTotal = 0; // how many notices are open, as the service counted last
let olderThan = ""; // where the notices that are over go on; null after the last one
let recount = null;

// What is known.

/** How many notices are open, that is not acknowledged, without those about muted links. */
export function openCount() {
  const open = [...notices.values()].filter(({ state }) => state === "open");
  const muted = open.filter(({ link }) => isMuted(link)).length;
  return Math.max((hasAll ? open.length : openTotal) - muted, 0);
}

/** The notices that last, newest first. */
export const lastingNotices = () => sorted(({ state }) => state !== "over");

/** The notices that were over within the last 30 days and are loaded, newest first. */
export const earlierNotices = () => sorted(({ over }) => over !== null && Date.now() - Date.parse(over) < EARLIER_MS);

/** How many notices last, as far as they are loaded. */
export const lastingCount = () => lastingNotices().length;

/** Whether all notices that last are loaded. */
export const hasAllLasting = () => hasAll;

/** Whether there may be earlier notices that are not loaded. */
export const hasOlder = () => olderThan !== null;

/** The marker of the link of a notice, and how often it has redialled, as far as they are known. */
export const redialsOf = ({ link, params }) => ({ ...params, ...redials.get(link) });

const sorted = (filter) => [...notices.values()].filter(filter).sort((one, other) => other.id - one.id);

/**
 * Call `listener(kind, data)` when notices or links have changed, until the returned function is called.
 *
 * `kind` is that of an event of the stream, or "loaded", of which `data` are the notices that last.
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

async function load() {
  const events = (heldBack = []);
  try {
    const page = await call("GET", `notices?state=open,acknowledged&limit=${LASTING_LIMIT}`);
    for (const { id } of lastingNotices()) notices.delete(id);
    page.notices.forEach(put);
    hasAll = page.next === null;
    openTotal = page.open;
    publish("loaded", page.notices);
  } catch (problem) {
    console.info(`the notices cannot be loaded: ${problem.message}`);
    if (heldBack === events) loading = null; // the next event tries again
  }
  if (heldBack !== events) return; // they were cleared, or loading has begun anew
  heldBack = null;
  events.forEach(([kind, data]) => apply(kind, data));
}

/** Load the next page of notices that are over. Throws CallError. */
export async function loadOlder() {
  const after = olderThan ? `&after=${olderThan}` : "";
  const page = await call("GET", `notices?state=over&limit=${OVER_LIMIT}${after}`);
  page.notices.forEach(put);
  const last = page.notices.at(-1);
  olderThan = last && Date.now() - Date.parse(last.over) < EARLIER_MS ? page.next : null;
  publish("loaded", []);
}

/** Forget all notices, as when somebody else signs in. */
export function clear() {
  notices.clear();
  redials.clear();
  clearTimeout(recount);
  loading = heldBack = recount = null;
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
    recountSoon();
  } else if (kind === "link") {
    const { name, state, retry } = data.link;
    if (redials.has(name)) redials.set(name, { marker: state, attempts: retry.attempt });
    unmuteIfWell(data.link);
  }
  if (kind === "notice" || kind === "link") publish(kind, data);
}

function put(notice) {
  notices.set(notice.id, notice);
  const { kind, state, link, params } = notice;
  if (kind !== "down") return;
  if (state === "over") redials.delete(link);
  else if (!redials.has(link)) redials.set(link, params.marker ? { marker: params.marker, attempts: params.attempts } : {});
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
    publish("loaded", []);
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
