// Times of day in the time zone of a hotel, which need not be the browser's.

const DAY = 86_400_000; // milliseconds
const TOMORROW_AT = "07:00"; // when most guests want to be woken

/** Return the hotel's local time at a moment, as `2026-11-30T21:10`. Without a zone it is the browser's. */
export function localTime(milliseconds, zone) {
  const parts = Object.fromEntries(formatOf(zone).formatToParts(milliseconds).map(({ type, value }) => [type, value]));
  return `${parts.year}-${parts.month}-${parts.day}T${parts.hour}:${parts.minute}`;
}

const formats = new Map();

function formatOf(zone) {
  if (!formats.has(zone)) {
    const twoDigits = { month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" };
    const options = { year: "numeric", ...twoDigits, hourCycle: "h23", timeZone: zone ?? undefined };
    formats.set(zone, new Intl.DateTimeFormat("en-US", /** @type {Intl.DateTimeFormatOptions} */ (options)));
  }
  return formats.get(zone);
}

/** Return the date of the hotel, this many days from a moment. */
export function localDate(milliseconds, zone, days = 0) {
  const today = localTime(milliseconds, zone).slice(0, 10);
  return new Date(Date.parse(`${today}T00:00Z`) + days * DAY).toISOString().slice(0, 10);
}

/** Check whether the clocks of the hotel and of the browser differ at a moment. */
export const isElsewhere = (milliseconds, zone) =>
  zone !== null && localTime(milliseconds, zone) !== localTime(milliseconds, null);

/** Return the wake-up that is proposed at a moment: tomorrow morning. */
export const proposedWakeUp = () => ({ day: "tomorrow", time: TOMORROW_AT });

/**
 * Return when a wake-up rings, as the interface wants it; null if the time or the date is not filled in.
 *
 * @param {{day: string, time: string, date?: string}} wakeUp `day` is `today`, `tomorrow` or `date`
 */
export function wakeUpTime({ day, time, date }, milliseconds, zone) {
  const dates = { today: () => localDate(milliseconds, zone), tomorrow: () => localDate(milliseconds, zone, 1) };
  const on = day === "date" ? date : dates[day]();
  return on && /^\d\d:\d\d$/.test(time) ? `${on}T${time}` : null;
}

/** Return the date on which a guest leaves who stays for this many nights. */
export const departureDate = (nights, milliseconds, zone) => localDate(milliseconds, zone, nights);
