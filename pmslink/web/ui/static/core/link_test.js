// The connection test of the service, step by step while it runs.

import { CallError, refusal, send } from "./api.js";

const TYPE = "application/x-ndjson";

/** The steps of a test, in their order. */
export const STEPS = ["resolve", "connect", "link_start", "description", "confirmation"];

/**
 * Test settings, and call `onLine(line)` for each line that the service sends. Ending `signal` stops the test.
 *
 * A line is a step that starts (`{step, started, limit}`) or has ended (`{step, ok, reason, seconds, …}`). Throws
 * CallError if the test is refused or its connection is lost.
 */
export async function testLink(settings, onLine, signal) {
  const answer = await send("POST", "links/test", settings, { headers: { Accept: TYPE }, signal });
  if (!answer.ok) throw await refusal(answer);
  try {
    for await (const line of linesOf(answer.body)) take(JSON.parse(line), onLine);
  } catch (problem) {
    if (problem instanceof CallError) throw problem;
    throw new CallError(0, { code: "unreachable", message: String(problem.message) });
  }
}

function take(line, onLine) {
  if (line.error) throw new CallError(409, line.error);
  onLine(line);
}

async function* linesOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    yield* lines;
  }
}
