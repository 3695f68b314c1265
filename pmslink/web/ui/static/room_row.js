// One room in the list of all: only what is different is changed.

import { el, setAttribute, setText } from "./core/dom.js";
import { MASK, visible } from "./common_elements.js";
import { guestLanguage, serviceName, statusName, wakeUpName } from "./room_labels.js";
import { has, moment, precisely, t } from "./core/texts.js";

const MARKED = 2500; // milliseconds for which a row that was changed is marked

export class RoomRow {
  room = null; // as it was last told
  #said = "";
  #searched = "";
  #marked = null;
  #name = el("h2");
  #extensions = el("p");
  #guests = el("div", { class: "guests" });
  #phone = el("div", { class: "phone" });
  #changed = el("p", { class: "quiet" });
  element = el(
    "li",
    { class: "room" },
    el("div", { class: "which" }, this.#name, this.#extensions),
    this.#guests,
    this.#phone,
    this.#changed,
  );

  /** Show a room, with the names of its guests or without; gives whether it is another than before. */
  show(room, masked) {
    const said = JSON.stringify(room);
    if (said === this.#said) return false;
    this.#said = said;
    this.room = room;
    setText(this.#name, visible(room.room));
    const unmapped = room.extensions.length === 0;
    const numbers = room.extensions.map(visible).join(", ");
    setText(this.#extensions, unmapped ? t("room.no_extension") : t("room.extensions", { numbers }));
    setAttribute(this.#extensions, "class", unmapped ? "fault" : "quiet");
    setLines(this.#phone, phoneLines(room));
    setAttribute(this.#changed, "title", precisely(room.changed));
    this.tick();
    this.mask(masked);
    return true;
  }

  /** Show the names of the guests, or hide them; what is hidden is not found either. */
  mask(masked) {
    const names = this.room.guests.map((guest) => nameOf(guest, masked));
    setLines(this.#guests, guestLines(this.room, names, masked));
    const fields = masked ? [] : this.room.guests.flatMap((guest) => Object.values(guest.fields));
    const searched = [this.room.room, ...this.room.extensions, ...names, ...fields];
    this.#searched = searched.join("\n").toLowerCase();
  }

  /** The day of a change is told from the next day on. */
  tick() {
    setText(this.#changed, t("room.changed", { at: moment(this.room.changed) }));
  }

  says(wanted) {
    return !wanted || this.#searched.includes(wanted);
  }

  /** For a moment, show that it was changed just now. */
  mark() {
    clearTimeout(this.#marked);
    this.element.classList.add("fresh");
    this.#marked = setTimeout(() => this.element.classList.remove("fresh"), MARKED);
  }
}

// Lines are pairs of class and text.

function setLines(cell, lines) {
  lines.forEach(([kind, text], place) => {
    const line = cell.children[place] ?? cell.appendChild(el("p"));
    setAttribute(line, "class", kind);
    setText(line, text);
  });
  while (cell.children.length > lines.length) cell.lastChild.remove();
}

function guestLines({ guests }, names, masked) {
  if (!guests.length) return [["quiet", t("room.vacant")]];
  return guests.flatMap((guest, place) => {
    const more = [];
    if (guest.language) more.push(guestLanguage(guest.language));
    if (guest.vip) more.push(t("room.vip", { vip: visible(guest.vip) }));
    const lines = [["guest", names[place]]];
    if (guest.no_post) lines.push(["no-post", t("room.no_post")]);
    if (more.length) lines.push(["quiet", more.join(" · ")]);
    const fields = Object.entries(guest.fields).map(([code, text]) => fieldLine(code, masked ? MASK : visible(text)));
    if (fields.length) lines.push(["quiet fields", fields.join(" · ")]);
    return lines;
  });
}

/** What the PMS sent of a guest in a field of its own. */
function fieldLine(code, text) {
  return t("room.field", { field: has(`field.${code}`) ? t(`field.${code}`) : visible(code), text });
}

function nameOf(guest, masked) {
  const parts = [guest.name, guest.first_name, guest.title].filter(Boolean);
  if (!parts.length) return t("room.unnamed");
  return masked ? MASK : parts.map(visible).join(", ");
}

function phoneLines({ class_of_service: service, do_not_disturb, message_light, status, wake_ups }) {
  const lines = [];
  if (do_not_disturb) lines.push(["light dnd", t("room.dnd")]);
  if (message_light) lines.push(["light message", t("room.message")]);
  for (const wakeUp of wake_ups) lines.push([wakeUp.attempts ? "wake-up rings" : "wake-up", wakeUpName(wakeUp)]);
  if (service !== null) lines.push(["service", serviceName(service)]);
  if (status !== null) lines.push(["status", t("room.housekeeping", { status: statusName(status) })]);
  return lines;
}
