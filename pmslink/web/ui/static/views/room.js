// The panel of one room: its guest, wake-ups, signs and housekeeping, and work by hand while the PMS is away.

import { el, icon, setAttribute, setText } from "../core/dom.js";
import { minute, precisely, t } from "../core/texts.js";
import { byHandForm } from "../components/by_hand_form.js";
import { visible } from "../components/elements.js";
import { roomFacts } from "../components/room_facts.js";
import { housekeepingButtons, roomSwitches } from "../components/room_switches.js";
import { sidePanel } from "../components/side_panel.js";
import { wakeUpForm } from "../components/wake_up_form.js";

/**
 * Make the panel for the rooms of a link. Each room gets forms of its own: nothing that was written for one, and no
 * answer about it, is shown with another.
 *
 * `show(name, room, look)` shows a room; `room` is undefined while it is loaded, and null if nothing is known of it.
 * `look` has `areNamesShown`, `isAllowed` (to change something), `isOffered` (work by hand), `isWaiting` (what is set
 * waits for the PMS), the hotel's `zone`, its status `codes`, what was `lastSet`, and the names of `vacant` rooms.
 * `hide()` takes the panel away. `onClose()` is called when the reader wants that, `onChanged(room)` after each change.
 */
export function roomPanel({ link, onClose, onChanged }) {
  let name = null; // of the room that is shown
  const head = panelHead(onClose);
  const facts = roomFacts();
  const forms = el("div");
  /** @type {ReturnType<typeof roomSections> | null} */
  let sections = null; // before the first room
  const body = el("div", {}, facts.element, forms);
  const state = el("p", { class: "in quiet" });
  const foot = el("div", { class: "act tiny" });
  const panel = sidePanel(el("div", { class: "room-panel" }, head.element, state, body, foot), onClose);

  function show(shownName, room, look) {
    const isOther = name !== shownName;
    name = shownName;
    head.show(shownName, room);
    setText(state, room ? "" : room === null ? t("room.missing", { room: visible(name) }) : t("room.loading"));
    for (const part of [body, foot]) setAttribute(part, "hidden", !room);
    setAttribute(state, "hidden", Boolean(room));
    if (isOther) buildForms();
    if (room) showRoom(room, look);
    panel.open(t("room.title", { room: visible(name) }));
    if (isOther) head.focus();
  }

  function buildForms() {
    sections = roomSections(link, name, onChanged);
    forms.replaceChildren(...Object.values(sections).map((section) => section.element));
  }

  function showRoom(room, look) {
    facts.update(room, look);
    for (const section of Object.values(sections)) section.update(room, look);
    const remarks = [look.isAllowed ? "" : t("room.read_only"), look.isWaiting ? t("room.to_pms") : "", lastChange(room)];
    setText(foot, remarks.filter(Boolean).join(" "));
    setAttribute(foot, "title", room.changed && precisely(room.changed));
  }

  function hide() {
    name = null;
    panel.close();
  }

  const draft = () => name && { wakeUp: sections.wakeUps.draft(), byHand: sections.byHand.draft() };
  function restore({ wakeUp, byHand }) {
    sections.wakeUps.restore(wakeUp);
    sections.byHand.restore(byHand);
  }

  return { element: panel.element, show, hide, draft, restore, tick: () => sections?.wakeUps.tick(), stop: panel.stop };
}

/** Make the forms of one room. */
function roomSections(link, room, onChanged) {
  const changed = () => onChanged(room);
  return {
    wakeUps: wakeUpForm(link, changed),
    switches: roomSwitches(link, changed),
    housekeeping: housekeepingButtons(link, changed),
    byHand: byHandForm(link, onChanged),
  };
}

const lastChange = ({ changed }) => (changed ? t("room.changed", { at: minute(changed) }) : "");

function panelHead(onClose) {
  const title = el("h2", { tabindex: "-1" });
  const numbers = el("span", { class: "tiny" });
  const props = { type: "button", class: "plain icon push", "aria-label": t("room.close"), onclick: onClose };
  const element = el("header", {}, title, numbers, el("button", props, icon("close")));

  function show(name, room) {
    setText(title, t("room.title", { room: visible(name) }));
    setText(numbers, room ? extensionText(room) : "");
  }

  return { element, show, focus: () => title.focus({ preventScroll: true }) };
}

function extensionText({ extensions }) {
  if (extensions.length === 0) return t("room.no_ext");
  return t(extensions.length === 1 ? "room.ext" : "room.extensions", { ext: extensions.map(visible).join(", ") });
}
