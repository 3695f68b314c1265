// New rows on top of a list wait while a reader points at the list or has scrolled it: nothing moves under the finger.

import { el, setAttribute, setText } from "../core/dom.js";
import { t } from "../core/texts.js";
import { button } from "./elements.js";

const STICKY_PX = 90; // height of the header and the bar, under which rows are hidden

/**
 * Hold back new rows of `list`: `{element, state, filter(items), release(), close()}`.
 *
 * `filter` returns the items, which have an `id` and are newest first, without those that wait; `element` holds the
 * list, and a bar above it: its button says how many do, else it shows `state`, an element for a few words. The bar
 * is always there, so that no row moves when rows begin to wait. `onRelease()` is called when they may be shown.
 */
export function heldBack(list, onRelease) {
  let newest = null; // the id of the newest item that is shown
  let isPointedAt = false;
  const waitingButton = button("", () => letGo(), { class: "plain", hidden: true });
  const state = el("span", { class: "tiny" });
  const element = el("div", {}, el("div", { class: "new-rows" }, waitingButton, state), list);

  const isScrolled = () => list.getBoundingClientRect().top < STICKY_PX;
  const release = () => {
    newest = null;
  };
  const letGo = () => {
    release();
    onRelease();
  };
  const leave = () => {
    isPointedAt = false;
    if (!waitingButton.hidden && !isScrolled()) letGo();
  };
  const point = ({ pointerType }) => {
    isPointedAt = pointerType === "mouse";
  };
  const scrolled = () => !waitingButton.hidden && !isPointedAt && !isScrolled() && letGo();

  element.addEventListener("pointerenter", point);
  element.addEventListener("pointerleave", leave);
  addEventListener("scroll", scrolled, { passive: true });

  function filter(items) {
    const waiting = newest === null || !(isPointedAt || isScrolled()) ? [] : items.filter(({ id }) => id > newest);
    setAttribute(waitingButton, "hidden", waiting.length === 0);
    setAttribute(state, "hidden", waiting.length > 0);
    if (waiting.length) setText(waitingButton, t(waiting.length === 1 ? "rec.new_one" : "rec.new_n", { count: waiting.length }));
    const shown = items.slice(waiting.length);
    newest = shown[0]?.id ?? newest;
    return shown;
  }

  return { element, state, filter, release, close: () => removeEventListener("scroll", scrolled) };
}
