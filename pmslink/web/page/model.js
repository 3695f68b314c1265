// What the page knows: the links as the stream last told them, and what can be said of each.

import { call, ofLink } from "./calls.js";
import { has, t } from "./texts.js";

/** The links by name. */
export const links = new Map();
/** What FIAS and the settings are, from the service: see `known.json`. */
export let known;

const watchers = new Set();
let beginning = null; // after a reset: the names that have been told again, and the number it came with

/** `watcher(kind, told)` hears of each event, once the links are up to date; gives a way to end that. */
export function watch(watcher) {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

export async function loadKnown() {
  known = await (await fetch("page/known.json")).json();
}

/** Take in an event of the stream. */
export function happened(kind, told) {
  if (kind === "reset") beginning = { seq: told.seq, names: new Set() };
  if (kind === "link") {
    links.set(told.link.name, told.link);
    beginning?.names.add(told.link.name);
  }
  // All that is told again but the last has the number of the reset: what was not told is gone.
  if (beginning && told.seq !== beginning.seq) forgetAllBut(beginning.names);
  for (const watcher of watchers) watcher(kind, told);
}

/**
 * Ask how all links are, or the one of this name: the stream tells each change of their states, but neither
 * their checks nor how full their outboxes are. What it told meanwhile is newer.
 */
export async function refresh(name) {
  const before = new Map(links);
  const asked = name ? [await call("GET", ofLink(name))] : (await call("GET", "links")).links;
  for (const link of asked) {
    if (!before.has(link.name) || links.get(link.name) !== before.get(link.name)) continue;
    links.set(link.name, link);
    for (const watcher of watchers) watcher("link", { link, transition: null });
  }
}

/** A service without links tells nothing again, so it has to be asked. */
export async function forgetIfEmpty() {
  const status = await call("GET", "status");
  const count = Object.values(status.links).reduce((sum, one) => sum + one, 0);
  if (count === 0) forgetAllBut(new Set());
  return status;
}

function forgetAllBut(names) {
  beginning = null;
  for (const name of [...links.keys()]) if (!names.has(name)) links.delete(name);
  for (const watcher of watchers) watcher("forgotten", {});
}

/** Forget all, as when somebody else signs in. */
export function clear() {
  links.clear();
  beginning = null;
}

export const isUp = (link) => link.state === "ESTABLISHED" && link.in_sync;
/** Wanted, and of no use. */
export const isDown = (link) => link.intent === "enabled" && !isUp(link);
const inDoubt = (link) => link.outbox.unknown + link.outbox.refused;

/** How a link is: good, wait, bad, ended or off. */
export function mood(link) {
  if (isUp(link)) return "good";
  if (link.state === "EXPECTION") return "bad";
  if (link.state === "EXPIRED") return "ended";
  return link.intent === "enabled" || link.state === "WAIT_LE" ? "wait" : "off";
}

/** The links, those first that need looking at: by need, then by how long they have been down. */
export function worstFirst(some) {
  const order = (link) => (isDown(link) ? 0 : inDoubt(link) ? 1 : link.state === "EXPIRED" ? 2 : isUp(link) ? 3 : 4);
  const keys = new Map(some.map((link) => [link, [order(link), link.down_since ?? "9", link.name]]));
  return some.sort((one, other) => compare(keys.get(one), keys.get(other)));
}

function compare(one, other) {
  const place = one.findIndex((part, index) => part !== other[index]);
  return place < 0 ? 0 : one[place] < other[place] ? -1 : 1;
}

/** The mood of all links together: of those that are wanted, the worst. */
export function worstMood() {
  const moods = new Set([...links.values()].filter((link) => link.intent === "enabled").map(mood));
  return ["bad", "wait", "good"].find((one) => moods.has(one)) ?? "off";
}

/** Why a link is, or came, into a state: in the reader's language, or as the service says it. */
export function reason(state, { code, params }, said, address = "") {
  let key = `reason.${code}`;
  if (state === "ESTABLISHED" && "record" in params) key = "reason.record";
  else if (code === "user") key = `reason.${params.control}`;
  return has(key) ? t(key, { address, detail: "", seconds: 0, ...params }) : said;
}

/** What is to be done about a link; empty when there is nothing. The redial is counted down. */
export function advice(link) {
  const { state, intent, cause } = link;
  if (state === "DISABLED" || state === "EXPIRED") return t(`advice.${state}`);
  if (state === "ESTABLISHED") return link.in_sync ? "" : t("advice.unconfirmed");
  if (intent !== "enabled") return state === "WAIT_LE" ? "" : t("advice.at_rest");
  const sentences = [];
  const seconds = link.retry.next_at && Math.round((new Date(link.retry.next_at) - Date.now()) / 1000);
  if (seconds > 0) sentences.push(t("advice.redialling", { seconds }));
  if (has(`advice.${cause.code}`)) sentences.push(t("advice.lasting", { advice: t(`advice.${cause.code}`) }));
  return sentences.join(" ");
}

export const address = ({ host, port }) => (host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`);
