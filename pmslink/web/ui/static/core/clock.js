// The service's clock: times on the page are its, and the clock of a browser may be wrong by an hour.

const NEGLIGIBLE_MS = 2_000; // answers have their time in whole seconds, and take a while

let ahead = 0;

/** Set the clock by the `Date` header of an answer. */
export function setServiceTime(date) {
  const difference = Date.parse(date) - Date.now();
  if (!Number.isNaN(difference)) ahead = Math.abs(difference) < NEGLIGIBLE_MS ? 0 : difference;
}

/** Milliseconds since 1970 by the service's clock. */
export const now = () => Date.now() + ahead;
