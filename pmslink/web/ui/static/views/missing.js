// An address that stands for no view: nothing of this name, and the way back.

import { el } from "../core/dom.js";
import { t } from "../core/texts.js";

/** The view of an address of nothing. */
export function view() {
  const back = el("a", { class: "btn", href: "#/", text: t("link.to_all") });
  return {
    element: el("div", { class: "stack" }, el("h1", { text: t("link.missing") }), el("p", {}, back)),
    title: () => t("link.missing"),
  };
}
