// What a room and its guests are called, in the reader's language.

import { now } from "../core/clock.js";
import { localDate } from "../core/hotel_time.js";
import { conditionOf, guestName } from "../core/rooms.js";
import { languageName, localMoment, t } from "../core/texts.js";
import { visible } from "./elements.js";

// FIAS has languages of its own, and for the others those of ISO 639-1. Where both have a code, FIAS is meant.
const LANGUAGES = {
  ...{ CR: "hr", CT: "ca", CZ: "cs", DK: "da", EA: "en", FN: "fi", GE: "de", GR: "el", NR: "no", PO: "pt", RI: "id" },
  ...{ RL: "ru", RS: "ru", SC: "sk", SP: "es", SW: "sv" },
};
/** Codes that a person can choose from; further ones come from the PMS. */
const CHOICES = ["CR", "CZ", "DK", "EA", "FN", "FR", "GE", "GR", "HU", "IT", "JA", "NL", "NR", "PO", "RS", "SP", "SW", "TR", "ZH"];

/** Return what a guest's language is called; a code that is not known is shown as it is. */
export function guestLanguage(code) {
  const tag = LANGUAGES[code.toUpperCase()] ?? code.toLowerCase();
  return languageName(tag) ?? visible(code);
}

/** Return the languages that a person can choose, by name: `[code, name]`. */
export const languageChoices = () =>
  CHOICES.map((code) => [code, guestLanguage(code)]).sort(([, one], [, other]) => one.localeCompare(other));

/** The classes of service that FIAS has numbers for, most calls first. */
export const CLASSES = [3, 2, 1, 0];

/** Return whom the phone of a room may call. */
export const className = (number) =>
  CLASSES.includes(number) ? t(`room.class.${number}`) : t("room.class.other", { number });

/** Return the word for a room's status; empty if the PMS has sent none. */
export function statusName(status) {
  if (status === null) return "";
  const condition = conditionOf(status);
  return condition ? t(`hk.${condition}`) : t("room.status.other", { number: status });
}

const MOODS = { dirty: "wait", clean: "off", ok: "good" };

/** Return the mood in which a status is shown. */
export const statusMood = (status) => MOODS[conditionOf(status)] ?? "off";

/** Return a guest's name, or what stands for it while names are not shown. */
export function shownName(guest, areNamesShown) {
  const name = guestName(guest);
  if (!name) return t("room.unnamed");
  return areNamesShown ? visible(name) : t("room.hidden");
}

/** Return who is in a room in one line. */
export function whoIsIn({ guests }, areNamesShown) {
  if (guests.length === 0) return t("room.vacant");
  if (guests.length > 1 && !areNamesShown) return t("room.hidden_n", { count: guests.length });
  return guests.map((guest) => shownName(guest, areNamesShown)).join(" · ");
}

/** Return the dates of a stay, in ISO 8601, in the reader's words; empty if the PMS has sent neither. */
export function stayText({ arrival, departure }) {
  const format = new Intl.DateTimeFormat(document.documentElement.lang, { month: "short", day: "numeric", timeZone: "UTC" });
  if (arrival && departure) return format.formatRange(new Date(arrival), new Date(departure));
  if (departure) return t("room.stay_until", { to: format.format(new Date(departure)) });
  return arrival ? t("room.stay_from", { from: format.format(new Date(arrival)) }) : "";
}

/** Return a hotel's local time: today and tomorrow by name, other days by date. */
export function wakeUpMoment(at, zone) {
  const time = at.slice(11, 16);
  const day = at.slice(0, 10);
  if (day === localDate(now(), zone)) return t("room.today_at", { time });
  if (day === localDate(now(), zone, 1)) return t("room.tomorrow_at", { time });
  return localMoment(at);
}

/** Return the same for a wake-up, and while it rings which attempt it is. */
export function wakeUpName({ at, attempts }, zone) {
  const moment = wakeUpMoment(at, zone);
  return attempts ? t("room.wake_rings", { at: moment, attempts }) : moment;
}
