// Small elements that several views are made of.

import { arrange, el, icon, setAttribute, setText } from "../core/dom.js";
import { moment, precisely, t } from "../core/texts.js";

/** A button with this text; `onclick` is its action. */
export function button(text, onclick, props = {}) {
  return el("button", { type: "button", text, onclick, ...props });
}

/** A link that is plain text while it leads nowhere: `{element, show(text, address)}`; `address` may be null. */
export function linkOrText() {
  const [link, plain] = [el("a"), el("span")];
  const element = el("span");

  function show(text, address) {
    const shown = address === null ? plain : link;
    setText(shown, text);
    if (address !== null) setAttribute(link, "href", address);
    arrange(element, [shown]);
  }

  return { element, show };
}

/** A time, short, with its full date and zone as its title. */
export function timeElement(iso) {
  const element = el("time");
  setTime(element, iso);
  return element;
}

/** Show another time in an element that `timeElement` made. */
export function setTime(element, iso) {
  setAttribute(element, "datetime", iso);
  setAttribute(element, "title", precisely(iso));
  setText(element, moment(iso));
}

/** A card: a section with a heading; `extra` stands at the right of the heading. */
export function card(title, content, extra = null) {
  const heading = el("h2", { text: title });
  const right = extra && el("span", { class: "push row" }, extra);
  const element = el("section", { class: "card" }, el("header", {}, heading, right), el("div", { class: "in" }, content));
  return { element, heading };
}

/** Grey bars in the place of what is loaded. */
export const loadingBars = () =>
  el("div", { class: "loading bars", "aria-hidden": "true", hidden: true }, [1, 2, 3].map(() => el("i", { class: "bar" })));

/** The sentence for a call that was refused: what it means, and the service's own words. */
export const refusalText = ({ code, message }) => t("refused", { why: t(`error.${code}`), message });

/** A line for what has failed, hidden while nothing has: `{element, show(text)}`; "" hides it. */
export function failureLine() {
  const element = el("p", { class: "error", role: "status", hidden: true });

  function show(text) {
    setText(element, text);
    setAttribute(element, "hidden", text === "");
  }

  return { element, show };
}

/** The box of a search field, with the key that leads to it; `content` is the field, and its name if it has none. */
export const searchBox = (...content) =>
  el("label", { class: "search" }, icon("search"), ...content, el("kbd", { "aria-hidden": "true", text: "/" }));

/** What stands in the place of what could not be loaded: why, and how to try again. */
export function loadFailure(text, again) {
  const reload = button(t("strip.reload"), () => location.reload(), { class: "plain" });
  return el("div", { class: "stack load-failure" }, el("p", { text }), el("p", { class: "row" }, button(t("again"), again), reload));
}

/** Whether this names who did something: not on a service without tokens, nor in rows of older releases. */
export const isNamed = (who) => who !== null && who !== "(local)";

/** A text in which what is invisible, or would reverse the line, stands as its Unicode number. */
export function visible(text) {
  return text.replace(/[\p{C}\u2028\u2029]/gu, (hidden) => `⟨${hidden.codePointAt(0).toString(16).toUpperCase()}⟩`);
}

export { MASK } from "../core/records.js";
