// Small parts that several views are made of.

import { CallError, seesGuests } from "./former_api.js";
import { el } from "./core/dom.js";
import { moment, precisely, t } from "./core/texts.js";

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

/** What stands in the place of a link that cannot be shown. */
export function missingLink(name, problem) {
  const unknown = problem instanceof CallError && problem.code === "unknown_link";
  const said = el("p", { class: "error", text: unknown ? t("link.missing", { name }) : refusal(problem) });
  return [said, el("a", { href: "#/", text: t("link.back") })];
}

/** Where somebody asks for the names of guests, who may; `asked()` tells whether they are wanted. */
export function namesCheck(onchange) {
  const input = el("input", { type: "checkbox", id: "names", disabled: !seesGuests(), onchange });
  const label = el("label", { for: "names", text: t(seesGuests() ? "trace.names" : "trace.names_hidden") });
  const ask = (wanted) => (input.checked = wanted && seesGuests());
  return { element: el("span", { class: "check" }, input, label), asked: () => input.checked, ask };
}

/** What stands for what is not shown of a guest. */
export const MASK = "•••";

/** What would not show, or turn the line around, as the number that Unicode has for it. */
export function visible(text) {
  return text.replace(/[\p{C}\u2028\u2029]/gu, (hidden) => `⟨${hidden.codePointAt(0).toString(16).toUpperCase()}⟩`);
}
