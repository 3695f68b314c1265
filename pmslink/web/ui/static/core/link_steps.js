// How far a link gets on the way to its PMS: five steps, and a sixth one for what happens after them.

import { failureOf, health } from "./health.js";

/** The steps on the way, in order. */
export const STEPS = ["resolve", "connect", "start", "describe", "confirm"];

const CHECK = "check"; // after all steps: the link was in sync, and was lost

const STEP_BY_CAUSE = {
  unresolved: "resolve",
  in_use: "connect",
  port_taken: "connect",
  refused: "connect",
  dial_timeout: "connect",
  start_timeout: "start",
  overlong: "start",
  never_confirmed: "confirm",
};
const STEP_BY_VARIANT = {
  no_tls: "connect",
  no_handshake: "connect",
  lost_start: "start",
  lost_description: "describe",
  lost_record: "describe",
};

/**
 * The steps of a link, each `{key, state}`: `state` is `done`, `failed`, `waiting` or `ahead`. Empty while the link
 * is neither connected nor wanted.
 */
export function linkSteps(link) {
  if (link.in_sync) return STEPS.map((key) => ({ key, state: "done" }));
  if (link.intent !== "enabled") return [];
  if (link.state === "ESTABLISHED" && (health(link).mood !== "bad" || !link.failure)) return upTo("confirm", "waiting");
  const failed = failedStep(link);
  if (failed === null) return upTo(link.settings.connect === "accept" ? "connect" : "resolve", "waiting");
  if (failed !== CHECK) return upTo(failed, "failed");
  return [...STEPS.map((key) => ({ key, state: "done" })), { key: CHECK, state: "failed" }];
}

/** The step that the last attempt of the outage failed at; null if none is known. */
function failedStep(link) {
  const { code, params } = failureOf(link);
  const step = STEP_BY_VARIANT[params.variant] ?? STEP_BY_CAUSE[code];
  if (step) return step;
  if (["no_answer", "displaced", "pms_ended", "store"].includes(code)) return CHECK;
  if (code !== "lost") return null;
  return link.last_in_sync === null ? "start" : CHECK;
}

function upTo(key, state) {
  const at = STEPS.indexOf(key);
  const before = (index) => (index < at ? "done" : "ahead");
  return STEPS.map((step, index) => ({ key: step, state: index === at ? state : before(index) }));
}
