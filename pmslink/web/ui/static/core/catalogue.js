// What the page needs of FIAS and of the settings, from the service.

import { CallError } from "./api.js";

let loading = null;

/**
 * The catalogue: `records` and `fields` that FIAS knows, `personal` fields, records that are `answers`, `settings`.
 * It is loaded once. Throws CallError.
 */
export function loadCatalogue() {
  loading ??= fetchCatalogue().catch((problem) => {
    loading = null;
    throw problem;
  });
  return loading;
}

async function fetchCatalogue() {
  const answer = await fetch(new URL("../known.json", import.meta.url));
  if (!answer.ok) throw new CallError(answer.status, { code: "unreachable", message: answer.statusText });
  return answer.json();
}
