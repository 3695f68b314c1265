// The signs of a room that the front desk sets: do-not-disturb, make-up-room, message light; and its housekeeping.

import { call, oneAtATime, ofLink } from "../core/api.js";
import { el, setAttribute } from "../core/dom.js";
import { CONDITIONS, conditionOf, requestedStatus, statusOf } from "../core/rooms.js";
import { t } from "../core/texts.js";
import { outcome } from "./outcome.js";
import { segments, switchField } from "./toggles.js";

/** The switches: the fact of the room that each shows, its text, and what the interface is asked for. */
const SWITCHES = [
  { fact: "do_not_disturb", text: "room.dnd", path: "dnd", body: (on) => ({ on }) },
  { fact: "make_up_room", text: "room.make_up", path: "make-up-room", body: (on) => ({ on }) },
  { fact: "message_light", text: "room.msg", path: "voicemail", body: (on) => ({ unread: on ? 1 : 0 }) },
];

/** Make the switches of a room. `update(room, {isAllowed})` shows them; `onChanged()` is called after each change. */
export function roomSwitches(link, onChanged) {
  const made = SWITCHES.map((one) => roomSwitch(link, one, onChanged));
  const element = el("div", { class: "act" }, ...made.map((one) => one.element));
  return { element, update: (room, context) => made.forEach((one) => one.update(room, context)) };
}

function roomSwitch(link, { fact, text, path, body }, onChanged) {
  const result = outcome();
  const { element: label, input } = switchField(t(text), oneAtATime(change));
  let room = null;
  let isRunning = false;

  async function change(on) {
    isRunning = true;
    const request = () => call("PUT", ofLink(link, "rooms", room.room, path), body(on));
    const isDone = await result.attempt(request, (why) => t("room.failed", { what: t(text), why }));
    isRunning = false;
    if (isDone) onChanged();
    else input.checked = room[fact];
  }

  function update(shown, { isAllowed }) {
    room = shown;
    if (!isRunning) input.checked = Boolean(room[fact]);
    setAttribute(input, "disabled", !isAllowed);
  }

  return { element: el("div", {}, label, result.element), update };
}

/** Make the buttons of housekeeping. `update(room, {isAllowed, codes})` shows which one is pressed. */
export function housekeepingButtons(link, onChanged) {
  const choices = CONDITIONS.map((key) => ({ key, text: t(`hk.${key}`) }));
  const group = segments(t("room.hk"), choices, oneAtATime(change));
  const result = outcome();
  const element = el("div", { class: "act" }, el("span", { class: "small quiet", text: t("room.hk") }), group.element, result.element);
  group.element.classList.add("wide");
  let room = null;
  let codes = {};

  async function change(condition) {
    const status = requestedStatus(statusOf(condition, room), codes);
    group.press(condition);
    const request = () => call("PUT", ofLink(link, "rooms", room.room, "status"), { status });
    const isDone = await result.attempt(request, (why) => t("room.failed", { what: t("room.hk"), why }));
    if (isDone) onChanged();
    else group.press(conditionOf(room.status));
  }

  function update(shown, { isAllowed, codes: hotelCodes }) {
    room = shown;
    codes = hotelCodes;
    group.press(conditionOf(room.status));
    for (const [condition, button] of group.buttons) {
      const isKnown = requestedStatus(statusOf(condition, room), codes) !== null;
      setAttribute(button, "disabled", !isAllowed || !isKnown);
      setAttribute(button, "title", isKnown ? null : t("room.hk_code"));
    }
  }

  return { element, update };
}
