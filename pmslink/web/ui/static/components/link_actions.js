// What a person may do with a link: resync it, switch it off, disconnect, end or remove it. What stops service asks.

import { call, may, oneAtATime, ofLink } from "../core/api.js";
import { el, icon, setAttribute, setText } from "../core/dom.js";
import { words } from "../core/health.js";
import { counted, t } from "../core/texts.js";
import { askToConfirm } from "./dialog.js";
import { refusalText } from "./elements.js";
import { menuButton } from "./menu.js";

const isOff = ({ state }) => state === "DISABLED" || state === "EXPIRED";
const isResyncing = ({ held }) => held?.by === "resync";

const CONTROLS = [
  {
    verb: "disconnect",
    sign: "out",
    applies: (link) => !isOff(link) && link.intent !== "disconnected",
    question: { title: "ask.disconnect.title", text: "ask.disconnect", action: "ask.disconnect.do" },
  },
  {
    verb: "disable",
    sign: "off",
    applies: ({ state }) => state !== "DISABLED",
    question: { title: "ask.disable.title", text: "ask.disable", action: "ask.disable.do" },
  },
  {
    verb: "expire",
    sign: "ended",
    applies: ({ state }) => state !== "EXPIRED",
    question: { title: "ask.expire.title", text: "ask.expire", action: "ask.expire.do" },
  },
];

/**
 * The buttons of the link of this name: `{buttons, answer, enable(), show(link)}`.
 *
 * `buttons` is the element with Resync and More; `answer` is where the result of an action stands.
 */
export function linkActions(name) {
  let shown = null;
  const answer = el("p", { class: "answer small", role: "status", hidden: true });
  const run = oneAtATime((verb) => control(name, verb, report));

  function report(text, isError = false) {
    setText(answer, text);
    setAttribute(answer, "class", isError ? "answer small error" : "answer small");
    setAttribute(answer, "hidden", !text);
  }

  const resync = el(
    "button",
    { type: "button", onclick: () => resync.hasAttribute("aria-disabled") || run("resync"), "aria-label": t("link.resync") },
    icon("sync"),
    el("span", { class: "hide-s", text: t("link.resync") }),
  );
  const more = menuButton([t("link.more"), icon("down")], () => menuItems(shown, { run, report }), { id: "more" });
  const note = el("span", { class: "tiny hide-s" });
  const buttons = el("span", { class: "push row" }, note, resync, more);

  function show(link) {
    shown = link;
    const obstacle = resyncObstacle(link);
    setAttribute(resync, "aria-disabled", obstacle ? "true" : null);
    setAttribute(resync, "title", obstacle);
    setText(note, obstacle ?? "");
  }

  return { buttons, answer, enable: () => run("enable"), show };
}

/** Why a resync cannot be requested now; null if it can. */
function resyncObstacle(link) {
  if (!may("control")) return t("menu.not_role");
  if (isResyncing(link)) return counted("link.resync_running_one", "link.resync_running", link.resync.records);
  return link.in_sync ? null : t("link.resync_wait");
}

function menuItems(link, { run, report }) {
  if (link === null) return [];
  const controls = CONTROLS.map((control) => {
    const note = may("control") ? notNow(link, control) : t("menu.not_role");
    const action = () => askAndRun(link, control, run);
    return { text: t(`link.${control.verb}`), icon: control.sign, note, disabled: note !== null, action };
  });
  const notMine = may("control") ? null : t("menu.not_role");
  const href = `#/new?copy=${encodeURIComponent(link.name)}`;
  const copy = { text: t("link.copy"), icon: "copy", note: notMine, disabled: notMine !== null, href: notMine ? null : href };
  const fixed = notMine ?? (link.declared ? t("menu.declared") : null);
  const action = () => removeLink(link, report);
  const remove = { text: t("link.remove"), icon: "trash", note: fixed, disabled: fixed !== null, action };
  return [copy, ...controls, null, remove];
}

function notNow(link, { applies }) {
  return applies(link) ? null : t("menu.not_now", { state: words(link) });
}

async function askAndRun({ name }, { verb, question }, run) {
  const { title, text, action } = question;
  if (await askToConfirm({ title: t(title, { name }), text: t(text), action: t(action) })) await run(verb);
}

/** Call a control of a link, and report its result: the button's own answer, beside any notice. */
async function control(name, verb, report) {
  report("");
  try {
    const link = await call("POST", ofLink(name, verb));
    const text = verb === "resync" ? t("link.resync_asked") : t("link.done", { words: words(link), state: link.state });
    report(text);
  } catch (problem) {
    report(refusalText(problem), true);
  }
}

async function removeLink({ name, outbox }, report) {
  const title = t("ask.remove.title", { name });
  const open = outbox.pending + outbox.unknown + outbox.refused;
  const text = open ? counted("ask.remove_one", "ask.remove", open, { name }) : t("ask.remove_none", { name });
  const question = { title, text };
  if (!(await askToConfirm({ ...question, action: t("ask.remove.do") }))) return;
  try {
    await deleteLink(name, title);
  } catch (problem) {
    report(refusalText(problem), true);
  }
}

/** Delete a link; if postings of it are open, ask again before they are discarded with it. */
async function deleteLink(name, title) {
  try {
    await call("DELETE", ofLink(name));
  } catch (problem) {
    if (problem.code !== "not_final") throw problem;
    const text = t("ask.remove.open", { why: problem.message });
    if (!(await askToConfirm({ title, text, action: t("ask.remove.open.do") }))) return;
    await call("DELETE", `${ofLink(name)}?discard=true`);
  }
  location.hash = "#/";
}
