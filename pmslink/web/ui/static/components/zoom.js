// The choice of a part of a strip by dragging over it, with a mouse, a pen or a finger.

import { el } from "../core/dom.js";

const MIN_PX = 8; // less is a click

/**
 * Call `onChoose(begin, end)` with the shares (0 to 1) of the part of `strip` that is chosen, and `onReset()` at a
 * double click.
 */
export function zoomByDrag(strip, onChoose, onReset) {
  const mark = el("div", { class: "chosen", hidden: true });
  strip.append(mark);
  strip.classList.add("zooms");
  let begin = null;

  const place = ({ clientX }) => {
    const { left, width } = strip.getBoundingClientRect();
    return Math.max(0, Math.min(1, (clientX - left) / width));
  };
  const isWide = (from, to) => Math.abs(to - from) * strip.clientWidth >= MIN_PX;

  strip.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    begin = place(event);
    strip.setPointerCapture(event.pointerId);
  });
  strip.addEventListener("pointermove", (event) => {
    if (begin === null) return;
    const [from, to] = [begin, place(event)].sort((one, other) => one - other);
    mark.hidden = !isWide(from, to);
    mark.style.left = `${from * 100}%`;
    mark.style.width = `${(to - from) * 100}%`;
  });
  strip.addEventListener("pointerup", (event) => {
    const from = begin;
    begin = null;
    mark.hidden = true;
    if (from === null || !isWide(from, place(event))) return;
    onChoose(...[from, place(event)].sort((one, other) => one - other));
  });
  strip.addEventListener("pointercancel", () => {
    begin = null;
    mark.hidden = true;
  });
  strip.addEventListener("dblclick", onReset);
}
