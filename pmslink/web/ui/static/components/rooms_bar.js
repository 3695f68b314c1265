// What stands over the rooms: search, floors or list, guest names, and the chips.

import { announce } from "../core/announcer.js";
import { may } from "../core/api.js";
import { el, setAttribute, setText } from "../core/dom.js";
import { CHIPS, RARE_CHIPS, chipCounts } from "../core/rooms.js";
import { t } from "../core/texts.js";
import { searchBox } from "./elements.js";
import { chips, segments, switchField } from "./toggles.js";

/**
 * Make the bar. `onFilter()` is called when the reader has changed the filter, and then `onChange()`, which is called
 * for any change and for the switch for names.
 *
 * `filter` holds `{query, chip, shape}`, where `shape` is `floors`, `list` or "" for the one that fits the rooms.
 */
export function roomsBar(filter, { onFilter, onChange }) {
  const search = searchField(filter.query, (text) => change({ query: text }));
  const choices = Object.keys(CHIPS).map((key) => ({ key, text: t(`rooms.${key}`), rare: RARE_CHIPS.includes(key) }));
  const row = chips(t("rooms.chips"), choices, (key) => change({ chip: key }));
  const shapes = segments(t("rooms.shape"), shapeChoices(), (key) => change({ shape: key }));
  const names = switchField(t("rooms.names"), () => showChange());
  const print = el("button", { type: "button", class: "hide-s", text: t("rooms.print"), onclick: () => window.print() });
  const right = el("span", { class: "row push" }, may("guests") ? names.element : null, print);
  const found = el("p", { class: "small quiet rooms-found" });
  const element = el("div", { class: "stack no-print" }, el("div", { class: "row" }, search.element, shapes.element, right), row.element, found);
  const areNamesShown = () => may("guests") && names.input.checked;

  function change(changes) {
    Object.assign(filter, changes);
    onFilter();
    showChange();
    announce(found.textContent);
  }

  function showChange() {
    row.press(filter.chip);
    search.setHint(areNamesShown());
    onChange();
  }

  /** Take over the filter of the address. */
  function set(other) {
    if (Object.keys(other).every((key) => filter[key] === other[key])) return;
    Object.assign(filter, other);
    search.input.value = filter.query;
    showChange();
  }

  /** Show how many of the rooms are found, and which shape they have. */
  function show(rooms, foundCount, { shape: shown, haveFloors }) {
    row.count(rooms === null ? {} : chipCounts(rooms));
    shapes.press(shown);
    setAttribute(shapes.element, "hidden", !haveFloors);
    const isFiltered = rooms !== null && (filter.query !== "" || filter.chip !== "all");
    setText(found, isFiltered ? t(rooms.length === 1 ? "rooms.found_one" : "rooms.found", { found: foundCount, all: rooms.length }) : "");
    setAttribute(found, "hidden", !isFiltered);
  }

  function fill({ query: text, areNamesShown: shown }) {
    search.input.value = text;
    names.input.checked = shown;
    change({ query: text });
  }

  function clear() {
    search.input.value = "";
    change({ query: "", chip: "all" });
    search.input.focus(); // the button that was pressed is going
  }

  row.press(filter.chip);
  search.setHint(false);
  return { element, filter, areNamesShown, change, set, show, fill, clear };
}

const shapeChoices = () => [
  { key: "floors", text: t("rooms.grid") },
  { key: "list", text: t("rooms.list") },
];

function searchField(text, onInput) {
  const input = /** @type {HTMLInputElement} */ (
    el("input", { type: "search", id: "search", value: text, oninput: () => onInput(input.value.trim()) })
  );
  const element = searchBox(input);

  function setHint(areNamesShown) {
    const hint = t(areNamesShown ? "rooms.search_named" : "rooms.search");
    setAttribute(input, "placeholder", hint);
    setAttribute(input, "aria-label", hint);
  }

  return { element, input, setHint };
}
