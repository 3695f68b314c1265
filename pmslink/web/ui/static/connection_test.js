// The trial of an address, step by step: where it fails, and what that means.

import { call } from "./api_client.js";
import { el, setAttribute, setSign, setText, sign } from "./dom.js";
import { t } from "./translations.js";

const STEPS = ["resolve", "connect", "link_start", "description", "confirmation"];

/** The steps, and `run(settings)`, which tries a link of these settings and shows how it goes. */
export function trial() {
  const lines = new Map(STEPS.map((step) => [step, line(step)]));
  const verdict = el("p", { class: "answer", role: "status" });
  const all = el("ol", {}, ...[...lines.values()].map((one) => one.element));
  const element = el("section", { class: "trial", hidden: true, "aria-label": t("test.title") }, all, verdict);

  async function run(settings) {
    element.hidden = false;
    for (const one of lines.values()) one.show("wait", "");
    setText(verdict, t("test.running"));
    try {
      judge((await call("POST", "links/test", settings)).steps);
    } catch (problem) {
      element.hidden = true;
      throw problem;
    }
  }

  function judge(steps) {
    const tried = new Map(steps.map((one) => [one.step, one]));
    for (const [step, one] of lines) {
      const result = tried.get(step);
      if (!result) one.show("off", t("test.not_tried"));
      else one.show(result.ok ? "good" : "bad", `${result.reason} (${t("test.took", { seconds: result.seconds })})`);
    }
    const failed = steps.find((one) => !one.ok);
    setText(verdict, failed ? t(`test.meaning.${failed.step}`) : t("test.good"));
    verdict.classList.toggle("error", Boolean(failed));
  }

  return { element, run };
}

function line(step) {
  const drawing = sign("off");
  const told = el("span", { class: "told" });
  const element = el("li", { "data-step": step }, drawing, el("strong", { text: t(`test.step.${step}`) }), " ", told);
  const show = (mood, text) => {
    setSign(drawing, mood);
    setAttribute(element, "data-mood", mood);
    setText(told, text);
  };
  return { element, show };
}
