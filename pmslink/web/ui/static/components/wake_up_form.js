// The wake-ups of a room: those that are set, and one more.

import { call, ofLink } from "../core/api.js";
import { now } from "../core/clock.js";
import { el, icon, keyed, part, setAttribute, setText } from "../core/dom.js";
import { isElsewhere, localDate, localTime, proposedWakeUp, wakeUpTime } from "../core/hotel_time.js";
import { t } from "../core/texts.js";
import { outcome } from "./outcome.js";
import { wakeUpMoment, wakeUpName } from "./room_labels.js";
import { setNote } from "./set_note.js";

const MOST_DAYS = 365; // the service takes wake-ups within a year
const DAYS = ["today", "tomorrow", "date"];

const wakeUpRow = part(
  ({ wakeUp, cancel }) => {
    const at = el("b");
    const button = el("button", { type: "button", class: "btn-s", text: t("room.wake_cancel"), onclick: () => cancel(wakeUp.at) });
    return { at, button, element: el("li", { class: "row" }, el("span", { class: "row" }, icon("alarm"), at), button) };
  },
  ({ at, button }, { wakeUp, zone, isAllowed }) => {
    setText(at, wakeUpName(wakeUp, zone));
    setAttribute(button, "aria-label", t("room.wake_cancel_of", { at: wakeUpMoment(wakeUp.at, zone) }));
    setAttribute(button, "disabled", !isAllowed);
  },
);

/**
 * Make the form of one room. `update(room, {zone, isAllowed, lastSet})` shows the wake-ups of a room; `onChanged()` is called when one was
 * set or cancelled.
 */
export function wakeUpForm(link, onChanged) {
  const list = el("ul", { class: "wake-ups" });
  const fields = newWakeUp(() => submit());
  const zoneNote = el("p", { class: "tiny", hidden: true });
  const result = outcome();
  const note = setNote();
  const element = el("div", { class: "act" }, list, note.element, fields.element, zoneNote, result.element);
  let room = null;
  let zone = null;

  function update(shown, { zone: hotelZone, isAllowed, lastSet }) {
    room = shown.room;
    note.update(lastSet.wake_ups);
    zone = hotelZone;
    const rows = [...shown.wake_ups].sort((one, other) => (one.at < other.at ? -1 : 1));
    keyed(list, rows.map((wakeUp) => ({ wakeUp, zone, isAllowed, cancel })), ({ wakeUp }) => wakeUp.at, wakeUpRow);
    setAttribute(list, "hidden", rows.length === 0);
    fields.allow(isAllowed, zone);
    tick();
  }

  /** Say what time it is in the hotel, if that is another one than here. */
  function tick() {
    const away = isElsewhere(now(), zone);
    setAttribute(zoneNote, "hidden", !away);
    setText(zoneNote, away ? t("room.zone", { zone, time: localTime(now(), zone).slice(11) }) : "");
  }

  async function submit() {
    const at = wakeUpTime(fields.values(), now(), zone);
    if (at === null) return result.show(t("room.wake_missing"), true);
    const path = ofLink(link, "rooms", room, "wake-up");
    const isSet = await result.attempt(() => call("PUT", path, { at }), (why) => t("room.failed_wake", { why }));
    if (!isSet) return undefined;
    result.show(t("room.done_wake", { at: wakeUpMoment(at, zone) }));
    fields.reset();
    return onChanged();
  }

  async function cancel(at) {
    const path = `${ofLink(link, "rooms", room, "wake-up")}?${new URLSearchParams({ at })}`;
    const isDone = await result.attempt(() => call("DELETE", path), (why) => t("room.failed_cancel", { why }));
    if (!isDone) return;
    result.show(t("room.done_cancel", { at: wakeUpMoment(at, zone) }));
    fields.focus(); // the button that was pressed is going
    onChanged();
  }

  return { element, update, tick, draft: fields.values, restore: fields.fill };
}

/** The fields of one more wake-up. */
function newWakeUp(onSubmit) {
  const time = /** @type {HTMLInputElement} */ (el("input", { type: "time", id: "wake-up-time", class: "wake-time" }));
  const options = DAYS.map((day) => el("option", { value: day, text: t(`room.${day}`) }));
  const day = /** @type {HTMLSelectElement} */ (el("select", { "aria-label": t("room.wake_day"), onchange: showDate }, ...options));
  const date = /** @type {HTMLInputElement} */ (el("input", { type: "date", "aria-label": t("room.wake_date"), hidden: true }));
  const set = el("button", { type: "submit", text: t("room.set") });
  const element = el(
    "form",
    { class: "wake-new", onsubmit: submit },
    el("label", { class: "small quiet", for: "wake-up-time", text: t("room.wake_set") }),
    el("div", { class: "row" }, time, day, date, set),
  );

  function submit(event) {
    event.preventDefault();
    onSubmit();
  }

  function showDate() {
    setAttribute(date, "hidden", day.value !== "date");
  }

  function allow(isAllowed, zone) {
    for (const control of [time, day, date, set]) setAttribute(control, "disabled", !isAllowed);
    setAttribute(date, "min", localDate(now(), zone));
    setAttribute(date, "max", localDate(now(), zone, MOST_DAYS));
  }

  function fill(values) {
    time.value = values.time;
    day.value = values.day;
    date.value = values.date ?? "";
    showDate();
  }

  fill(proposedWakeUp());
  const values = () => ({ time: time.value, day: day.value, date: date.value });
  return { element, allow, values, fill, reset: () => fill(proposedWakeUp()), focus: () => time.focus() };
}
