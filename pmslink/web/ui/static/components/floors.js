// The floor view: rooms as tiles, moved through with arrows, and found by typing their number.

import { el, keyed, part, setAttribute, setText } from "../core/dom.js";
import { groupByFloor } from "../core/rooms.js";
import { t } from "../core/texts.js";
import { roomTile } from "./room_tile.js";

const TYPING_MS = 1_000; // keys that come sooner are one number

const floorSection = part(
  () => {
    const heading = el("h2");
    const tiles = el("div", { class: "tiles" });
    return { heading, tiles, element: el("section", { class: "floor" }, heading, tiles) };
  },
  ({ heading, tiles }, { floor, items }) => {
    setText(heading, floor === null ? t("rooms.other_floor") : t("rooms.floor", { n: floor }));
    keyed(tiles, items, ({ room }) => room.room, roomTile);
  },
);

/**
 * Make the floor view. `show(rooms, look)` shows these rooms; `look` has `areNamesShown`, the name of the `opened`
 * room or null, and `open(name)`.
 */
export function floorView() {
  const element = el("div", { class: "floors", onkeydown: onKey });
  let typed = "";
  let typedAt = 0;

  function show(rooms, { areNamesShown, opened, open }) {
    const asItem = (room) => ({ room, areNamesShown, isOpen: room.room === opened, open });
    const floors = groupByFloor(rooms).map(({ floor, rooms: some }) => ({ floor, items: some.map(asItem) }));
    keyed(element, floors, ({ floor }) => floor, floorSection);
    keepOneTabStop(opened);
  }

  /** Let Tab reach one tile: the focused one, else the opened one, else the first. */
  function keepOneTabStop(opened) {
    const tiles = allTiles();
    const stop =
      tiles.find((tile) => tile === document.activeElement) ??
      tiles.find((tile) => tile.dataset.room === opened) ??
      tiles.find((tile) => tile.tabIndex === 0) ??
      tiles[0];
    for (const tile of tiles) setAttribute(tile, "tabindex", tile === stop ? "0" : "-1");
  }

  const allTiles = () => /** @type {HTMLElement[]} */ ([...element.querySelectorAll(".tile")]);

  function focus(tile) {
    tile.focus();
    keepOneTabStop(null);
  }

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const tiles = allTiles();
    const next = neighbour(tiles, document.activeElement, event.key) ?? found(tiles, event);
    if (next || isOfNumber(event.key)) event.preventDefault(); // a digit is not meant for the tabs here
    if (next) focus(next);
  }

  /** Return the first room whose number begins with what was typed. */
  function found(tiles, { key, timeStamp }) {
    if (key.length !== 1 || key === " ") return null;
    typed = timeStamp - typedAt < TYPING_MS ? typed + key : key;
    typedAt = timeStamp;
    const wanted = typed.toLowerCase();
    return tiles.find((tile) => tile.dataset.room.toLowerCase().startsWith(wanted));
  }

  return { element, show, focusRoom: (name) => focusOf(allTiles(), name, focus) };
}

const isOfNumber = (key) => /^[\p{L}\p{N}]$/u.test(key);

function focusOf(tiles, name, focus) {
  const tile = tiles.find((one) => one.dataset.room === name);
  if (tile) focus(tile);
  return Boolean(tile);
}

/** Return the tile that a key of an arrow leads to; null for other keys, and at the edge. */
function neighbour(tiles, tile, key) {
  const at = tiles.indexOf(tile);
  if (at < 0) return null;
  const steps = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tiles.length - 1 };
  if (key in steps) return tiles[steps[key]] ?? null;
  if (key === "ArrowDown") return nearest(tiles.slice(at + 1), tile, (box, of) => box.top >= of.bottom);
  if (key === "ArrowUp") return nearest(tiles.slice(0, at).reverse(), tile, (box, of) => box.bottom <= of.top);
  return null;
}

/** Return the tile of the next line that stands nearest to this one's place in its own line. */
function nearest(tiles, tile, isBeyond) {
  const of = tile.getBoundingClientRect();
  let best = null;
  for (const one of tiles) {
    const box = one.getBoundingClientRect();
    if (!isBeyond(box, of)) continue;
    if (best && box.top !== best.top) break; // a line further on
    const distance = Math.abs(box.left - of.left);
    if (!best || distance < best.distance) best = { tile: one, top: box.top, distance };
  }
  return best?.tile ?? null;
}
