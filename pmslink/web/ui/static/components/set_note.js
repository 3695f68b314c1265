// Who last set something in a room, and whether the PMS has it.

import { el, setAttribute, setText } from "../core/dom.js";
import { minute, precisely, t } from "../core/texts.js";
import { isNamed } from "./elements.js";

const REACHED = {
  done: "room.set.done",
  pending: "room.set.waits",
  sent: "room.set.waits",
  unknown: "room.set.unknown",
  refused: "room.set.refused",
  discarded: "room.set.discarded",
};

/**
 * Make the note. `update(last)` shows the last change as the interface has it: `{by, at, state}` with the state of the
 * row for the PMS; undefined if nobody has set it.
 */
export function setNote() {
  const element = el("p", { class: "tiny", hidden: true });

  function update(last) {
    setAttribute(element, "hidden", !last);
    if (!last) return;
    const { by, at, state } = last;
    const reached = state in REACHED ? t(REACHED[state]) : state;
    setText(element, t(isNamed(by) ? "room.set_by" : "room.set_at", { who: by, at: minute(at), reached }));
    setAttribute(element, "title", precisely(at));
  }

  return { element, update };
}
