// The controls of one link: those that apply are active, those that stop service ask first, and the answer
// is shown.

import { call, mayControl, ofLink } from "./calls.js";
import { confirmed } from "./dialog.js";
import { el, setText } from "./dom.js";
import { t } from "./texts.js";

const off = ({ state }) => state === "DISABLED" || state === "EXPIRED";
const resyncs = ({ started, ended }) => started !== null && (ended === null || ended < started);

const CONTROLS = [
  { verb: "enable", applies: (link) => link.intent !== "enabled" || link.state === "EXPECTION" || link.state === "CLOSED" },
  { verb: "resync", applies: (link) => link.in_sync && !resyncs(link.resync) },
  { verb: "disconnect", applies: (link) => !off(link) && link.intent !== "disconnected", asks: true },
  { verb: "disable", applies: (link) => link.state !== "DISABLED", asks: true },
  { verb: "expire", applies: (link) => link.state !== "EXPIRED", asks: true },
];

/** The controls of the link of this name; `show(link)` has to hear how it is. */
export function controls(name) {
  const answer = el("p", { class: "answer", role: "status" });
  const buttons = new Map(
    CONTROLS.map((control) => [control, el("button", { type: "button", "data-verb": control.verb, onclick: () => use(control) })]),
  );

  async function use(control) {
    const { verb, asks } = control;
    const called = buttons.get(control).textContent;
    if (asks && !(await confirmed(t(`control.ask.${verb}`, { name }), called))) return;
    setText(answer, "");
    try {
      const link = await call("POST", ofLink(name, verb));
      setText(answer, t("control.done", { control: called, state: link.state, label: t(`label.${link.state}`) }));
      answer.classList.remove("error");
    } catch (problem) {
      setText(answer, t("refused", { why: t(`error.${problem.code}`), message: problem.message }));
      answer.classList.add("error");
    }
  }

  function show(link) {
    for (const [control, button] of buttons) {
      const { verb } = control;
      const redials = verb === "enable" && link.intent === "enabled" && control.applies(link);
      setText(button, t(redials ? "control.redial" : `control.${verb}`));
      button.disabled = !mayControl() || !control.applies(link);
      button.title = mayControl() ? "" : t("control.not_yours");
    }
  }

  const element = el("section", { class: "controls", "aria-label": t("control.title") }, el("div", { class: "buttons" }, ...buttons.values()), answer);
  return { element, show };
}
