// Calls of the JSON interface, as whoever is signed in.

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
export const seesGuests = () => session !== null && session.role !== "view";

/** `then` is called when a call is refused because nobody is signed in any more. */
export function whenDenied(then) {
  denied = then;
}

export async function findSession() {
  try {
    session = await call("GET", "session");
  } catch (error) {
    if (error.status !== 401) throw error;
    session = null;
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
  let answer, told;
  try {
    answer = await fetch(`api/v1/${path}`, { method, headers, body: body && JSON.stringify(body) });
    told = await answer.json();
  } catch (problem) {
    throw new CallError(answer?.status ?? 0, { code: "unreachable", message: String(problem.message) });
  }
  if (answer.ok) return told;
  const error = new CallError(answer.status, told.error);
  if (answer.status === 401 && session) {
    session = null;
    denied();
  }
  throw error;
}

/** The path of a link, or of something below it. */
export const ofLink = (name, ...below) => ["links", encodeURIComponent(name), ...below].join("/");
