// Calls of the JSON interface, as whoever is signed in.

import { heard } from "./clock.js";

const PATIENCE = 20_000; // milliseconds
const LONGER = 120_000; // for what the service itself has to wait for

let session = null;
let denied = () => {};

/** A call that was refused, or could not be made: `code` is the interface's, or "unreachable". */
export class CallError extends Error {
  constructor(status, { code, message, field = null }) {
    super(message);
    Object.assign(this, { status, code, field });
  }
}

/** Who is signed in: `{name, role, expires, csrf, tokens}`; null when nobody is. */
export const signedIn = () => session;
export const mayControl = () => session?.role === "control";
/** A PBX is told neither what a link has been through nor what goes over its wire. */
export const seesPast = () => session !== null && session.role !== "pbx";
export const seesGuests = () => session !== null && session.role !== "view";

/** `then` is called when a call is refused because nobody is signed in any more. */
export function whenDenied(then) {
  denied = then;
}

export async function findSession() {
  session = null;
  try {
    session = await call("GET", "session");
  } catch (error) {
    if (error.status !== 401) throw error;
  }
  return session;
}

export async function signIn(token) {
  session = await call("POST", "session", { token });
}

export async function signOut() {
  await call("DELETE", "session");
  session = null;
}

export async function call(method, path, body) {
  const headers = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (session?.csrf) headers["X-CSRF-Token"] = session.csrf;
  const signal = AbortSignal.timeout(path === "links/test" ? LONGER : PATIENCE);
  let answer, told;
  try {
    answer = await fetch(`api/v1/${path}`, { method, headers, body: body && JSON.stringify(body), signal });
    told = await answer.json();
  } catch (problem) {
    throw new CallError(answer?.status ?? 0, { code: "unreachable", message: String(problem.message) });
  }
  heard(answer.headers.get("Date"));
  if (answer.ok) return told;
  const error = new CallError(answer.status, told?.error ?? { code: "unreachable", message: answer.statusText });
  if (answer.status === 401 && session) {
    session = null;
    denied();
  }
  throw error;
}

/** The same act, but for one at a time: a second click while the first is obeyed does nothing. */
export function oneAtATime(act) {
  let busy = false;
  return async (...details) => {
    if (busy) return;
    busy = true;
    try {
      await act(...details);
    } finally {
      busy = false;
    }
  };
}

/** The path of a link, or of something below it. */
export const ofLink = (name, ...below) => ["links", encodeURIComponent(name), ...below].join("/");
