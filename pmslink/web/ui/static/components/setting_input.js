// One input for each kind of setting: `{element, input, read(), write(text)}`. Texts are as `core/setting_values.js`
// writes them; that of a switch is "true" or "false".

import { browserZone } from "../core/hotel_days.js";
import { el, setAttribute } from "../core/dom.js";
import { LINE_KINDS } from "../core/setting_values.js";
import { has, t } from "../core/texts.js";

const CHARSETS = ["cp1252", "utf-8", "iso8859-15", "cp1250", "cp1251", "cp850", "gbk", "big5", "shift_jis", "euc-kr"];
const COUNTED_TIMES = ["send_limit", "wake_up_attempts"];
const SUGGESTIONS = { charset: () => CHARSETS, timezone: listZones };

/** The input of a setting, with the attributes `props`. */
export function settingInput(setting, props) {
  if (setting.kind === "choice") return selection(setting, props);
  if (setting.kind === "yes_or_no") return toggle(props);
  if (LINE_KINDS.includes(setting.kind)) return plain(el("textarea", { rows: 4, spellcheck: "false", ...props }));
  if (setting.kind === "secret") return plain(el("input", { type: "password", autocomplete: "new-password", ...props }));
  if (setting.kind === "moment") return plain(el("input", { type: "date", ...props }));
  if (setting.kind === "number" || setting.kind === "whole") return number(setting, props);
  const input = el("input", { type: "text", spellcheck: "false", autocomplete: "off", autocapitalize: "none", ...props });
  return setting.name in SUGGESTIONS ? suggesting(input, SUGGESTIONS[setting.name]) : plain(input);
}

function plain(input, element = input) {
  return { element, input, read: () => input.value, write: (text) => (input.value = text) };
}

function selection({ name, choices, required }, props) {
  const label = (choice) => t(name === "profile" ? `profile.${choice}` : `opt.${name}.${choice}`);
  const options = choices.map((choice) => el("option", { value: choice, text: label(choice) }));
  if (required) options.unshift(el("option", { value: "", text: t("set.choose") }));
  return plain(el("select", props, ...options));
}

function toggle(props) {
  const input = el("input", { ...props, type: "checkbox", role: "switch", class: "switch", required: null });
  return {
    element: input,
    input,
    read: () => String(input.checked),
    write: (text) => (input.checked = text === "true"),
  };
}

/** A number is written as text, so that every keyboard can write it, and the wheel does not change it. */
function number({ name, kind, unit: own }, props) {
  const unit = COUNTED_TIMES.includes(name) ? "times" : own;
  const inputmode = kind === "whole" ? "numeric" : "decimal";
  const input = el("input", { type: "text", inputmode, autocomplete: "off", ...props });
  if (!unit || !has(`unit.${unit}`)) return plain(input);
  return plain(input, el("div", { class: "unit" }, input, el("span", { "aria-hidden": "true", text: t(`unit.${unit}`) })));
}

function suggesting(input, list) {
  const suggestions = el("datalist", { id: `${input.id}-list` });
  setAttribute(input, "list", suggestions.id);
  const fill = () => suggestions.append(...list().map((value) => el("option", { value })));
  input.addEventListener("focus", fill, { once: true }); // there are 400 zones
  return plain(input, el("div", {}, input, suggestions));
}

/** All time zones that the browser knows, its own first. */
function listZones() {
  const own = browserZone();
  return [own, ...Intl.supportedValuesOf("timeZone").filter((zone) => zone !== own)];
}
