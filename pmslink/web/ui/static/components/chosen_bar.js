// Decisions on several rows of the outbox at once.

import { CallError, call, oneAtATime, ofLink } from "../core/api.js";
import { el, setAttribute, setText } from "../core/dom.js";
import { goesToWhoeverStays } from "../core/postings.js";
import { t } from "../core/texts.js";
import { askToConfirm } from "./dialog.js";
import { button, refusalText } from "./elements.js";

const QUESTIONS = {
  discard: { one: "out.ask_discard_one", many: "out.ask_discard_n", text: "out.ask_discard_n.text", action: "out.do_discard" },
  resend: { one: "out.ask_resend_one", many: "out.ask_resend_n", text: "out.ask_resend_n.text", action: "out.do_send" },
};

/**
 * Make the bar for `chosen`, a set of ids. `show(isChoosing, postings)` shows it for those that can be chosen;
 * `onChange()` is called when the choice changes.
 */
export function chosenBar(link, chosen, onChange) {
  const all = /** @type {HTMLInputElement} */ (el("input", { type: "checkbox", onchange: chooseAll }));
  const count = el("b");
  const answer = el("span", { class: "small", role: "status" });
  const buttons = [
    button(t("out.chosen_discard"), oneAtATime(() => decide("discard")), { class: "btn-s" }),
    button(t("out.chosen_resend"), oneAtATime(() => decide("resend")), { class: "btn-s" }),
  ];
  const label = el("label", { class: "row" }, all, el("span", { text: t("out.choose_all") }));
  const element = el("div", { class: "row chosen", hidden: true }, label, count, ...buttons, answer);
  let offered = [];

  function show(isChoosing, postings) {
    offered = postings;
    const ids = new Set(postings.map(({ id }) => id));
    for (const id of chosen) if (!ids.has(id)) chosen.delete(id);
    setAttribute(element, "hidden", !isChoosing && answer.textContent === "");
    setAttribute(label, "hidden", !isChoosing);
    all.checked = ids.size > 0 && chosen.size === ids.size;
    setText(count, chosen.size ? t("out.chosen", { count: chosen.size }) : "");
    for (const one of buttons) setAttribute(one, "hidden", chosen.size === 0);
  }

  function chooseAll() {
    for (const { id } of offered) chosen[all.checked ? "add" : "delete"](id);
    onChange();
  }

  async function decide(verb) {
    const ids = [...chosen];
    if (!(await askToConfirm(questionFor(verb, offered.filter(({ id }) => chosen.has(id)))))) return;
    const problems = [];
    for (const id of ids) {
      const problem = await tried(() => call("POST", ofLink(link, "postings", id, verb)));
      if (problem) problems.push(problem);
      else chosen.delete(id);
    }
    const done = ids.length - problems.length;
    const failed = { done, failed: problems.length, why: problems.length ? refusalText(problems[0]) : "" };
    setText(answer, problems.length ? t("out.failed_n", failed) : t(done === 1 ? "out.done_one" : "out.done_n", { count: done }));
    onChange();
  }

  return { element, show };
}

/** The question before a decision on these postings. */
function questionFor(verb, postings) {
  const { one, many, text, action } = QUESTIONS[verb];
  const title = t(postings.length === 1 ? one : many, { count: postings.length });
  const strays = verb === "resend" ? postings.filter(goesToWhoeverStays).length : 0;
  return { title, text: strays ? t("out.ask_resend_n.whoever", { count: strays }) : t(text), action: t(action) };
}

/** Return the CallError of a request; null if it succeeded. */
async function tried(request) {
  try {
    await request();
    return null;
  } catch (error) {
    if (error instanceof CallError) return error;
    throw error;
  }
}
