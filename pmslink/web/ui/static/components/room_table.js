// The list of rooms: the same facts as the tiles, a row for each room. A long list has only the rows in sight.

import { el, keyed, part, setAttribute, setText } from "../core/dom.js";
import { minute, precisely, t } from "../core/texts.js";
import { markChanged } from "./changed.js";
import { visible } from "./elements.js";
import { whoIsIn, wakeUpName } from "./room_labels.js";
import { housekeeping, roomSigns } from "./room_tile.js";
import { VirtualList } from "./virtual_list.js";

const COLUMNS = ["room.number", "room.extension", "room.guest", "room.hk", "rooms.signs", "rooms.wake", "rooms.changed"];
const LONG = 200; // rooms, from which on only those in sight are in the document
const SMALL = "(max-width: 40rem)";
const ROW_REM = { wide: 2.5, small: 4.5 }; // as in the style sheet

const cell = (kind, ...children) => el("span", { role: "cell", class: kind }, ...children);

function build({ room }) {
  const elements = {
    name: el("a", { text: visible(room.room) }),
    extension: cell("ext small quiet"),
    who: cell("who cut"),
    status: housekeeping(),
    signs: roomSigns(),
    wake: cell("wakes cut"),
    changed: el("time"),
  };
  const { name, extension, who, status, signs, wake, changed } = elements;
  const cells = [cell("rn", el("b", {}, name)), extension, who, cell("hks", status.element), cell("signs", signs.element)];
  return { ...elements, element: el("div", { role: "row", class: "r", "data-room": room.room }, ...cells, wake, cell("small quiet changed", changed)) };
}

function update(elements, { room, look }) {
  const { element, name, extension, who, status, signs, wake, changed, shown } = elements;
  elements.shown = room;
  setAttribute(name, "href", look.address(room.room));
  element.classList.toggle("hand", Boolean(room.by_hand));
  if (shown && shown !== room) markChanged(element);
  setAttribute(element, "aria-current", room.room === look.opened ? "true" : null);
  setText(extension, room.extensions.length ? room.extensions.map(visible).join(", ") : t("room.no_ext"));
  extension.classList.toggle("missing", room.extensions.length === 0);
  setFull(who, whoIsIn(room, look.areNamesShown));
  who.classList.toggle("quiet", room.guests.length === 0);
  status.update(room);
  signs.update(room);
  const rings = [...room.wake_ups].sort((one, other) => (one.at < other.at ? -1 : 1));
  setFull(wake, rings.map((one) => wakeUpName(one, look.zone)).join(" · "));
  setText(changed, room.changed ? minute(room.changed) : "");
  setAttribute(changed, "datetime", room.changed);
  setAttribute(changed, "title", room.changed && precisely(room.changed));
}

/** Write a text that may be cut, with its full form for who points at it. */
function setFull(element, text) {
  setText(element, text);
  setAttribute(element, "title", text || null);
}

const roomRow = part(build, update);

/**
 * Make the list. `show(rooms, look)` shows these rooms; `look` has `areNamesShown`, the hotel's `zone`, the name of the
 * `opened` room or null, and `address(name)`. With `isWhole` all rows are in the document, as on paper.
 */
export function roomTable(isWhole = false) {
  const heads = COLUMNS.map((key) => el("span", { role: "columnheader", text: t(key) }));
  const body = el("div", { role: "rowgroup" });
  const element = el("div", { class: "room-list", role: "table", "aria-label": t("rooms.region") });
  element.append(el("div", { role: "rowgroup" }, el("div", { class: "r h", role: "row" }, ...heads)), body);
  let items = [];
  let virtual = null;

  function show(rooms, look) {
    items = rooms.map((room) => ({ room, look }));
    setAttribute(element, "aria-rowcount", rooms.length + 1);
    if (rooms.length > LONG && !isWhole) return showLong();
    stop();
    keyed(body, items, ({ room }) => room.room, roomRow);
    return undefined;
  }

  function showLong() {
    if (virtual === null) {
      keyed(body, [], null, null);
      body.classList.add("virtual");
      const itemAt = (position) => items[position];
      virtual = new VirtualList(body, { rowHeight, itemAt, key: ({ room }) => room.room, make: roomRow });
    }
    virtual.setCount(items.length);
  }

  /** Stop following the page's scrolling. */
  function stop() {
    if (virtual === null) return;
    virtual.close();
    virtual = null;
    body.replaceChildren();
    body.removeAttribute("style");
    body.classList.remove("virtual");
  }

  function focusRoom(name) {
    virtual?.reveal(items.findIndex(({ room }) => room.room === name), 0);
    body.querySelector(`[data-room="${CSS.escape(name)}"] a`)?.focus();
  }

  /** Put the focus on another row; `step` is one of `pressedStep`. */
  function moveFocus(step) {
    if (items.length === 0) return;
    const focused = /** @type {HTMLElement | null} */ (document.activeElement.closest("[data-room]"));
    const position = step(items.findIndex(({ room }) => room.room === focused?.dataset.room), items.length);
    focusRoom(items[position].room.room);
  }

  return { element, show, stop, focusRoom, moveFocus };
}

const rowHeight = () => ROW_REM[matchMedia(SMALL).matches ? "small" : "wide"];
