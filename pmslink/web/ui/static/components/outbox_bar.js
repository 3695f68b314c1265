// What stands over the outbox: chips, search, time range, and the file for a spreadsheet.

import { may } from "../core/api.js";
import { el, setAttribute } from "../core/dom.js";
import { CHIPS, TIMES } from "../core/postings.js";
import { t } from "../core/texts.js";
import { button, searchBox } from "./elements.js";
import { chips, switchField } from "./toggles.js";

const TYPING_MS = 250; // between two keys; the service is asked when they end

/**
 * Make the bar over a `filter` as in `core/postings.js`. `onFilter()` is called when it has changed, `onNames()` when
 * what tells of guests is shown or hidden, `onExport()` when the file is asked for.
 */
export function outboxBar(filter, { onFilter, onNames, onExport }) {
  let typing = null;
  const choices = Object.keys(CHIPS).map((key) => ({ key, text: t(`out.${key}`) }));
  const row = chips(t("out.chips"), choices, (key) => change({ chip: key }));
  const search = /** @type {HTMLInputElement} */ (
    el("input", { type: "search", id: "search", value: filter.query, oninput, placeholder: t("out.search"), "aria-label": t("out.search") })
  );
  const times = timeRange(filter, change);
  const names = switchField(t("out.names"), onNames);
  const right = el("span", { class: "row push" }, may("guests") ? names.element : null, button(t("out.export"), onExport, { class: "hide-s" }));
  const label = searchBox(search);
  const element = el("div", { class: "stack" }, el("div", { class: "row" }, label, times.element, right), row.element);

  function oninput() {
    clearTimeout(typing);
    typing = setTimeout(() => change({ query: search.value.trim() }), TYPING_MS);
  }

  function change(changes) {
    Object.assign(filter, changes);
    showFilter();
    onFilter();
  }

  function clear() {
    search.value = "";
    change({ query: "", chip: "all", time: "all", from: "", to: "" });
    search.focus(); // the button that was pressed is going
  }

  /** Take over the filter of the address; returns whether it is another one. */
  function set(other) {
    if (Object.keys(other).every((key) => filter[key] === other[key])) return false;
    Object.assign(filter, other);
    clearTimeout(typing);
    search.value = filter.query;
    showFilter();
    return true;
  }

  function showFilter() {
    row.press(filter.chip);
    times.fill(filter);
  }

  function fill({ query, areNamesShown }) {
    search.value = query;
    names.input.checked = areNamesShown;
    onNames();
    if (query !== filter.query) change({ query });
  }

  showFilter();
  const areNamesShown = () => may("guests") && names.input.checked;
  return { element, count: row.count, areNamesShown, set, clear, fill, stop: () => clearTimeout(typing) };
}

function timeRange(filter, change) {
  const options = TIMES.map((time) => el("option", { value: time, text: t(`out.time.${time}`) }));
  const select = /** @type {HTMLSelectElement} */ (
    el("select", { "aria-label": t("out.time"), onchange: () => change({ time: select.value }) }, ...options)
  );
  const edge = (key) => {
    const props = { type: "datetime-local", "aria-label": t(`out.${key}`), onchange: () => change({ [key]: input.value }) };
    const input = /** @type {HTMLInputElement} */ (el("input", props));
    return input;
  };
  const edges = { from: edge("from"), to: edge("to") };
  const range = el("span", { class: "row" }, edges.from, el("span", { "aria-hidden": "true", text: "–" }), edges.to);
  const element = el("span", { class: "row time-range" }, select, range);

  function fill({ time, from, to }) {
    select.value = time;
    edges.from.value = from;
    edges.to.value = to;
    setAttribute(range, "hidden", time !== "range");
  }

  return { element, fill };
}
