// The findings of a link as a list: in the list of links, and on the link's own page.

import { arrange, el, setAttribute, setSign, setText, sign } from "./core/dom.js";
import { visible } from "./common_elements.js";
import { findings } from "./findings.js";
import { documentPlaceOf } from "./hints.js";
import { settingsPlaceOf } from "./link_model.js";
import { t } from "./core/texts.js";

const MOODS = { decide: "bad", look: "look", wait: "wait" };

/** The list; `show(link)` shows what there is, and changes only what differs. */
export function findingsList() {
  const element = el("ul", { class: "findings", "aria-label": t("finding.title"), hidden: true });
  const items = new Map(); // by code

  function show(link) {
    const found = findings(link);
    element.hidden = found.length === 0;
    const wanted = found.map((one) => {
      if (!items.has(one.code)) items.set(one.code, new Item());
      return items.get(one.code).shown(one, link.name);
    });
    const codes = new Set(found.map(({ code }) => code));
    for (const code of items.keys()) if (!codes.has(code)) items.delete(code);
    arrange(element, wanted);
  }

  return { element, show };
}

class Item {
  #sign = sign("off");
  #text = el("span");
  #link = el("a", { class: "suggestion" });
  #more = el("a", { class: "more", target: "_blank", rel: "noopener" });
  element = el("li", {}, this.#sign, el("p", {}, this.#text, " ", this.#link, " ", this.#more));

  shown({ code, level, text, hint, suggestion }, name) {
    setAttribute(this.element, "data-finding", code);
    setAttribute(this.element, "data-level", level);
    setAttribute(this.element, "data-mood", MOODS[level]);
    setSign(this.#sign, MOODS[level]);
    setText(this.#text, visible(suggestion ? `${text} —` : text));
    this.#link.hidden = !suggestion;
    setText(this.#link, suggestion ?? "");
    setAttribute(this.#link, "href", suggestion ? settingsPlaceOf(name, hint) : null);
    this.#more.hidden = !hint;
    setText(this.#more, hint ? t("finding.more") : "");
    setAttribute(this.#more, "href", hint ? documentPlaceOf(hint) : null);
    return this.element;
  }
}
