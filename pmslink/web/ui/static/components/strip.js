// The strip under the header: one lasting state of the page or the service at a time, the worst.

import { announce } from "../core/announcer.js";
import { el, icon, setText } from "../core/dom.js";
import { t } from "../core/texts.js";

const KINDS = ["offline", "store", "refused", "newer", "failed"]; // the worst first

const texts = new Map();

/** Show, change or with "" remove the strip of a kind of `KINDS`. */
export function setStrip(kind, text) {
  texts.set(kind, text);
  const place = document.getElementById("strip");
  const worst = KINDS.find((one) => texts.get(one));
  if (worst === undefined) return place.replaceChildren();
  if (place.dataset.kind !== worst || !place.firstChild) {
    place.dataset.kind = worst;
    place.replaceChildren(build(worst));
    announce(texts.get(worst)); // once: the text of a strip may change each second
  }
  return setText(place.querySelector(".text"), texts.get(worst));
}

function build(kind) {
  const reload = el("button", { type: "button", class: "btn-s", text: t("strip.reload"), onclick: () => location.reload() });
  const text = el("span", { class: "text" });
  return el("div", { class: "strip" }, icon(kind === "newer" ? "info" : "wait"), text, kind === "newer" ? reload : null);
}

/** Build the strip anew, in another language. */
export function clearStrips() {
  texts.clear();
  document.getElementById("strip").replaceChildren();
}
