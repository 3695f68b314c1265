// The signs of a room that the front desk sets: do-not-disturb, make-up-room, message light; and its housekeeping.

import { call, latestOf, ofLink } from "../core/api.js";
import { el, setAttribute } from "../core/dom.js";
import { CONDITIONS, conditionOf, requestedStatus, statusOf } from "../core/rooms.js";
import { t } from "../core/texts.js";
import { outcome } from "./outcome.js";
import { setNote } from "./set_note.js";
import { segments, switchField } from "./toggles.js";

/** FIAS knows voice messages only: the PMS gets one, or none. */
const lightBody = (on) => ({ unread: on ? 1 : 0, light: on });

/** The switches: the fact of the room that each shows, what it is among what was set, and what is asked for. */
const SWITCHES = [
  { fact: "do_not_disturb", set: "do_not_disturb", text: "room.dnd", path: "dnd", body: (on) => ({ on }) },
  { fact: "make_up_room", set: "make_up_room", text: "room.make_up", path: "make-up-room", body: (on) => ({ on }) },
  { fact: "message_light", set: "voicemail", text: "room.msg", path: "voicemail", body: lightBody },
];

/**
 * Make the switches of a room. `update(room, {isAllowed, lastSet})` shows them; `onChanged()` is called after each
 * change.
 */
export function roomSwitches(link, onChanged) {
  const made = SWITCHES.map((one) => roomSwitch(link, one, onChanged));
  const element = el("div", { class: "act" }, ...made.map((one) => one.element));
  return {
    element,
    update: (room, context) => made.forEach((one) => one.update(room, context)),
  };
}

function roomSwitch(link, { fact, set, text, path, body }, onChanged) {
  const result = outcome();
  const note = setNote();
  const send = latestOf(change);
  const { element: label, input } = switchField(t(text), (on) => send((chosen = on)));
  let room = null;
  let chosen = null; // what the reader wants, until the service has answered

  async function change(on) {
    const request = () => call("PUT", ofLink(link, "rooms", room.room, path), body(on));
    const isDone = await result.attempt(request, (why) => t("room.failed", { what: t(text), why }));
    if (chosen !== on) return; // the reader has changed it again, which comes next
    chosen = null;
    if (isDone) onChanged();
    else input.checked = room[fact];
  }

  function update(shown, { isAllowed, lastSet }) {
    room = shown;
    note.update(lastSet[set]);
    input.checked = chosen ?? Boolean(room[fact]);
    setAttribute(input, "disabled", !isAllowed);
  }

  return { element: el("div", {}, label, note.element, result.element), update };
}

/** Make the buttons of housekeeping of one room. `update(room, {isAllowed, codes, lastSet})` shows which one is pressed. */
export function housekeepingButtons(link, onChanged) {
  const choices = CONDITIONS.map((key) => ({ key, text: t(`hk.${key}`) }));
  const group = segments(t("room.hk"), choices, choose);
  const result = outcome();
  const note = setNote();
  const title = el("span", { class: "small quiet", text: t("room.hk") });
  const element = el("div", { class: "act" }, title, group.element, note.element, result.element);
  const send = latestOf(change);
  group.element.classList.add("wide");
  let room = null;
  let codes = {};
  let chosen = null; // what the reader wants, until the service has answered

  function choose(condition) {
    chosen = condition;
    group.press(condition);
    send(condition);
  }

  async function change(condition) {
    const status = requestedStatus(statusOf(condition, room), codes);
    const request = () => call("PUT", ofLink(link, "rooms", room.room, "status"), { status });
    const isDone = await result.attempt(request, (why) => t("room.failed", { what: t("room.hk"), why }));
    if (chosen !== condition) return; // the reader has changed it again, which comes next
    chosen = null;
    if (isDone) onChanged();
    else group.press(conditionOf(room.status));
  }

  function update(shown, { isAllowed, codes: hotelCodes, lastSet }) {
    room = shown;
    codes = hotelCodes;
    note.update(lastSet.status);
    group.press(chosen ?? conditionOf(room.status));
    for (const [condition, button] of group.buttons) {
      const isKnown = requestedStatus(statusOf(condition, room), codes) !== null;
      setAttribute(button, "disabled", !isAllowed || !isKnown);
      setAttribute(button, "title", isKnown ? null : t("room.hk_code"));
    }
  }

  return { element, update };
}
