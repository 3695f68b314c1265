// Calls of the JSON interface, with the session of the reader.

import { setServiceTime } from "./clock.js";

const TIMEOUT_MS = 20_000;
const CONNECTION_TEST_TIMEOUT_MS = 150_000; // the service itself waits for the PMS

let current = null;
let onDenied = () => {};

/** A call that was refused, or could not be made: `code` is the interface's, or "unreachable". */
export class CallError extends Error {
  constructor(status, { code, message, field = null, attempts_left = null }) {
    super(message);
    this.status = status;
    this.code = code;
    this.field = field;
    this.attemptsLeft = attempts_left;
  }
}

/** The session: `{name, role, permissions, expires, csrf, tokens}`; null when nobody is signed in. */
export const session = () => current;

/** Whether the service would let the reader do this: `control`, `desk`, `guests`, `history`, `records`, … */
export const may = (permission) => current !== null && current.permissions.includes(permission);

/** Call `handler()` whenever a call is refused because the session has ended. */
export function whenDenied(handler) {
  onDenied = handler;
}

/** Ask the service for the session of this browser. Throws CallError if the service does not answer. */
export async function loadSession() {
  current = null;
  try {
    current = await call("GET", "session");
  } catch (error) {
    if (error.status !== 401) throw error;
  }
  return current;
}

/** Begin a session with a token and its name. Throws CallError. */
export async function signIn(token, name) {
  current = await call("POST", "session", { token, name });
}

/** End the session. Throws CallError. */
export async function signOut() {
  await call("DELETE", "session");
  current = null;
}

/**
 * Call the interface, and return the parsed body. Throws CallError.
 *
 * `path` is relative to `/api/v1/`; `headers` are further ones; `signal` ends the call.
 */
export async function call(method, path, body, options = {}) {
  const answer = await send(method, path, body, options);
  if (!answer.ok) throw await refusal(answer);
  return parse(answer);
}

/** Make a call, and return its `Response` as it arrives, for bodies that are read in parts. Throws CallError. */
export async function send(method, path, body, { headers = {}, signal = null } = {}) {
  const all = { ...headers };
  if (body !== undefined) all["Content-Type"] = "application/json";
  if (current?.csrf) all["X-CSRF-Token"] = current.csrf;
  const timeout = AbortSignal.timeout(path === "links/test" ? CONNECTION_TEST_TIMEOUT_MS : TIMEOUT_MS);
  if (method !== "GET") noteChange(path);
  const ends = signal === null ? timeout : AbortSignal.any([timeout, signal]);
  const text = body === undefined ? undefined : JSON.stringify(body);
  let answer;
  try {
    answer = await fetch(`api/v1/${path}`, { method, headers: all, body: text, signal: ends });
  } catch (problem) {
    throw new CallError(0, { code: "unreachable", message: String(problem.message) });
  }
  setServiceTime(answer.headers.get("Date"));
  return answer;
}

/** The error that an unsuccessful answer stands for. A session that has ended is reported to `whenDenied`. */
export async function refusal(answer) {
  const { error } = await parse(answer);
  if (answer.status === 401 && current) {
    current = null;
    onDenied();
  }
  return new CallError(answer.status, error ?? { code: "unreachable", message: answer.statusText });
}

async function parse(answer) {
  try {
    return await answer.json();
  } catch (problem) {
    throw new CallError(answer.status, { code: "unreachable", message: String(problem.message) });
  }
}

/** The same action, but one at a time: a second click while the first call runs does nothing. */
export function oneAtATime(action) {
  let busy = false;
  return async (...details) => {
    if (busy) return;
    busy = true;
    try {
      await action(...details);
    } finally {
      busy = false;
    }
  };
}

/**
 * The same action for a value that is chosen: one at a time, and while it runs, only the value that was chosen last
 * comes next.
 */
export function latestOf(action) {
  let isRunning = false;
  let wanted;
  return async (value) => {
    wanted = value;
    if (isRunning) return;
    isRunning = true;
    try {
      let last;
      do await action((last = wanted));
      while (last !== wanted);
    } finally {
      isRunning = false;
    }
  };
}

const changes = new Map(); // of links by this page: when, by name

function noteChange(path) {
  const [, name] = path.match(/^links\/([^/?]+)/) ?? [];
  if (name) changes.set(decodeURIComponent(name), Date.now());
}

/** When this page asked for a change of a link last, in milliseconds since 1970; 0 if it never has. */
export const lastChangeOf = (name) => changes.get(name) ?? 0;

/** The path of a link, or of something below it. */
export const ofLink = (name, ...below) => ["links", ...[name, ...below].map(encodeURIComponent)].join("/");
