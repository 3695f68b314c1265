// The phases of a link drawn over time, and the same facts as a table for who cannot see the drawing.

import { el, keyed, part, setAttribute, setText, svg } from "../core/dom.js";
import { kindsOf, phaseBars, phasesBetween, phaseSeconds, summarize, tickTimes } from "../core/phases.js";
import { clock, duration, minute, moment, percent, t } from "../core/texts.js";
import { setTime } from "./elements.js";
import { zoomByDrag } from "./zoom.js";

const WIDTH = 800;
const HEIGHT = 72;
const MIN_WIDTH = 2;
// Kinds differ in height as well: the drawing can be read without its colours, and an outage stands out.
const HEIGHTS = { in_sync: 44, connecting: 56, down: 72, off: 16, unknown: 72 };
const TICKS = 5;
const DAY_MS = 86_400_000;
const MAX_TABLE_ROWS = 100;
const MOODS = { in_sync: "good", connecting: "wait", down: "bad", off: "off", unknown: "none" };

let drawings = 0;

/** How much of the known time a link was in sync, in words; empty if nothing is known. */
export function summaryText(phases) {
  const { share, known } = summarize(phases);
  return share === null ? "" : t("card.sync_share", { share: percent(share), known: duration(known) });
}

/** What a phase is called. */
export const kindText = (kind) => t(`phase.${kind}`);

/**
 * A timeline: `{element, show(phases), reset()}`.
 *
 * With `onZoom(range)` a part of it can be chosen by dragging over it, and a double click shows all of it again;
 * `range` is `[from, until]` in milliseconds, null for all.
 */
export function timeline({ name, onZoom = null }) {
  const pattern = `not-running-${++drawings}`;
  const bars = svg("g");
  const box = { class: "time", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" };
  const drawing = svg("svg", { ...box, "aria-label": name }, svg("defs", {}, hatching(pattern)), bars);
  const axis = el("div", { class: "axis", "aria-hidden": "true" });
  const rows = el("tbody");
  const strip = el("div", { class: "strip-of-time" }, drawing);
  const element = el("div", { class: "timeline" }, strip, axis, factTable(name, rows));
  let phases = [];
  let range = null;

  function show(next) {
    phases = next;
    const [from, until] = range ?? limits(phases);
    const shown = range ? phasesBetween(phases, from, until) : phases;
    setAttribute(drawing, "aria-label", [name, summaryText(shown)].filter(Boolean).join(": "));
    drawBars(bars, phaseBars(shown, from, until, WIDTH, MIN_WIDTH), pattern);
    const format = until - from > DAY_MS ? minute : until - from > DAY_MS / 48 ? clock : moment;
    const ticks = shown.length ? tickTimes(from, until, TICKS) : [];
    keyed(axis, ticks.map((at, index) => ({ index, text: format(at) })), ({ index }) => index, makeTick);
    const newest = shown.slice(-MAX_TABLE_ROWS).reverse();
    keyed(rows, newest, ({ since, kind }) => `${since} ${kind}`, makeRow);
  }

  function zoom(next) {
    range = next;
    show(phases);
    onZoom?.(range);
  }

  if (onZoom) {
    const timeAt = (share) => {
      const [from, until] = range ?? limits(phases);
      return from + share * (until - from);
    };
    zoomByDrag(strip, (begin, end) => zoom([timeAt(begin), timeAt(end)]), () => range && zoom(null));
  }
  return { element, show, reset: () => range && zoom(null) };
}

/** When phases begin and end, in milliseconds. */
function limits(phases) {
  if (phases.length === 0) return [0, 1];
  return [Date.parse(phases[0].since), Date.parse(phases[phases.length - 1].until)];
}

function hatching(id) {
  const line = svg("rect", { width: 2.5, height: 6, class: "hatching" });
  const props = { id, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" };
  return svg("pattern", props, line);
}

function drawBars(group, bars, pattern) {
  const items = bars.map((bar, index) => ({ ...bar, index, pattern }));
  keyed(group, items, ({ index }) => index, makeBar);
}

const makeBar = part(
  () => ({ element: svg("rect") }),
  ({ element }, { kind, x, width, pattern }) => {
    setAttribute(element, "data-kind", kind);
    setAttribute(element, "x", x.toFixed(1));
    setAttribute(element, "width", width.toFixed(1));
    setAttribute(element, "y", HEIGHT - HEIGHTS[kind]);
    setAttribute(element, "height", HEIGHTS[kind]);
    setAttribute(element, "fill", kind === "unknown" ? `url(#${pattern})` : null);
  },
);

const makeTick = part(
  () => ({ element: el("span") }),
  ({ element }, { text }) => setText(element, text),
);

function factTable(name, rows) {
  const heads = ["phase.kind", "phase.since", "phase.time"].map((key) => el("th", { scope: "col", text: t(key) }));
  const table = el("table", {}, el("caption", { text: name }), el("thead", {}, el("tr", {}, ...heads)), rows);
  return el("div", { class: "sr" }, table);
}

const makeRow = part(
  () => {
    const kind = el("td");
    const since = el("time");
    const time = el("td");
    return { element: el("tr", {}, kind, el("td", {}, since), time), kind, since, time };
  },
  ({ kind, since, time }, phase) => {
    setText(kind, kindText(phase.kind));
    setTime(since, phase.since);
    setText(time, duration(phaseSeconds(phase)));
  },
);

/** The legend of a timeline: `{element, show(phases)}`, with the kinds that occur. */
export function phaseLegend() {
  const element = el("ul", { class: "legend", "aria-hidden": "true" });
  return { element, show: (phases) => keyed(element, kindsOf(phases), (kind) => kind, makeLegend) };
}

const makeLegend = part(
  (kind) => ({ element: el("li", { class: kind === "unknown" ? "none" : null, "data-mood": MOODS[kind], text: kindText(kind) }) }),
  () => {},
);
