// A room in the floor view: a button with all that the front desk asks for at a glance.

import { el, icon, part, setAttribute, setText } from "../core/dom.js";
import { nextWakeUp } from "../core/rooms.js";
import { t } from "../core/texts.js";
import { markChanged } from "./changed.js";
import { visible } from "./elements.js";
import { statusMood, statusName, whoIsIn } from "./room_labels.js";

/**
 * The signs of a room: do-not-disturb, message, by hand. `update(room)` shows those that are on.
 */
export function roomSigns() {
  const signs = {
    do_not_disturb: el("span", { class: "dnd", hidden: true }, icon("moon", t("rooms.dnd"))),
    message_light: el("span", { class: "msg", hidden: true }, icon("mail", t("rooms.message"))),
    by_hand: el("span", { hidden: true }, icon("hand", t("rooms.hand"))),
  };
  const element = el("span", { class: "marks" }, ...Object.values(signs));
  const update = (room) => {
    for (const [fact, sign] of Object.entries(signs)) setAttribute(sign, "hidden", !room[fact]);
  };
  return { element, update };
}

/** The next wake-up of a room with its time of day. */
function nextRing() {
  const time = el("span");
  const element = el("span", { class: "wake", hidden: true }, icon("alarm", t("rooms.wake")), time);
  const update = (room) => {
    const next = nextWakeUp(room);
    setAttribute(element, "hidden", next === null);
    setText(time, next === null ? "" : next.at.slice(11, 16));
  };
  return { element, update };
}

/** What housekeeping says of a room, in its colour. */
export function housekeeping() {
  const element = el("span", { class: "hk" });
  const update = ({ status }) => {
    setAttribute(element, "hidden", status === null);
    setAttribute(element, "data-mood", statusMood(status));
    setText(element, statusName(status));
  };
  return { element, update };
}

function build({ room, open }) {
  const elements = {
    number: el("b", { text: visible(room.room) }),
    signs: roomSigns(),
    who: el("span", { class: "who cut" }),
    status: housekeeping(),
    ring: nextRing(),
  };
  const shown = [elements.number, elements.signs.element, elements.who, elements.status.element, elements.ring.element];
  const props = { type: "button", "data-room": room.room, tabindex: "-1", onclick: () => open(room.room) };
  return { ...elements, element: el("button", props, ...shown) };
}

function update(elements, item) {
  const { room, areNamesShown, isOpen } = item;
  const before = elements.shown;
  if (before && before.room === room && before.areNamesShown === areNamesShown && before.isOpen === isOpen) return;
  elements.shown = item;
  const { element, signs, who, status, ring } = elements;
  element.classList.add("tile");
  element.classList.toggle("vacant", room.guests.length === 0);
  element.classList.toggle("hand", Boolean(room.by_hand));
  setAttribute(element, "aria-pressed", String(isOpen));
  signs.update(room);
  status.update(room);
  ring.update(room);
  const text = whoIsIn(room, areNamesShown);
  setText(who, text);
  setAttribute(who, "title", text);
  if (before && before.room !== room) markChanged(element);
}

/** A tile for `{room, areNamesShown, isOpen, open}`; `open(name)` is called when it is chosen. */
export const roomTile = part(build, update);
