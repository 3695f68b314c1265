// Days in the time zone of a hotel, for settings that are a date.

/** The zone of this browser, for a hotel whose own zone is not known here. */
export const browserZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Whether the browser knows a time zone. */
export function isZone(zone) {
  try {
    return Boolean(zone) && Boolean(new Intl.DateTimeFormat("en", { timeZone: zone }));
  } catch {
    return false;
  }
}

/** The moment at which a day ("2027-01-31") begins in a time zone, in UTC. */
export function startOfDay(day, zone) {
  const wanted = Date.parse(`${day}T00:00:00Z`);
  const guess = wanted - offset(wanted, zone);
  const at = wanted - offset(guess, zone); // another offset holds, if the clock was changed in between
  return new Date(at).toISOString();
}

/** The day of a moment in a time zone, as "2027-01-31". */
export function dayOf(iso, zone) {
  const at = Date.parse(iso);
  return new Date(at + offset(at, zone)).toISOString().slice(0, 10);
}

/** How far a zone's clock is ahead of UTC at a moment, in milliseconds. */
function offset(at, zone) {
  const format = new Intl.DateTimeFormat("en", {
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
    timeZone: zone,
  });
  const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  const local = Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute, parts.second);
  return local - Math.floor(at / 1000) * 1000;
}
