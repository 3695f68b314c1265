// What is known of a room and its guests, line by line.

import { el, icon, setAttribute, setText } from "../core/dom.js";
import { has, minute, precisely, t } from "../core/texts.js";
import { MASK, visible } from "./elements.js";
import { className, guestLanguage, shownName, stayText } from "./room_labels.js";

/** Make the facts of a room. `update(room, {areNamesShown})` writes what differs. */
export function roomFacts() {
  const list = el("dl", { class: "kv" });
  const hand = el("p", { class: "pill", "data-mood": "wait", hidden: true }, icon("hand"), el("span"));
  const element = el("div", { class: "in" }, list, hand);

  function update(room, { areNamesShown }) {
    writeFacts(list, room.guests.length ? occupiedFacts(room, areNamesShown) : vacantFacts(room));
    setAttribute(hand, "hidden", !room.by_hand);
    if (!room.by_hand) return;
    const { by, at } = room.by_hand;
    setText(hand.lastElementChild, t(by === null ? "room.by_hand_at" : "room.by_hand", { who: by, at: minute(at) }));
    setAttribute(hand, "title", precisely(at));
  }

  return { element, update };
}

// Facts are pairs of name and value.

function writeFacts(list, facts) {
  facts.flat().forEach((text, place) => {
    const tag = place % 2 ? "dd" : "dt";
    setText(list.children[place] ?? list.appendChild(el(tag)), text);
  });
  while (list.children.length > 2 * facts.length) list.lastChild.remove();
}

const vacantFacts = (room) => [[t("room.guest"), t("room.vacant")], ...classFact(room)];

function occupiedFacts(room, areNamesShown) {
  return [...room.guests.flatMap((guest) => guestFacts(guest, areNamesShown)), ...classFact(room)];
}

const classFact = ({ class_of_service: number }) => (number === null ? [] : [[t("room.class"), className(number)]]);

function guestFacts(guest, areNamesShown) {
  const facts = [[t("room.guest"), [shownName(guest, areNamesShown), ...remarks(guest)].join(" · ")]];
  if (guest.arrival || guest.departure) facts.push([t("room.stay"), stayText(guest)]);
  if (guest.language) facts.push([t("room.language"), guestLanguage(guest.language)]);
  for (const [code, text] of Object.entries(guest.fields)) {
    const name = has(`field.${code}`) ? t(`field.${code}`) : visible(code);
    facts.push([name, areNamesShown ? visible(text) : MASK]);
  }
  return facts;
}

function remarks({ vip, no_post: noPost }) {
  return [vip ? t("room.vip", { vip: visible(vip) }) : null, noPost ? t("room.no_post") : null].filter(Boolean);
}
