// The choice of a part of a strip by dragging over it, with a mouse, a pen or a finger.

import { el } from "../core/dom.js";

const MIN_PX = 8; // less is a click

/**
 * Call `onChoose(begin, end)` with the shares (0 to 1) of the part of `strip` that is chosen, by dragging over it or
 * with two fingers at its ends, and `onReset()` at a double click.
 */
export function zoomByDrag(strip, onChoose, onReset) {
  const mark = el("div", { class: "chosen", hidden: true });
  const places = new Map(); // of the pointers that are down: where each began, and where it is
  strip.append(mark);
  strip.classList.add("zooms");

  const place = ({ clientX }) => {
    const { left, width } = strip.getBoundingClientRect();
    return Math.max(0, Math.min(1, (clientX - left) / width));
  };
  const isWide = (from, to) => (to - from) * strip.clientWidth >= MIN_PX;
  const move = (event) => places.has(event.pointerId) && Object.assign(places.get(event.pointerId), { now: place(event) });
  const end = () => {
    places.clear();
    mark.hidden = true;
  };

  strip.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    places.set(event.pointerId, { begin: place(event), now: place(event) });
    strip.setPointerCapture(event.pointerId);
  });
  strip.addEventListener("pointermove", (event) => {
    if (!move(event)) return;
    const [from, to] = chosenPart(places);
    mark.hidden = !isWide(from, to);
    mark.style.left = `${from * 100}%`;
    mark.style.width = `${(to - from) * 100}%`;
  });
  strip.addEventListener("pointerup", (event) => {
    if (!move(event)) return;
    const [from, to] = chosenPart(places);
    end();
    if (isWide(from, to)) onChoose(from, to);
  });
  strip.addEventListener("pointercancel", end);
  strip.addEventListener("dblclick", onReset);
}

/** The part that is chosen: between two fingers, or from where a pointer began to where it is. */
function chosenPart(places) {
  const [first, second] = places.values();
  return (second ? [first.now, second.now] : [first.begin, first.now]).sort((one, other) => one - other);
}
