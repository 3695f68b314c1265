// What was done by hand, compared with the PMS once it is back: what agrees, and what a person has to choose.

import { CallError, call, may, oneAtATime, ofLink } from "../core/api.js";
import { el, icon, keyed, part, setAttribute, setIcon, setText } from "../core/dom.js";
import { minute, t } from "../core/texts.js";
import { button, refusalText, visible } from "./elements.js";
import { outcome } from "./outcome.js";
import { shownName } from "./room_labels.js";

/**
 * Make the card. `update(link)` compares anew when something has changed; `showNames(areShown)` shows or hides the
 * guests; `onDecided(change)` is called after a decision.
 */
export function comparedCard(onDecided) {
  const head = heading(() => setAttribute(element, "hidden", true));
  const agreed = agreement();
  const list = el("ul", { class: "compared" });
  const failed = outcome();
  const body = el("div", { class: "in" }, agreed.element, list, failed.element);
  const element = el("section", { class: "card no-print", "aria-label": t("cmp.title"), hidden: true }, head.element, body);
  let link = null;
  let state = null; // of the link, when the changes were last loaded
  let changes = [];
  let areNamesShown = false;

  function update(next) {
    link = next;
    if (stateOf(link) === state) return;
    state = stateOf(link);
    load();
  }

  async function load() {
    const before = state;
    try {
      const answer = await call("GET", ofLink(link.name, "by-hand"));
      if (before !== state) return;
      changes = answer.changes;
      show();
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      state = null; // it is tried again with the next change
      failed.show(refusalText(error), true);
    }
  }

  function show() {
    const compared = link.in_sync ? changes.filter((change) => change.agrees !== null) : [];
    const differing = compared.filter((change) => !change.agrees);
    setAttribute(element, "hidden", compared.length === 0);
    head.update(differing.filter((change) => change.decided === null).length);
    agreed.update(compared.filter((change) => change.agrees));
    keyed(list, differing.map((change) => ({ change, areNamesShown, decide })), ({ change }) => change.id, difference);
  }

  async function decide(change, verb, result) {
    const path = ofLink(link.name, "by-hand", String(change.id), verb);
    if (!(await result.attempt(() => call("POST", path), (why) => t("cmp.failed", { why })))) return;
    onDecided(change);
    load();
  }

  function showNames(areShown) {
    areNamesShown = areShown;
    if (link) show();
  }

  return { element, update, showNames };
}

/** What the changes of a link depend on, to load them only when it differs. */
const stateOf = ({ by_hand: counts, in_sync: inSync, resync }) => JSON.stringify([counts, inSync, resync.ended]);

/** The head of the card: `update(open)` shows how many decisions are open; without any it can be closed. */
function heading(onclick) {
  const pill = el("span", { class: "pill push", "data-mood": "wait", hidden: true });
  const props = { type: "button", class: "plain icon push", "aria-label": t("room.close"), onclick };
  const close = el("button", props, icon("close"));
  const element = el("header", {}, el("h2", { text: t("cmp.title") }), pill, close);

  function update(open) {
    setAttribute(pill, "hidden", open === 0);
    setText(pill, t(open === 1 ? "cmp.differ" : "cmp.differ_n", { count: open }));
    setAttribute(close, "hidden", open > 0);
  }

  return { element, update };
}

/** How many changes agree, and in which rooms. */
function agreement() {
  const count = el("b");
  const rooms = el("p", { class: "small quiet" });
  const element = el("div", { class: "compared-row", "data-mood": "good", hidden: true }, icon("good"), el("div", {}, count, rooms));

  function update(agreed) {
    setAttribute(element, "hidden", agreed.length === 0);
    setText(count, t(agreed.length === 1 ? "cmp.agree_1" : "cmp.agree", { count: agreed.length }));
    setText(rooms, agreed.map(({ room, to }) => visible(to ?? room)).join(", "));
  }

  return { element, update };
}

function build({ change, decide }) {
  const result = outcome();
  const choose = (verb) => oneAtATime(() => decide(change, verb, result));
  const elements = {
    sign: icon("warn"),
    title: el("b", { text: t("room.title", { room: visible(change.room) }) }),
    ours: el("p"),
    pms: el("p"),
    remark: el("p", { class: "tiny" }),
    take: button(t("cmp.take_pms"), choose("take"), { class: "btn-s" }),
    keep: button(t("cmp.keep"), choose("keep"), { class: "btn-s" }),
  };
  const { sign, title, ours, pms, remark, take, keep } = elements;
  const sides = el("div", {}, title, ours, pms, remark, el("span", { class: "row" }, take, keep), result.element);
  return { ...elements, element: el("li", { class: "compared-row" }, sign, sides) };
}

const SIGNS = { keep: ["hand", "wait"], take: ["good", "off"], pms: ["info", "off"] };

function update({ element, sign, ours, pms, remark, take, keep }, { change, areNamesShown }) {
  const [name, mood] = SIGNS[change.decided] ?? ["warn", "wait"];
  setIcon(sign, name);
  setAttribute(element, "data-mood", mood);
  setText(ours, t("cmp.ours", { what: oursText(change, areNamesShown) }));
  setText(pms, t("cmp.pms", { what: pmsText(change, areNamesShown) }));
  setText(remark, remarkText(change));
  const isOpen = change.decided === null || change.decided === "keep";
  setAttribute(take, "hidden", !isOpen || !may("desk"));
  setAttribute(keep, "hidden", change.decided !== null || !may("desk"));
}

function oursText(change, areNamesShown) {
  const what = t(`cmp.${change.what}`, { guest: shownName(change.guest, areNamesShown), to: visible(change.to ?? "") });
  return `${what} (${[change.by, minute(change.at)].filter(Boolean).join(", ")})`;
}

function pmsText({ pms, room }, areNamesShown) {
  if (pms.guest === null) return t("room.vacant");
  const guest = shownName(pms.guest, areNamesShown);
  return pms.room === room ? guest : t("cmp.in_room", { guest, room: visible(pms.room) });
}

function remarkText({ decided, until }) {
  if (decided === null) return until ? t("cmp.until", { at: minute(until) }) : "";
  return t(`cmp.decided.${decided}`);
}

const difference = part(build, update);
