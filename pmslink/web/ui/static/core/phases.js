// Phases of a link (in sync, connecting, down, off, unknown): their numbers, and where they are drawn.

/**
 * @typedef {object} Phase
 * @property {string} kind
 * @property {string} since
 * @property {string} until
 */

const SEVERITY = ["unknown", "off", "in_sync", "connecting", "down"]; // what is drawn later covers the former

/** The phases from where something is known: without the unknown time before. */
export function knownPhases(phases) {
  const first = phases.findIndex(({ kind }) => kind !== "unknown");
  return first < 0 ? [] : phases.slice(first);
}

/** The part of phases that lies within these milliseconds. */
export function phasesBetween(phases, from, until) {
  return phases
    .filter((phase) => Date.parse(phase.until) > from && Date.parse(phase.since) < until)
    .map((phase) => ({
      ...phase,
      since: new Date(Math.max(from, Date.parse(phase.since))).toISOString(),
      until: new Date(Math.min(until, Date.parse(phase.until))).toISOString(),
    }));
}

/** The length of a phase in seconds. */
export const phaseSeconds = ({ since, until }) => (Date.parse(until) - Date.parse(since)) / 1000;

/**
 * The numbers of phases: `share` of the known time in sync (null if nothing is known), `known` and `longest` outage
 * in seconds, and the number of `outages`.
 */
export function summarize(phases) {
  const total = (kinds) => phases.filter(({ kind }) => kinds.includes(kind)).reduce((sum, one) => sum + phaseSeconds(one), 0);
  const known = total(["in_sync", "connecting", "down", "off"]);
  const outages = phases.filter(({ kind }) => kind === "down");
  return {
    share: known ? total(["in_sync"]) / known : null,
    known,
    outages: outages.length,
    longest: Math.max(0, ...outages.map(phaseSeconds)),
  };
}

/**
 * Where phases are drawn on a strip of this width: `{kind, x, width}`, the most severe last. A phase is at least
 * `minWidth` wide, so that a short outage in a long time is seen.
 */
export function phaseBars(phases, from, until, width, minWidth) {
  const place = (iso) => ((Date.parse(iso) - from) / (until - from)) * width;
  const bars = phases.map(({ kind, since, until: end }) => {
    const x = Math.max(0, place(since));
    const length = Math.max(minWidth, Math.min(width, place(end)) - x);
    return { kind, x: Math.max(0, Math.min(x, width - length)), width: Math.min(length, width) };
  });
  return merged(bars).sort((one, other) => SEVERITY.indexOf(one.kind) - SEVERITY.indexOf(other.kind));
}

/** Bars of one kind that touch or overlap are one: a link that flaps for a week has thousands of them. */
function merged(bars) {
  const lastOfKind = new Map();
  const result = [];
  for (const bar of bars) {
    const last = lastOfKind.get(bar.kind);
    if (last && bar.x <= last.x + last.width) {
      last.width = Math.max(last.width, bar.x + bar.width - last.x);
      continue;
    }
    const copy = { ...bar };
    lastOfKind.set(bar.kind, copy);
    result.push(copy);
  }
  return result;
}

/** This many moments from one to the other, at equal distances, in milliseconds. */
export const tickTimes = (from, until, count) =>
  Array.from({ length: count }, (_, index) => from + ((until - from) * index) / (count - 1));

/** The kinds that occur in phases, in a fixed order. */
export const kindsOf = (phases) => ["in_sync", "connecting", "down", "off", "unknown"].filter((kind) => phases.some((phase) => phase.kind === kind));
