// New rows on top of a list wait while a reader points at the list or has scrolled it: nothing moves under the finger.

import { setAttribute, setText } from "../core/dom.js";
import { t } from "../core/texts.js";
import { button } from "./elements.js";

/**
 * Hold back new rows of `list`: `{element, filter(items), release(), close()}`.
 *
 * `filter` returns the items, which have an `id` and are newest first, without those that wait; `element` is the
 * button that says how many do. `onRelease()` is called when they may be shown.
 */
export function heldBack(list, onRelease) {
  let newest = null; // the id of the newest item that is shown
  let isPointedAt = false;
  const element = button("", () => letGo(), { class: "plain new-rows", hidden: true });

  const isScrolled = () => list.getBoundingClientRect().top < 0;
  const release = () => {
    newest = null;
  };
  const letGo = () => {
    release();
    onRelease();
  };
  const leave = () => {
    isPointedAt = false;
    if (!element.hidden && !isScrolled()) letGo();
  };
  const point = ({ pointerType }) => {
    isPointedAt = pointerType === "mouse";
  };
  const scrolled = () => !element.hidden && !isPointedAt && !isScrolled() && letGo();

  list.addEventListener("pointerenter", point);
  list.addEventListener("pointerleave", leave);
  addEventListener("scroll", scrolled, { passive: true });

  function filter(items) {
    const waiting = newest === null || !(isPointedAt || isScrolled()) ? [] : items.filter(({ id }) => id > newest);
    setAttribute(element, "hidden", waiting.length === 0);
    if (waiting.length) setText(element, t("rec.new_n", { count: waiting.length }));
    const shown = items.slice(waiting.length);
    newest = shown[0]?.id ?? newest;
    return shown;
  }

  return { element, filter, release, close: () => removeEventListener("scroll", scrolled) };
}
