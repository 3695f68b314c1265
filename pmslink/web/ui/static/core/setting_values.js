// The values of settings as a person writes and reads them.

import { dayOf, startOfDay } from "./hotel_days.js";
import { numberOf, rateLines, tariffOf } from "./tariff.js";
import { t } from "./texts.js";

/** Kinds of settings that are written in several lines. */
export const LINE_KINDS = ["records", "codes", "tariff"];

/** What the service sends in place of a secret. */
export const REDACTED = "***";

const PARSERS = {
  number: numberIn,
  whole: numberIn,
  yes_or_no: (text) => text === "true",
  moment: (text, setting, zone) => (/^\d{4}-\d\d-\d\d$/.test(text) ? startOfDay(text, zone) : undefined),
  tariff: tariffOf,
  records: (text) => pairsIn(text, String),
  codes: (text) => pairsIn(text, numberOf),
};

/** The value that this text stands for: null if it is empty, undefined if it cannot be one. */
export function parseValue(setting, text, zone) {
  const written = setting.kind === "secret" ? text : text.trim();
  if (written === "") return null;
  if (setting.pattern && !new RegExp(`^(?:${setting.pattern})$`).test(written)) return undefined;
  return PARSERS[setting.kind] ? PARSERS[setting.kind](written, setting, zone) : written;
}

const WHOLE = /^\d+$/;
const DECIMAL = /^\d*[.,]?\d{1,2}$|^\d+[.,]?$|^\d*\.\d+$/; // "1,500" may be meant as 1500, and is neither

function numberIn(text, { kind, bounds: [least, most] }) {
  if (!(kind === "whole" ? WHOLE : DECIMAL).test(text)) return undefined;
  const number = Number(text.replace(",", "."));
  return number >= least && number <= most ? number : undefined;
}

function pairsIn(text, valueOf) {
  const lines = text.split("\n").filter((line) => line.trim());
  const pairs = lines.map((line) => line.split("=").map((part) => part.trim()));
  const keys = new Set(pairs.map(([key]) => key));
  if (keys.size < pairs.length || pairs.some((pair) => pair.length !== 2)) return undefined;
  return Object.fromEntries(pairs.map(([key, value]) => [key, valueOf(value)]));
}

/** A value as a person writes it. A secret is never written. */
export function writeValue({ kind }, value, zone) {
  if (value === null || value === undefined || kind === "secret") return "";
  if (kind === "moment") return dayOf(value, zone);
  if (kind === "tariff") return rateLines(value);
  if (kind !== "records" && kind !== "codes") return String(value);
  return Object.entries(value).map(([key, part]) => `${key} = ${part}`).join("\n");
}

/** A value as a person reads it in a sentence. */
export function describeValue(setting, value) {
  const { name, kind, unit } = setting;
  if (kind === "yes_or_no") return t(value ? "set.on" : "set.off");
  if (name === "profile") return t(`profile.${value}`);
  if (kind === "choice") return t(`opt.${name}.${value}`);
  return unit && kind === "number" ? `${value} ${t(`unit.${unit}`)}` : String(value);
}

/** The first setting that contradicts another, as `{name, key, values}` of the text that says so; or null. */
export function findContradiction(values) {
  const { retry_initial, retry_max, connect, tls, extensions, webhook_url, webhook_secret } = values;
  const wrong = (name, texts = {}) => ({ name, key: `cross.${name}`, values: texts });
  if (retry_initial > retry_max) return wrong("retry_max", { value: retry_initial });
  if (connect === "accept" && tls) return wrong("tls");
  if (["prefix", "strip"].includes(extensions) && values.extension_prefix === null) return wrong("extension_prefix");
  if (extensions === "table" && values.extension_table === null) return wrong("extension_table");
  if (webhook_url !== null && webhook_secret === null) return wrong("webhook_secret");
  if (webhook_url === null && webhook_secret !== null) return wrong("webhook_url");
  return null;
}
