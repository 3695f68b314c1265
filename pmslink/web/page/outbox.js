// What one link has to tell the PMS, and what became of it; a person decides on what is in doubt.

import { call, mayControl, ofLink } from "./calls.js";
import { confirmed } from "./dialog.js";
import { el, setText } from "./dom.js";
import { watch } from "./model.js";
import { duration, moment, money, precisely, t } from "./texts.js";

const AT_ONCE = 50;
const STATES = ["", "pending", "sent", "unknown", "refused", "done", "discarded"];
const FIT = { resend: ["unknown", "refused"], discard: ["unknown", "refused", "pending"] };

/** The section of the link of this name. */
export function outbox(name) {
  const rows = new Map(); // by id
  const told = new Set(); // those that the stream told of since they were asked for
  const options = STATES.map((state) => el("option", { value: state, text: t(`outbox.state.${state || "all"}`) }));
  const state = el("select", { "aria-label": t("outbox.state"), onchange: again }, ...options);
  const body = el("tbody");
  const heads = ["number", "what", "state", "attempts", "created", "answer", "decide"];
  const head = el("tr", {}, ...heads.map((key) => el("th", { scope: "col", text: t(`outbox.${key}`) })));
  const empty = el("p", { class: "empty", text: t("outbox.nothing") });
  const more = el("button", { type: "button", text: t("outbox.more"), hidden: true, onclick: () => load() });
  const answer = el("p", { class: "answer", role: "status" });
  const table = el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("outbox.title") }, el("table", {}, el("thead", {}, head), body));
  const element = el("section", { class: "outbox" }, el("h2", { text: t("outbox.title") }), el("div", { class: "bar" }, state), answer, table, empty, more);

  async function load() {
    const asked = new URLSearchParams({ limit: AT_ONCE });
    told.clear();
    if (state.value) asked.set("state", state.value);
    if (rows.size) asked.set("before", Math.min(...rows.keys()));
    try {
      const { postings } = await call("GET", ofLink(name, `postings?${asked}`));
      for (const posting of postings) if (!told.has(posting.id)) show(posting); // the stream knows better
      more.hidden = postings.length < AT_ONCE;
    } catch (problem) {
      refused(problem);
    }
    empty.hidden = rows.size > 0;
  }

  function again() {
    rows.clear();
    body.replaceChildren();
    load();
  }

  function show(posting) {
    const old = rows.get(posting.id);
    if (state.value && posting.state !== state.value) {
      old?.remove();
      rows.delete(posting.id);
      empty.hidden = rows.size > 0;
      return;
    }
    const made = row(posting);
    if (old) old.replaceWith(made);
    else {
      const next = [...rows.keys()].filter((id) => id < posting.id).sort((one, other) => other - one)[0];
      body.insertBefore(made, rows.get(next) ?? null);
    }
    rows.set(posting.id, made);
    empty.hidden = true;
  }

  function row(posting) {
    const decisions = Object.keys(FIT).filter((decision) => FIT[decision].includes(posting.state));
    const buttons = decisions.map((decision) =>
      el("button", { type: "button", "data-decision": decision, text: t(`outbox.${decision}`), disabled: !mayControl(), onclick: () => decide(posting, decision) }),
    );
    const created = el("time", { datetime: posting.created, title: precisely(posting.created), text: moment(posting.created) });
    const said = [posting.answer, posting.text_answer].filter(Boolean).join(" ");
    const cells = [posting.number ?? "–", described(posting), t(`outbox.state.${posting.state}`), posting.attempts, created, said, el("span", { class: "buttons" }, ...buttons)];
    return el("tr", { "data-id": posting.id, "data-state": posting.state }, ...cells.map((cell) => el("td", {}, typeof cell === "number" ? String(cell) : cell)));
  }

  async function decide(posting, decision) {
    const what = { what: described(posting) };
    if (decision === "discard" && !(await confirmed(t("outbox.ask.discard", what), t("outbox.discard")))) return;
    try {
      await call("POST", ofLink(name, "postings", posting.id, decision)); // the stream tells what becomes of it
      setText(answer, t(`outbox.done.${decision}`, what));
      answer.classList.remove("error");
    } catch (problem) {
      refused(problem);
    }
  }

  function refused(problem) {
    setText(answer, t("refused", { why: t(`error.${problem.code}`), message: problem.message }));
    answer.classList.add("error");
  }

  const close = watch((kind, event) => {
    if (kind === "posting" && event.link === name) {
      told.add(event.posting.id);
      show(event.posting);
    }
    if (kind === "forgotten") again(); // what happened before the stream began again was not told
  });
  load();
  return { element, close };
}

function described(posting) {
  const parts = [t(`posting.${posting.type}`), t("posting.room", posting)];
  if (posting.dialled) parts.push(posting.dialled);
  if (posting.duration !== undefined) parts.push(duration(posting.duration));
  if (posting.article !== undefined) parts.push(t("posting.article", posting));
  if (posting.amount !== undefined && posting.amount !== null) parts.push(money(posting.amount));
  if (posting.text) parts.push(posting.text);
  return parts.join(" · ");
}
