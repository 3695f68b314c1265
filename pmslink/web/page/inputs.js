// One input for each kind of setting, and what a person wrote in it as a value of the interface.

import { el } from "./dom.js";
import { t } from "./texts.js";

/** Where a value of this setting is written or chosen. A list's first entry stands for the default. */
export function inputOf(setting) {
  const { kind, choices, bounds, required, pattern } = setting;
  if (kind === "choice") return list(setting, choices);
  if (kind === "yes_or_no") return list(setting, [true, false]);
  if (kind === "records") return el("textarea", { rows: 3, spellcheck: "false" });
  if (kind !== "number" && kind !== "whole") {
    return el("input", { type: "text", required, pattern, spellcheck: "false", autocomplete: "off" });
  }
  const [min, max] = bounds;
  return el("input", { type: "number", min, max, step: kind === "whole" ? 1 : "any", required });
}

function list(setting, values) {
  const options = values.map((value) => el("option", { value, text: shown(setting, value) }));
  return el("select", { required: setting.required }, el("option", { value: "" }), ...options);
}

/** The value in an input: null if it is empty, undefined if it cannot be one. */
export function valueOf({ kind }, input) {
  if (!input.validity.valid && !input.validity.valueMissing) return undefined;
  const text = input.value.trim();
  if (!text) return null;
  if (kind === "number" || kind === "whole") return Number(text);
  if (kind === "yes_or_no") return text === "true";
  return kind === "records" ? recordsOf(text) : text;
}

function recordsOf(text) {
  const lines = text.split("\n").filter((line) => line.trim());
  const pairs = lines.map((line) => line.split("=").map((part) => part.trim()));
  return pairs.every((pair) => pair.length === 2) ? Object.fromEntries(pairs) : undefined;
}

/** A value as a person reads it. */
export function shown({ name, kind }, value) {
  if (kind === "yes_or_no") return t(value ? "form.yes" : "form.no");
  return name === "profile" ? `${value} – ${t(`profile.${value}`)}` : String(value);
}

/** A value as a person writes it. */
export function written({ kind }, value) {
  if (kind !== "records") return String(value);
  return Object.entries(value).map(([id, fields]) => `${id} = ${fields}`).join("\n");
}
