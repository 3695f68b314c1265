// One record of a link: when, which way, its id, and its fields with their names.

import { el, icon, part } from "../core/dom.js";
import { problemText } from "../core/record_problems.js";
import { hexOf, MASK, shownFields, startOf } from "../core/records.js";
import { has, precisely, t, timeWithMs } from "../core/texts.js";
import { visible } from "./elements.js";

/** The record as a list item, see `keyed`: a record of the interface with `isMasked`, `isOdd` and `catalogue`. */
export const makeRecord = part(
  (record) => ({ element: buildRecord(record) }),
  () => {}, // a record does not change
);

function buildRecord(record) {
  const { at, direction, type, isMasked } = record;
  const isKnown = has(`record.${type}`);
  const time = el("time", { datetime: at, title: precisely(at), text: timeWithMs(at) });
  const arrow = el("span", { class: "dir", title: t(`rec.${direction}`) }, icon(direction === "out" ? "arrow" : "back", t(`rec.${direction}`)));
  const id = el("b", { class: "id", title: isKnown ? t(`record.${type}`) : null, text: isKnown || !isMasked ? visible(type) : MASK });
  const props = { class: record.isOdd ? `${direction} odd` : direction, "data-id": record.id };
  return el("li", props, time, arrow, id, el("div", {}, ...content(record, isKnown)));
}

function content(record, isKnown) {
  const name = isKnown ? [el("span", { class: "kind quiet", text: t(`record.${record.type}`) })] : [];
  const fields = isKnown ? shownFields(record, record.isMasked, record.catalogue).map(field) : [];
  return [...(record.isOdd ? explanation(record) : name), ...fields];
}

function field([code, value]) {
  const name = has(`field.${code}`) ? t(`field.${code}`) : visible(code);
  return el("span", { class: "f", title: code }, el("i", { text: name }), el("span", { text: visible(value) }));
}

/** What is wrong, and what came: its bytes are the reader's only way to understand it. */
function explanation({ problem, text, isMasked }) {
  const why = problem === null ? t("problem.no_id") : problemText(problem);
  const said = el("p", { class: "problem" }, el("b", { text: t("rec.odd") }), " ", el("span", { class: "quiet", text: visible(why) }));
  if (isMasked) return [said, el("p", { class: "hex", text: MASK })];
  const hex = hexOf(text);
  return [said, hex && el("p", { class: "hex", text: hex }), el("p", { class: "hex", text: visible(startOf(text)) })].filter(Boolean);
}

/** The words of a record that a search looks through. */
export function recordText(record) {
  const { type, isMasked, catalogue, problem, text } = record;
  const isKnown = has(`record.${type}`);
  const named = ([code, value]) => `${code}${value} ${has(`field.${code}`) ? t(`field.${code}`) : ""} ${value}`;
  const fields = isKnown ? shownFields(record, isMasked, catalogue).map(named) : [isMasked ? "" : text];
  return [isKnown || !isMasked ? type : "", isKnown ? t(`record.${type}`) : "", ...fields, problem && problemText(problem)].join(" ");
}
