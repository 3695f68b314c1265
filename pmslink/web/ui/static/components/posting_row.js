// A row of the outbox, with its explanation and its details under it.

import { call, oneAtATime, ofLink } from "../core/api.js";
import { el, icon, part, setAttribute, setText } from "../core/dom.js";
import { needsDecision } from "../core/postings.js";
import { moment, t } from "../core/texts.js";
import { decisionRow } from "./decision_row.js";
import { askToConfirm } from "./dialog.js";
import { button, setTime, timeElement, visible } from "./elements.js";
import { outcome } from "./outcome.js";
import { amountText, answerText, stateMood, stateText, whatText } from "./posting_labels.js";

/** The columns of the outbox: the key of each head, and its class. */
export const COLUMNS = [
  ["out.at", ""],
  ["out.room", ""],
  ["out.what", ""],
  ["out.amount", "num"],
  ["out.state", ""],
  ["out.answer", ""],
  ["out.number", "num"],
];
const WIDTH = COLUMNS.length + 2; // with the columns for choosing and for details

/**
 * Make the rows of one posting, as a body of the table.
 *
 * The item is `{posting, look}`: `look` has the name and JSON of the link as `name` and `link`, the `currency`,
 * `areShown` (what tells of the guest), `isAllowed` (to decide), `isChoosing`, the set of `chosen` ids, and the functions
 * `onChoose(id, on)` and `onDecided(posting, text)`.
 */
export const postingRows = part(build, update);

function build({ posting: { id, created }, look }) {
  const cells = {
    at: timeElement(created),
    room: el("b"),
    what: el("td", { class: "lead" }),
    amount: el("td", { class: "num amount" }),
    state: el("span", { class: "pill" }),
    answer: el("td", { class: "small quiet an" }),
    number: el("td", { class: "num tiny hide-s" }),
  };
  const choose = el("input", { type: "checkbox", onchange: () => look.onChoose(id, choose.checked) });
  const chooser = el("td", { class: "choose" }, choose);
  const toggle = el("button", { type: "button", class: "plain icon btn-s", onclick: () => open() }, icon("down"));
  const details = detailsRow(look.name);
  const room = el("td", { class: "rn" }, cells.room);
  const shown = [chooser, el("td", { class: "quiet at" }, cells.at), room, cells.what, cells.amount, el("td", { class: "st" }, cells.state), cells.answer];
  const main = el("tr", {}, ...shown, cells.number, el("td", { class: "more" }, toggle));
  const decision = decisionRow(look.name, WIDTH, look.onDecided);
  const element = el("tbody", { "data-id": id }, main, decision.element, details.element);

  function open() {
    setAttribute(details.element, "hidden", !details.element.hidden);
    setAttribute(toggle, "aria-expanded", String(!details.element.hidden));
  }

  setAttribute(toggle, "aria-expanded", "false");
  return { ...cells, choose, chooser, toggle, decision, details, element };
}

function update(elements, { posting, look }) {
  const { element, at, room, what, amount, state, answer, number } = elements;
  const text = whatText(posting, look.areShown);
  setAttribute(element, "data-state", posting.state);
  setTime(at, posting.created);
  setText(room, visible(posting.room));
  setText(what, text);
  setText(amount, amountText(posting, look.currency));
  setAttribute(state, "data-mood", stateMood(posting));
  setText(state, stateText(posting));
  setText(answer, answerText(posting));
  setText(number, posting.number === null ? "" : String(posting.number));
  updateControls(elements, posting, look, text);
  elements.decision.update(posting, look);
  elements.details.update(posting, look);
}

function updateControls({ choose, chooser, toggle }, posting, look, text) {
  const names = { what: text, room: visible(posting.room) };
  setAttribute(chooser, "hidden", !look.isChoosing);
  setAttribute(choose, "hidden", !needsDecision(posting));
  setAttribute(choose, "aria-label", t("out.choose_row", names));
  choose.checked = look.chosen.has(posting.id);
  setAttribute(toggle, "aria-label", t("out.details_of", names));
}

/** @type {Array<[string, (posting: Api.Posting) => string]>} */
const FACTS = [
  ["out.sent_at", ({ sent }) => (sent ? moment(sent) : t("out.never_sent"))],
  ["out.attempts", ({ attempts }) => String(attempts)],
  ["out.answered_at", ({ answered }) => (answered ? moment(answered) : "")],
  ["out.number", ({ number }) => (number === null ? "" : String(number))],
  ["out.room_sent", ({ room, room_sent: sentTo }) => (sentTo && sentTo !== room ? visible(sentTo) : "")],
  ["out.reservation", ({ reservation }) => (reservation ? visible(reservation) : "")],
];

/** How often and when a row was sent; one that waits can be discarded here. */
function detailsRow(link) {
  const values = FACTS.map(() => el("dd"));
  const facts = FACTS.map(([key], place) => el("div", {}, el("dt", { text: t(key) }), values[place]));
  const result = outcome();
  const discard = button(t("out.discard"), oneAtATime(askToDiscard), { class: "btn-s" });
  const cell = el("td", { colspan: WIDTH }, el("dl", { class: "facts" }, ...facts), discard, result.element);
  const element = el("tr", { class: "details", hidden: true }, cell);
  let shown = null;
  let names = {};

  function update(posting, { areShown, isAllowed }) {
    shown = posting;
    names = { what: whatText(posting, areShown), room: visible(posting.room) };
    FACTS.forEach(([, text], place) => {
      setText(values[place], text(posting));
      setAttribute(facts[place], "hidden", text(posting) === "");
    });
    setAttribute(discard, "hidden", posting.state !== "pending" || !isAllowed);
  }

  async function askToDiscard() {
    const question = { title: t("out.ask_discard", names), text: t("out.ask_discard.text"), action: t("out.do_discard") };
    if (!(await askToConfirm(question))) return;
    const request = () => call("POST", ofLink(link, "postings", shown.id, "discard"));
    await result.attempt(request, (why) => t("out.failed", { why }));
  }

  return { element, update };
}
