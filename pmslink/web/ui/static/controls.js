// The controls of one link: those that apply are active, those that stop service ask first, and the answer
// is shown.

import { call, mayControl, oneAtATime, ofLink } from "./former_api.js";
import { now } from "./core/clock.js";
import { confirmed } from "./dialog.js";
import { el, setAttribute, setText } from "./core/dom.js";
import { isResyncing } from "./link_model.js";
import { button, refusal } from "./common_elements.js";
import { t } from "./core/texts.js";

const hasExpired = ({ settings }) => settings.expires_at !== null && Date.parse(settings.expires_at) <= now();
const off = ({ state }) => state === "DISABLED" || state === "EXPIRED";
const redials = ({ intent, state }) => intent === "enabled" && ["EXPECTION", "CLOSED"].includes(state);

const CONTROLS = [
  { verb: "enable", applies: (link) => !hasExpired(link) && (link.intent !== "enabled" || redials(link)) },
  { verb: "resync", applies: (link) => link.in_sync && !isResyncing(link) },
  { verb: "disconnect", applies: (link) => !off(link) && link.intent !== "disconnected", asks: true },
  { verb: "disable", applies: (link) => link.state !== "DISABLED", asks: true },
  { verb: "expire", applies: (link) => link.state !== "EXPIRED", asks: true },
];

/** The controls of the link of this name; `show(link)` has to hear how it is. */
export function controls(name) {
  const answer = el("p", { class: "answer", role: "status" });
  const buttons = new Map(CONTROLS.map((control) => [control, made(control)]));

  function made(control) {
    const props = { class: control.asks ? "danger" : null, "data-verb": control.verb };
    return button("", oneAtATime(() => use(control)), props);
  }

  async function use(control) {
    const { verb, asks } = control;
    if (buttons.get(control).hasAttribute("aria-disabled")) return;
    const called = buttons.get(control).textContent;
    if (asks && !(await confirmed(t(`control.ask.${verb}`, { name }), called))) return;
    setText(answer, "");
    try {
      const link = await call("POST", ofLink(name, verb));
      setText(answer, t("control.done", { control: called, state: link.state, label: t(`label.${link.state}`) }));
      answer.classList.remove("error");
    } catch (problem) {
      setText(answer, refusal(problem));
      answer.classList.add("error");
    }
  }

  function show(link) {
    for (const [control, button] of buttons) {
      const { verb } = control;
      const again = verb === "enable" && redials(link);
      setText(button, t(again ? "control.redial" : `control.${verb}`));
      // not "disabled", which would take the focus from who has just used it
      setAttribute(button, "aria-disabled", mayControl() && control.applies(link) ? null : "true");
      button.title = mayControl() ? "" : t("control.not_yours");
    }
  }

  const all = el("div", { class: "buttons" }, ...buttons.values());
  const element = el("section", { class: "controls", "aria-label": t("control.title") }, all, answer);
  return { element, show };
}
