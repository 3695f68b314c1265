// The service's clock: moments are its, and that of a browser may be wrong by an hour.

const NEGLIGIBLE = 2_000; // milliseconds; answers tell their moment in whole seconds, and take a while

let ahead = 0;

/** Take note of the `Date` that an answer came with. */
export function heard(date) {
  const difference = Date.parse(date) - Date.now();
  if (!Number.isNaN(difference)) ahead = Math.abs(difference) < NEGLIGIBLE ? 0 : difference;
}

/** Milliseconds since 1970 by the service's clock. */
export const now = () => Date.now() + ahead;
