// The texts of the page in the language of the reader, and times, amounts and numbers in words.

import { now } from "./clock.js";
import { readPreference, writePreference } from "./preferences.js";

const LANGUAGES = { en: "English", zh: "简体中文" };

let language = "en";
let texts = {};
let formats = formatsOf(language);

export const languages = () => Object.entries(LANGUAGES);
export const chosenLanguage = () => language;

/** The one that was chosen here before, or else the first of the browser's that there is. */
function wantedLanguage() {
  const wanted = [readPreference("language"), ...navigator.languages];
  return wanted.map((tag) => tag?.slice(0, 2).toLowerCase()).find((tag) => tag in LANGUAGES) ?? "en";
}

/** Load the texts of a language: the one that is chosen now, or the one that the reader wants. */
export async function loadTexts(chosen) {
  const wanted = chosen ?? wantedLanguage();
  const names = [...further];
  const catalogues = await Promise.all(["", ...names].map((name) => loadCatalogue(wanted, name)));
  texts = Object.assign({}, ...catalogues);
  language = wanted;
  further.clear(); // one that has arrived meanwhile is of the former language
  names.forEach((name) => further.add(name));
  if (chosen) writePreference("language", chosen);
  document.documentElement.lang = language === "zh" ? "zh-Hans" : language;
  formats = formatsOf(document.documentElement.lang);
}

const further = new Set(); // the catalogues that only some views need, and that are loaded

/** Load the texts of the views of one link, in the present language. */
export const loadLinkTexts = () => loadFurther("/link");

/** Load the names of FIAS records and fields in the present language. */
export const loadFieldNames = () => loadFurther("/fias");

/** Load the texts of settings, and of the connection test, in the present language. */
export const loadSettingTexts = () => loadFurther("/settings");

async function loadFurther(name) {
  while (!further.has(name)) {
    const wanted = language;
    const catalogue = await loadCatalogue(wanted, name);
    if (wanted !== language) continue; // the reader has chosen another one meanwhile
    Object.assign(texts, catalogue);
    further.add(name);
  }
}

async function loadCatalogue(wanted, name) {
  const answer = await fetch(new URL(`../texts/${wanted}${name}.json`, import.meta.url));
  if (!answer.ok) throw new Error(`the texts cannot be read: ${answer.status}`);
  return answer.json();
}

/** Whether there is a text under this key. */
export const has = (key) => key in texts;

/** The text under this key; `{name}` in it stands for a value. */
export function t(key, values = {}) {
  return (texts[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** A text about a count: `one` is the key of its singular, `many` of its plural, which has the `{count}`. */
export const counted = (one, many, count, values = {}) => t(count === 1 ? one : many, { ...values, count: decimal(count) });

/** A moment, short: without the day if it is today. */
export function moment(iso) {
  const at = new Date(iso);
  return (isToday(at) ? formats.today : formats.earlier).format(at);
}

/** The same with milliseconds. */
export function timeWithMs(iso) {
  const at = new Date(iso);
  return (isToday(at) ? formats.todayWithMs : formats.earlierWithMs).format(at);
}

const isToday = (at) => at.toDateString() === new Date(now()).toDateString();

/** The same to the minute. */
export function minute(iso) {
  const at = new Date(iso);
  return (isToday(at) ? formats.clock : formats.dated).format(at);
}

/** The time of day, to the minute. */
export const clock = (iso) => formats.clock.format(new Date(iso));

/** A moment that is told in a hotel's local time, whatever the reader's is. */
export const localMoment = (text) => formats.local.format(new Date(`${text}Z`));

/** What a language is called, by its tag; undefined for what is none. */
export function languageName(tag) {
  try {
    return formats.languages.of(tag);
  } catch {
    return undefined;
  }
}

/** A moment, with its day and zone. */
export const precisely = (iso) => formats.precise.format(new Date(iso));

/** A length of time, in its two largest units at most. */
export function duration(seconds) {
  /** @type {Array<[string, number]>} */
  const parts = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  let left = Math.max(0, Math.round(seconds));
  const said = [];
  for (const [unit, length] of parts) {
    const count = Math.floor(left / length);
    if (count) said.push(t(`duration.${unit}`, { count }));
    else if (said.length) break;
    left -= count * length;
    if (said.length === 2) break;
  }
  return said.join(" ") || t("duration.second", { count: 0 });
}

/** How long ago a moment was. */
export const since = (iso) => duration((now() - Date.parse(iso)) / 1000);

/** An amount of money: the interface counts in hundredths. */
export const money = (hundredths) => formats.money.format(hundredths / 100);

/** A number, to one decimal. */
export const decimal = (number) => formats.decimal.format(number);

/** A share of 1 in whole percent: one that is all but whole is not rounded up to it. */
export const percent = (share) =>
  formats.percent.format(share < 0.995 ? Math.round(share * 100) / 100 : Math.floor(share * 1000) / 1000);

// They cost a tenth of a millisecond each to make, and 500 links say a thousand moments a second.
function formatsOf(locale) {
  const minutes = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  const seconds = { ...minutes, second: "2-digit" };
  const date = (options) => new Intl.DateTimeFormat(locale, options);
  const number = (options) => new Intl.NumberFormat(locale, options);
  return {
    clock: date(minutes),
    today: date(seconds),
    todayWithMs: date({ ...seconds, fractionalSecondDigits: 3 }),
    earlierWithMs: date({ month: "short", day: "numeric", ...seconds, fractionalSecondDigits: 3 }),
    dated: date({ month: "short", day: "numeric", ...minutes }),
    earlier: date({ month: "short", day: "numeric", ...seconds }),
    local: date({ weekday: "short", month: "short", day: "numeric", ...minutes, timeZone: "UTC" }),
    languages: new Intl.DisplayNames(locale, { type: "language", fallback: "none" }),
    precise: date({ dateStyle: "medium", timeStyle: "long" }),
    money: number({ minimumFractionDigits: 2, maximumFractionDigits: 2 }),
    decimal: number({ maximumFractionDigits: 1 }),
    percent: number({ style: "percent", maximumFractionDigits: 1 }),
  };
}
