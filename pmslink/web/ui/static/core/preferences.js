// What a reader chose in this browser: language, colours, shortcuts, notices.

const PREFIX = "pmslink-";

/** A preference, null without one. A browser may forbid storage: then a choice lasts as long as the page. */
export function readPreference(name) {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return unstored.get(name) ?? null;
  }
}

const unstored = new Map();

/** Store a preference; null removes it. */
export function writePreference(name, value) {
  unstored.set(name, value);
  try {
    if (value === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, value);
  } catch {
    console.info(`the choice of ${name} cannot be stored in this browser`);
  }
}
