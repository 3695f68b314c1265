// What the page knows: the links as the stream last told them, and what can be said of each.

import { call, ofLink } from "./former_api.js";
import { now } from "./core/clock.js";
import { has, since, t } from "./core/texts.js";

/** The links by name. */
export const links = new Map();
/** What FIAS and the settings are, from the service: see `known.json`. */
export let known;

const watchers = new Set();
let beginning = null; // after a reset: the names that have been told again, and the number it came with
let told = false;

/** Whether anything is known of the links yet. */
export const isTold = () => told;

/** `watcher(kind, told)` hears of each event, once the links are up to date; gives a way to end that. */
export function watch(watcher) {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

export async function loadKnown() {
  const answer = await fetch("page/known.json");
  if (!answer.ok) throw new Error(`what is known of FIAS cannot be read: ${answer.status}`);
  known = await answer.json();
}

/** Take in an event of the stream. */
export function happened(kind, event) {
  if (kind === "reset") beginning = { seq: event.seq, names: new Set() };
  if (kind === "link") {
    told = true;
    links.set(event.link.name, event.link);
    beginning?.names.add(event.link.name);
  }
  // All that is told again but the last has the number of the reset: what was not told is gone.
  if (beginning && event.seq !== beginning.seq) {
    const { names } = beginning;
    beginning = null;
    forget([...links.keys()].filter((name) => !names.has(name)));
  }
  tell(kind, event);
}

function tell(kind, event) {
  for (const watcher of watchers) watcher(kind, event);
}

function forget(names) {
  for (const name of names) links.delete(name);
  tell("forgotten", {});
}

/**
 * Ask how all links are, or the one of this name: the stream tells each change of their states, but neither
 * their checks nor how full their outboxes are. What it told meanwhile is newer. Of more than a thousand links,
 * each call asks for the next thousand.
 */
export async function refresh(name) {
  const before = new Map(links);
  const asked = name ? [await call("GET", ofLink(name))] : await nextPage();
  for (const link of asked) {
    if (!before.has(link.name) || links.get(link.name) !== before.get(link.name)) continue;
    links.set(link.name, link);
    tell("link", { link, transition: null });
  }
}

let after = null; // where the next page begins

async function nextPage() {
  const page = await call("GET", after === null ? "links" : `links?after=${encodeURIComponent(after)}`);
  after = page.next;
  return page.links;
}

/** A service without links tells nothing again, so it has to be asked. */
export async function forgetIfEmpty() {
  const before = new Map(links);
  const status = await call("GET", "status");
  const count = Object.values(status.links).reduce((sum, one) => sum + one, 0);
  if (count === 0) {
    told = true;
    forget([...before.keys()].filter((name) => links.get(name) === before.get(name)));
  }
  return status;
}

/** Forget all, as when somebody else signs in. */
export function clear() {
  links.clear();
  after = null;
  beginning = null;
  told = false;
}

export const isUp = (link) => link.state === "ESTABLISHED" && link.in_sync;
/** Wanted, and of no use. */
export const isDown = (link) => link.intent === "enabled" && !isUp(link);
/** Whether a resync runs. One that was cut off has no end either, but holds nothing back. */
export const isResyncing = ({ held }) => held?.by === "resync";

/** From this attention on, somebody has to look at a link, also at one that is up. */
const NEEDS_LOOK = 2;

/** How a link is: good, look, wait, bad, ended or off. */
export function mood(link) {
  if (isUp(link)) return link.attention >= NEEDS_LOOK ? "look" : "good";
  if (link.state === "EXPECTION") return "bad";
  if (link.state === "EXPIRED") return "ended";
  return link.intent === "enabled" || link.state === "WAIT_LE" ? "wait" : "off";
}

/** The links: highest attention first, then the longest down, then by name. */
export function worstFirst(some) {
  const keys = new Map(some.map((link) => [link, [-link.attention, link.down_since ?? "9", link.name]]));
  return some.sort((one, other) => compare(keys.get(one), keys.get(other)));
}

function compare(one, other) {
  const place = one.findIndex((part, index) => part !== other[index]);
  return place < 0 ? 0 : one[place] < other[place] ? -1 : 1;
}

/** The mood of all links together: of those that are wanted, the worst. */
export function worstMood() {
  const moods = new Set([...links.values()].filter((link) => link.intent === "enabled").map(mood));
  return ["bad", "wait", "look", "good"].find((one) => moods.has(one)) ?? "off";
}

/** Why a link is, or came, into a state: in the reader's language, or as the service says it. */
export function reason(state, { code, params }, said, address = "") {
  let key = `reason.${params.variant ?? code}`;
  if (state === "ESTABLISHED" && "record" in params) key = "reason.record";
  else if (code === "user") key = `reason.${params.control}`;
  else if (code === "expired" && state !== "EXPIRED") key = "reason.not_expired";
  if ("by" in params) key += "_by";
  return has(key) ? t(key, { address, detail: "", seconds: 0, port: 0, link: "", ...params }) : said;
}

/** What is to be done about a link; empty when there is nothing. The redial is counted down. */
export function advice(link) {
  const { state, intent, cause } = link;
  if (state === "DISABLED" || state === "EXPIRED") return t(`advice.${state}`);
  if (state === "ESTABLISHED") return link.in_sync ? "" : t("advice.unconfirmed");
  if (intent !== "enabled" && state !== "WAIT_LE") return t("advice.at_rest");
  const sentences = [];
  const seconds = link.retry.next_at && Math.round((new Date(link.retry.next_at) - now()) / 1000);
  if (seconds > 0) sentences.push(t("advice.redialling", { seconds }));
  const key = `advice.${cause.params.variant ?? cause.code}`;
  if (has(key)) sentences.push(t("advice.lasting", { advice: t(key, cause.params) }));
  return sentences.join(t("sentence.joint"));
}

/** Where the page shows the link of this name. */
export const placeOf = (name) => `#/links/${encodeURIComponent(name)}`;

/** Where the page shows the settings of the link of this name, at the setting that this hint suggests. */
export const settingsPlaceOf = (name, hint) =>
  `${placeOf(name)}/settings${hint ? `?hint=${encodeURIComponent(hint)}` : ""}`;

/** Where a link reaches its PMS, or waits for it. */
export const address = ({ host, port }) => (host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`);

/** The same for a person; a PMS that connects by itself has no address here, but a port. */
export const endpoint = (link) =>
  link.settings.connect === "accept" ? t("link.accepts", { host: link.host, port: link.port }) : address(link);

/** What is in a link's outbox; empty if nothing is. */
export function waiting({ outbox }) {
  const parts = ["pending", "unknown", "refused"].filter((state) => outbox[state]);
  if (!parts.length) return "";
  const said = parts.map((state) => t(`outbox.count.${state}`, { count: outbox[state] }));
  if (outbox.oldest) said.push(t("outbox.oldest", { age: since(outbox.oldest) }));
  return said.join(" · ");
}
