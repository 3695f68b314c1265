// The events of a link's history: one for each phase, and one for each thing that a person did; newest first.

// A phase that such a control brings about names the person already.
const SHOWN_BY_PHASES = new Set(["link.disable", "link.expire", "link.disconnect"]);

const isShownByPhase = ({ action, result }) => SHOWN_BY_PHASES.has(action) && result === "done";

/**
 * The events of these phases and audit entries, newest first: `{key, at, type: "phase", phase, isOngoing}` or
 * `{key, at, type: "audit", entry}`. Entries from before the first phase are left out.
 */
export function historyEvents(phases, audit) {
  if (phases.length === 0) return [];
  const last = phases[phases.length - 1];
  const begin = Date.parse(phases[0].since);
  const end = Date.parse(last.until);
  const ofPhases = phases.map((phase, index) => ({
    key: index === 0 ? "first" : `phase ${phase.since}`, // the first one begins with the range, which moves
    at: Date.parse(phase.since),
    type: "phase",
    phase,
    isOngoing: phase === last,
  }));
  const ofPeople = audit
    .map((entry) => ({ key: `audit ${entry.id}`, at: Date.parse(entry.at), type: "audit", entry }))
    .filter(({ at, entry }) => at >= begin && at <= end && !isShownByPhase(entry));
  return [...ofPhases, ...ofPeople].sort((one, other) => other.at - one.at);
}
