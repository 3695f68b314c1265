// The list of rooms as a table: the same facts as the tiles, a row for each room.

import { el, keyed, part, setAttribute, setText } from "../core/dom.js";
import { moment, precisely, t } from "../core/texts.js";
import { visible } from "./elements.js";
import { whoIsIn, wakeUpName } from "./room_labels.js";
import { housekeeping, roomSigns } from "./room_tile.js";

const COLUMNS = ["room.number", "room.extension", "room.guest", "room.hk", "rooms.signs", "rooms.wake", "rooms.changed"];

/** A table with the heads of the list; `rows` is its body. */
function tableOf(rows) {
  const head = el("tr", {}, ...COLUMNS.map((key) => el("th", { scope: "col", text: t(key) })));
  return el("table", { class: "stacked room-list" }, el("thead", {}, head), rows);
}

function build({ room }) {
  const elements = {
    name: el("a", { text: visible(room.room) }),
    extension: el("td", { class: "ext small quiet" }),
    who: el("td", { class: "who" }),
    status: housekeeping(),
    signs: roomSigns(),
    wake: el("td", { class: "wakes" }),
    changed: el("td", { class: "small quiet changed" }),
  };
  const { name, extension, who, status, signs, wake, changed } = elements;
  const cells = [el("td", { class: "rn" }, el("b", {}, name)), extension, who];
  cells.push(el("td", { class: "end" }, status.element), el("td", { class: "signs" }, signs.element), wake, changed);
  return { ...elements, element: el("tr", { "data-room": room.room }, ...cells) };
}

function update({ element, name, extension, who, status, signs, wake, changed }, { room, look }) {
  setAttribute(name, "href", look.address(room.room));
  setAttribute(element, "class", room.by_hand ? "hand" : null);
  setAttribute(element, "aria-current", room.room === look.opened ? "true" : null);
  setText(extension, room.extensions.length ? room.extensions.map(visible).join(", ") : t("room.no_ext"));
  extension.classList.toggle("missing", room.extensions.length === 0);
  setText(who, whoIsIn(room, look.areNamesShown));
  who.classList.toggle("quiet", room.guests.length === 0);
  status.update(room);
  signs.update(room);
  const rings = [...room.wake_ups].sort((one, other) => (one.at < other.at ? -1 : 1));
  setText(wake, rings.map((one) => wakeUpName(one, look.zone)).join(" · "));
  setText(changed, room.changed ? moment(room.changed) : "");
  setAttribute(changed, "title", room.changed && precisely(room.changed));
}

const roomRow = part(build, update);

/**
 * Make the list. `show(rooms, look)` shows these rooms; `look` has `areNamesShown`, the hotel's `zone`, the
 * name of the `opened` room or null, and `address(name)`.
 */
export function roomTable() {
  const rows = el("tbody");

  function show(rooms, look) {
    keyed(rows, rooms.map((room) => ({ room, look })), ({ room }) => room.room, roomRow);
  }

  const focusRoom = (name) => rows.querySelector(`[data-room="${CSS.escape(name)}"] a`)?.focus();

  return { element: tableOf(rows), show, focusRoom };
}
