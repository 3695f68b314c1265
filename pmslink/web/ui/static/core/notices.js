// The notices of the service: facts that somebody should know.

/** How many notices are open and not acknowledged. */
export const openCount = () => 0;

/** Begin to show notices; `onChange()` is called when `openCount` changes. */
export function start(_options) {}

/** Apply an event of the stream. */
export function handle(_kind, _data) {}

/** Forget all notices, as when somebody else signs in. */
export function clear() {}
