// Notices that a marker changed: one per link, replaced in place; some are shown, the rest counted.

import { arrange, el, setAttribute, setSign, setText, sign } from "./dom.js";
import { address, mood, placeOf, reason } from "./link_model.js";
import { button } from "./common_elements.js";
import { t } from "./translations.js";

const SHOWN = 5;
const SHOWN_ON_A_PHONE = 2;
const STAY = { bad: 30, other: 12 }; // seconds that each is on the screen

/** Notices in `region`. */
export class Toasts {
  #region;
  #toasts = new Map(); // by link, the oldest first
  #rest = el("a", { class: "rest", href: "#/" });
  #phone = matchMedia("(max-width: 40rem)");

  constructor(region) {
    this.#region = region;
    setInterval(() => this.#tick(), 1000);
  }

  /** Say that this link has made this transition. */
  show(link, transition) {
    const toast = this.#toasts.get(link.name) ?? this.#made(link.name);
    setText(toast.from, transition.from);
    setText(toast.to, transition.to);
    setText(toast.why, reason(transition.to, transition.cause, transition.reason, address(link)));
    this.colour(link);
    toast.left = toast.mood === "bad" ? STAY.bad : STAY.other;
    this.#arrange();
  }

  /** Show how this link is now, if there is a notice of it: it may have come in sync meanwhile. */
  colour(link) {
    const toast = this.#toasts.get(link.name);
    if (!toast) return;
    toast.mood = mood(link);
    setAttribute(toast.element, "data-mood", toast.mood);
    setSign(toast.sign, toast.mood);
  }

  clear() {
    this.#toasts.clear();
    this.#arrange();
  }

  #made(name) {
    const toast = { sign: sign("off"), from: el("span"), to: el("strong"), why: el("p", { class: "why" }) };
    const props = { class: "close", "aria-label": t("toast.close", { name }) };
    const close = button("×", () => this.#close(name), props);
    const title = el("a", { href: placeOf(name), text: name });
    const change = el("p", { class: "change" }, toast.from, " → ", toast.to);
    const whole = { class: "toast", "data-link": name, "aria-atomic": "true" };
    toast.element = el("article", whole, toast.sign, title, change, toast.why, close);
    this.#toasts.set(name, toast);
    return toast;
  }

  /** Time passes for those that somebody can see, and nobody reads or reaches for. */
  #tick() {
    if (document.hidden) return;
    for (const [name, toast] of this.#toasts) {
      const seen = toast.element.isConnected && !toast.element.matches(":hover, :focus-within");
      if (seen && --toast.left <= 0) this.#close(name);
    }
  }

  #close(name) {
    this.#toasts.delete(name);
    this.#arrange();
  }

  /** What is bad is shown before what is not, and the newest before others; where it stands, it stays. */
  #arrange() {
    const all = [...this.#toasts.values()];
    const order = (toast) => (toast.mood === "bad" ? all.length : 0) + all.indexOf(toast);
    const first = [...all].sort((one, other) => order(other) - order(one));
    const chosen = new Set(first.slice(0, this.#phone.matches ? SHOWN_ON_A_PHONE : SHOWN));
    const shown = all.filter((toast) => chosen.has(toast)).map((toast) => toast.element);
    const rest = all.length - shown.length;
    setText(this.#rest, t("toast.rest", { count: rest }));
    arrange(this.#region, rest ? [...shown, this.#rest] : shown);
  }
}
