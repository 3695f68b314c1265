// One input for each kind of setting, and what a person wrote in it as a value of the interface.

import { el } from "./core/dom.js";
import { numberOf, rateLines, tariffOf } from "./tariff.js";
import { t } from "./core/texts.js";

const LINES = ["records", "codes", "tariff"];
const UNTOLD = "***"; // what stands for a secret

/** Where a value of this setting is written or chosen. A list's first entry stands for the default. */
export function inputOf(setting) {
  const { kind, choices, bounds, required, pattern } = setting;
  if (kind === "choice") return list(setting, choices);
  if (kind === "yes_or_no") return list(setting, [true, false]);
  if (LINES.includes(kind)) return el("textarea", { rows: kind === "tariff" ? 5 : 3, spellcheck: "false" });
  if (kind === "secret") return secret();
  if (kind !== "number" && kind !== "whole") {
    return el("input", { type: "text", required, pattern, spellcheck: "false", autocomplete: "off" });
  }
  const [min, max] = bounds;
  return el("input", { type: "number", min, max, step: kind === "whole" ? 1 : "any", required });
}

/** What stands for the secret goes as soon as somebody writes a new one. */
function secret() {
  const input = el("input", { type: "password", spellcheck: "false", autocomplete: "new-password" });
  input.addEventListener("beforeinput", () => {
    if (input.value === UNTOLD) input.value = "";
  });
  return input;
}

function list(setting, values) {
  const options = values.map((value) => el("option", { value: String(value), text: shown(setting, value) }));
  return el("select", { required: setting.required }, el("option", { value: "" }), ...options);
}

/** The value in an input: null if it is empty, undefined if it cannot be one. */
export function valueOf({ kind }, input) {
  if (!input.validity.valid && !input.validity.valueMissing) return undefined;
  if (kind === "secret") return input.value || null;
  const text = input.value.trim();
  if (!text) return null;
  if (kind === "number" || kind === "whole") return Number(text);
  if (kind === "yes_or_no") return text === "true";
  if (kind === "tariff") return tariffOf(text);
  return LINES.includes(kind) ? pairsOf(text, kind === "codes" ? numberOf : String) : text;
}

function pairsOf(text, valueOf) {
  const lines = text.split("\n").filter((line) => line.trim());
  const pairs = lines.map((line) => line.split("=").map((part) => part.trim()));
  const keys = new Set(pairs.map(([key]) => key));
  if (keys.size < pairs.length || pairs.some((pair) => pair.length !== 2)) return undefined;
  return Object.fromEntries(pairs.map(([key, value]) => [key, valueOf(value)]));
}

/** A value as a person reads it. */
export function shown({ name, kind }, value) {
  if (kind === "yes_or_no") return t(value ? "form.yes" : "form.no");
  return name === "profile" ? `${value} – ${t(`profile.${value}`)}` : String(value);
}

/** A value as a person writes it. */
export function written({ kind }, value) {
  if (kind === "tariff") return rateLines(value);
  if (!LINES.includes(kind)) return String(value);
  return Object.entries(value).map(([key, part]) => `${key} = ${part}`).join("\n");
}
