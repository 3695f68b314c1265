// The explanation under a row that a person has to decide on: what happened, what to look at, and the buttons.

import { call, oneAtATime, ofLink } from "../core/api.js";
import { el, keyed, setAttribute, setText } from "../core/dom.js";
import { decisionOf } from "../core/postings.js";
import { moment, t } from "../core/texts.js";
import { askToConfirm } from "./dialog.js";
import { button, visible } from "./elements.js";
import { outcome } from "./outcome.js";
import { answerText, whatText } from "./posting_labels.js";

const KEYS = {
  discard: { title: "out.ask_discard", text: "out.ask_discard.text", action: "out.do_discard", done: "out.done_discard" },
  resend: { title: "out.ask_send", text: "out.ask_send.text", action: "out.do_send", done: "out.done_resend" },
};

/**
 * Make the explanation, as a row of `columns` columns. `update(posting, look)` shows it if there is something to decide;
 * `look` has the `link`, `areShown` and `isAllowed`. `onDecided(posting, text)` is called after a decision.
 */
export function decisionRow(link, columns, onDecided) {
  const meaning = el("b");
  const look = el("p", { class: "quiet" });
  const buttons = el("span", { class: "row" });
  const result = outcome();
  const cell = el("td", { colspan: columns }, el("p", {}, meaning), look, buttons, result.element);
  const element = el("tr", { class: "ask", "data-mood": "bad", hidden: true }, cell);
  let posting = null;
  let areShown = false;

  function update(shown, { link: state, areShown: isWhole, isAllowed }) {
    posting = shown;
    areShown = isWhole;
    const decision = decisionOf(posting, state);
    setAttribute(element, "hidden", decision === null);
    if (decision === null) return;
    const values = sentenceValues(posting);
    setText(meaning, t(decision.meaning, values));
    setAttribute(look, "hidden", decision.look === null);
    setText(look, decision.look === null ? "" : t(decision.look, values));
    keyed(buttons, decision.actions, (action) => action.label, actionButton);
    for (const one of buttons.children) setAttribute(one, "disabled", !isAllowed);
  }

  function actionButton(action) {
    const made = button(t(action.label), oneAtATime(() => decide(action)), { class: "btn-s", "data-decision": action.call });
    return { element: made, update: () => {} };
  }

  async function decide({ call: verb, asks }) {
    const decided = posting;
    const what = whatText(decided, areShown);
    const names = { what, room: visible(decided.room) };
    const { title, text, action, done } = KEYS[verb];
    if (asks && !(await askToConfirm({ title: t(title, names), text: t(text, names), action: t(action) }))) return;
    const request = () => call("POST", ofLink(link, "postings", decided.id, verb));
    if (await result.attempt(request, (why) => t("out.failed", { why }))) onDecided(decided, t(done, names));
  }

  return { element, update };
}

function sentenceValues(posting) {
  return {
    sent: posting.sent ? moment(posting.sent) : t("out.never_sent"),
    attempts: posting.attempts,
    room: visible(posting.room_sent ?? posting.room),
    answer: answerText(posting),
  };
}
