// When rooms may be worked on by hand: while the PMS is away for so long that it is no redial.

const AWAY_MS = 120_000;

/** Return since when a link is out of sync; null while it is in sync. */
export function awaySince({ in_sync: inSync, down_since: downSince, last_in_sync: lastInSync, since }) {
  return inSync ? null : (downSince ?? lastInSync ?? since);
}

/** Check whether work by hand is offered at a moment, in milliseconds since 1970. */
export function isOffered(link, milliseconds) {
  const since = awaySince(link);
  return since !== null && milliseconds - Date.parse(since) >= AWAY_MS;
}
