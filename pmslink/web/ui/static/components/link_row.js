// Rows of the list of links: a link in several lines or in one, headings, and bars while a row is loaded.

import { el, icon, part, setAttribute, setText } from "../core/dom.js";
import { GROUPS, endpoint, health, remedy, shownAge, shownSince, why } from "../core/health.js";
import { linkAddress } from "../core/router.js";
import { decimal, precisely, t } from "../core/texts.js";
import { badge, beats, pill } from "./badge.js";

const COLUMNS = ["state", "link", "what", "since", "day", "outbox"];
/** @type {Array<[string, number]>} */
const ROW_HEIGHTS = [
  ["(max-width: 40rem)", 4.5],
  ["(max-width: 56rem)", 3.25],
  ["all", 2.5],
]; // rem, of rows in one line; `page.css` has the same

/** The height of a row in one line, in rem. */
export const rowHeight = () => ROW_HEIGHTS.find(([query]) => matchMedia(query).matches)[1];

/** The headings of the columns. */
export function columnHeadings() {
  const cells = COLUMNS.map((column) => {
    const props = { role: "columnheader", class: column === "day" ? "day" : null };
    return el("span", { ...props, text: t(`col.${column}`) });
  });
  return el("div", { class: "r h", role: "row", "aria-rowindex": 1 }, cells);
}

/** The links with a heading before each group; the group that needs somebody most comes first. */
export function withHeadings(links) {
  return GROUPS.flatMap((heading) => {
    const ofGroup = links.filter((link) => health(link).group === heading[0]);
    return ofGroup.length ? [{ heading, count: ofGroup.length }, ...ofGroup] : [];
  });
}

/** The heading of a group. */
export const headingRow = part(
  ({ heading: [, mood, sign] }) => {
    const words = el("span");
    const cell = el("span", { role: "cell", class: "row" }, icon(sign), words);
    return { element: el("div", { class: "g", role: "row", "data-mood": mood }, cell), words };
  },
  ({ words }, { heading: [group], count }) => setText(words, `${t(`group.${group}`)} · ${decimal(count)}`),
);

/** Bars in the place of a row that is loaded. */
export function loadingRow() {
  const cells = ["st", "nm", "wh"].map((cell) => el("div", { class: `cell ${cell}`, role: "cell" }, el("i", { class: "bar" })));
  return { element: el("div", { class: "r loading", role: "row", "aria-hidden": "true" }, cells), update() {} };
}

/**
 * A link: its state, name, what is wrong, since when, its last 24 hours, and its outbox.
 *
 * `isLow` rows have one line each. `tick()` shows what depends on the time: how long the link is as it is, and what
 * has lasted long enough to be worth a sentence.
 */
export function linkRow(link, isLow) {
  const parts = { badge: badge(link), beats: beats(link.hours), isLow };
  const elements = rowElements(parts, link);
  let shown = null;
  const tick = () => {
    setText(elements.since, shownAge(shown));
    setSentences(elements, shown, isLow);
  };
  const update = (next) => {
    if (next === shown) return;
    shown = next;
    parts.badge.update(next);
    parts.beats.update(next.hours);
    updateRow(elements, next, isLow);
    tick();
  };
  update(link);
  return { element: elements.element, update, tick };
}

function rowElements(parts, { name }) {
  const cell = (classes, ...content) => el("div", { class: `cell ${classes}`, role: "cell" }, ...content);
  const cut = parts.isLow ? "cut" : "";
  const elements = {
    address: parts.isLow ? null : el("p", { class: "tiny cut" }),
    why: el("p", { class: cut }),
    remedy: el("p", { class: `remedy ${cut}` }),
    since: el("time"),
    outbox: el("span", { class: "row" }),
  };
  const what = parts.isLow ? [el("div", { class: "pair" }, elements.why, elements.remedy)] : [elements.why, elements.remedy];
  elements.pair = parts.isLow ? what[0] : null;
  const nameLink = el("a", { class: "name", href: linkAddress(name), text: name });
  const cells = [
    cell("st", parts.badge.element),
    cell("nm", nameLink, elements.address),
    cell("wh small", what),
    cell("si small", elements.since),
    cell("day", parts.beats.element),
    cell("ob small", elements.outbox),
  ];
  elements.element = el("div", { class: "r", role: "row", "data-name": name }, cells);
  return elements;
}

function updateRow(elements, link, isLow) {
  setAttribute(elements.element, "data-mood", health(link).mood);
  if (!isLow) setAddress(elements.address, `${endpoint(link)} · ${t(`profile.${link.profile}`)}`);
  const at = shownSince(link);
  setAttribute(elements.since, "datetime", at);
  setAttribute(elements.since, "title", precisely(at));
  setOutbox(elements.outbox, link.outbox, isLow);
}

function setSentences(elements, link, isLow) {
  const [sentence, action] = [why(link), remedy(link)];
  setText(elements.why, sentence);
  setText(elements.remedy, action);
  if (isLow) setAttribute(elements.pair, "title", `${sentence} ${action}`.trim() || null);
}

function setAddress(element, text) {
  setText(element, text);
  setAttribute(element, "title", text);
}

/** Show how much waits, and what needs a decision; an empty outbox is said only where there is room. */
function setOutbox(element, { pending, unknown, refused }, isLow) {
  const key = [pending, unknown, refused].join();
  if (element.dataset.counts === key) return;
  element.dataset.counts = key;
  const waiting = pending ? el("span", { text: t("outbox.waiting_n", { count: decimal(pending) }) }) : null;
  const marks = [
    unknown ? pill(t("outbox.unknown_n", { count: decimal(unknown) }), "bad") : null,
    refused ? pill(t("outbox.refused_n", { count: decimal(refused) }), "bad") : null,
  ];
  const empty = isLow ? null : el("span", { class: "tiny hide-s", text: t("outbox.empty") });
  const content = [waiting, ...marks].filter(Boolean);
  element.replaceChildren(...(content.length ? content : [empty].filter(Boolean)));
}
