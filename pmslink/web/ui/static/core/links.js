// What the page knows of links, and the status of the service.

import { call, ofLink } from "./api.js";

const links = new Map();
let status = null;

/** The last status of the service; null before the first one. */
export const serviceStatus = () => status;

/** Load the status of the service: its store, and how many links there are of each group. Throws CallError. */
export async function loadStatus() {
  status = await call("GET", "status");
  return status;
}

/** The link of this name as it was last received, or undefined. */
export const getLink = (name) => links.get(name);

/** Load a link. Throws CallError. */
export async function loadLink(name) {
  const link = await call("GET", ofLink(name));
  links.set(name, link);
  return link;
}

/** Apply an event of the stream. */
export function handle(kind, data) {
  if (kind === "link") links.set(data.link.name, data.link);
}

/** Forget all links, as when somebody else signs in. */
export function clear() {
  links.clear();
  status = null;
}

const MOOD_BY_GROUP = [
  ["down", "bad"],
  ["look", "warn"],
  ["connecting", "wait"],
  ["connected", "good"],
];

/** The sign of all links together: the worst of those that are wanted. */
export function worstSign() {
  const found = MOOD_BY_GROUP.find(([group]) => status?.groups?.[group]);
  return found ? found[1] : "off";
}
