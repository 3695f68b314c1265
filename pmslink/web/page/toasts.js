// Notices that a marker changed: one per link, replaced in place; five are shown, the rest counted.

import { el, setAttribute, setSign, setText, sign } from "./dom.js";
import { address, mood, reason } from "./model.js";
import { t } from "./texts.js";

const SHOWN = 5;
const STAY = { bad: 30_000, other: 12_000 }; // milliseconds

/** Notices in `region`. */
export class Toasts {
  #region;
  #toasts = new Map(); // by link, the oldest first
  #rest = el("p", { class: "rest", hidden: true });

  constructor(region) {
    this.#region = region;
    region.replaceChildren(this.#rest);
  }

  /** Say that this link has made this transition. */
  show(link, transition) {
    const toast = this.#toasts.get(link.name) ?? this.#made(link.name);
    setText(toast.from, transition.from);
    setText(toast.to, transition.to);
    setText(toast.why, reason(transition.to, transition.cause, transition.reason, address(link)));
    toast.stay = mood(link) === "bad" ? STAY.bad : STAY.other;
    this.colour(link);
    this.#wait(toast);
    this.#arrange();
  }

  /** Show how this link is now, if there is a notice of it: it may have come in sync meanwhile. */
  colour(link) {
    const toast = this.#toasts.get(link.name);
    if (!toast) return;
    setAttribute(toast.element, "data-mood", mood(link));
    setSign(toast.sign, mood(link));
  }

  clear() {
    for (const name of [...this.#toasts.keys()]) this.#close(name);
  }

  #made(name) {
    const toast = { sign: sign("off"), from: el("span"), to: el("strong"), why: el("p", { class: "why" }) };
    const close = el("button", { class: "close", "aria-label": t("toast.close", { name }), text: "×" });
    const title = el("a", { href: `#/links/${encodeURIComponent(name)}`, text: name });
    const change = el("p", { class: "change" }, toast.from, " → ", toast.to);
    toast.element = el("article", { class: "toast", "data-link": name }, toast.sign, title, change, toast.why, close);
    close.onclick = () => this.#close(name);
    // who reads or reaches for it is not hurried
    const hold = () => clearTimeout(toast.timer);
    const release = () => this.#wait(toast);
    for (const begin of ["pointerenter", "focusin"]) toast.element.addEventListener(begin, hold);
    for (const end of ["pointerleave", "focusout"]) toast.element.addEventListener(end, release);
    toast.name = name;
    this.#toasts.set(name, toast);
    return toast;
  }

  #wait(toast) {
    clearTimeout(toast.timer);
    toast.timer = setTimeout(() => this.#close(toast.name), toast.stay);
  }

  #close(name) {
    const toast = this.#toasts.get(name);
    clearTimeout(toast?.timer);
    toast?.element.remove();
    this.#toasts.delete(name);
    this.#arrange();
  }

  #arrange() {
    const shown = [...this.#toasts.values()].slice(0, SHOWN);
    for (const { element } of shown) if (!element.isConnected) this.#region.insertBefore(element, this.#rest);
    const rest = this.#toasts.size - shown.length;
    this.#rest.hidden = rest === 0;
    setText(this.#rest, rest ? t("toast.rest", { count: rest }) : "");
  }
}
