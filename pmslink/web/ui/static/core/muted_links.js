// Links whose notices neither pop up nor count in this browser, until the link has been well for an hour.

import { now } from "./clock.js";
import { readPreference, writePreference } from "./preferences.js";

const WELL_MS = 60 * 60_000;
const PREFERENCE = "muted-links";
const MAX_MUTED = 1000; // names

let muted = read();

function read() {
  try {
    return new Set(JSON.parse(readPreference(PREFERENCE) ?? "[]"));
  } catch {
    return new Set(); // not what this page writes
  }
}

/** Whether the link of this name is muted. */
export const isMuted = (name) => muted.has(name);

/** The names of the links that are muted. */
export const mutedNames = () => [...muted];

/** Mute a link, or no longer. */
export function setMuted(name, on) {
  if (on) muted.add(name);
  else muted.delete(name);
  muted = new Set([...muted].slice(-MAX_MUTED));
  writePreference(PREFERENCE, muted.size ? JSON.stringify([...muted]) : null);
}

/** Mute a link no longer if it has been well for an hour. */
export function unmuteIfWell(link) {
  if (muted.has(link.name) && isWell(link)) setMuted(link.name, false);
}

const isWell = ({ group, since, outages }) =>
  group === "connected" && outages.last_hour === 0 && now() - Date.parse(since) >= WELL_MS;

addEventListener("storage", () => (muted = read())); // another tab has muted a link
