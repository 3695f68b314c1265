// Small parts that several views are made of.

import { el } from "./dom.js";
import { moment, precisely, t } from "./texts.js";

/** A button that says what it does. */
export function button(text, onclick, props = {}) {
  return el("button", { type: "button", text, onclick, ...props });
}

/** A moment, short; with its day and zone for who points at it. */
export function when(iso) {
  return el("time", { datetime: iso, title: precisely(iso), text: moment(iso) });
}

/** A table that scrolls within itself, with a name and heads; `rows` is where its rows go. */
export function table(name, heads, rows) {
  const head = el("tr", {}, ...heads.map((text) => el("th", { scope: "col", text })));
  const whole = el("table", {}, el("thead", {}, head), rows);
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": name }, whole);
}

/** A choice of these values; `text` says each, `chosen` is called when another one is chosen. */
export function choice(name, values, text, chosen) {
  const options = values.map((value) => el("option", { value, text: text(value) }));
  return el("select", { "aria-label": name, onchange: chosen }, ...options);
}

/** What is to be said of a call that was refused. */
export const refusal = ({ code, message }) => t("refused", { why: t(`error.${code}`), message });
