// The bar under a form: how much was changed, what saving does, and the buttons.

import { el, setText } from "../core/dom.js";
import { t } from "../core/texts.js";
import { button } from "./elements.js";

/** The bar; `discard()`, `test()` and `save()` are what its buttons do. */
export class SaveBar {
  #count = el("b");
  #closes = el("span", { class: "small quiet" });
  #sentence = el("span", { class: "small", role: "status" });
  #discard;
  #save;

  constructor({ discard, test, save }) {
    this.save = save;
    this.#discard = button(t("set.cancel"), discard, { class: "plain", id: "discard" });
    this.#save = el("button", { type: "submit", class: "primary", id: "save", text: t("set.save") });
    const buttons = el("span", { class: "push row" }, this.#discard, button(t("set.test_short"), test, { id: "start-test" }), this.#save);
    this.element = el("div", { class: "savebar" }, this.#count, this.#closes, this.#sentence, buttons);
  }

  /** Show the number of changes, that saving closes the link (or ""), and what came of the last button (or ""). */
  show(count, closes, sentence) {
    setText(this.#count, count === 0 ? t("set.unchanged") : count === 1 ? t("set.changed.one") : t("set.changed", { count }));
    setText(this.#closes, closes);
    setText(this.#sentence, sentence);
    this.#discard.hidden = count === 0;
    this.#save.disabled = count === 0;
  }
}
