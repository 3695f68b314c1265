// The trial of an address, step by step: where it fails, and what that means.

import { call } from "./former_api.js";
import { button, visible } from "./common_elements.js";
import { el, setAttribute, setSign, setText, sign } from "./core/dom.js";
import { t } from "./core/texts.js";

const STEPS = ["resolve", "connect", "link_start", "description", "confirmation"];

/**
 * The steps, and `run(settings)`, which tries a link of these settings and shows how it goes. `suggest` puts a
 * setting that a step suggests into the form; without it, nothing can be changed there.
 */
export function trial(suggest) {
  const lines = new Map(STEPS.map((step) => [step, line(step, suggest)]));
  const verdict = el("p", { class: "answer", role: "status" });
  const all = el("ol", {}, ...[...lines.values()].map((one) => one.element));
  const element = el("section", { class: "trial", hidden: true, "aria-label": t("test.title") }, all, verdict);

  async function run(settings) {
    element.hidden = false;
    for (const one of lines.values()) one.show("wait", "");
    const accepts = settings.connect === "accept";
    setText(verdict, t(accepts ? "test.waiting" : "test.running"));
    try {
      judge((await call("POST", "links/test", settings)).steps, accepts);
    } catch (problem) {
      element.hidden = true;
      throw problem;
    }
  }

  function judge(steps, accepts) {
    const tried = new Map(steps.map((one) => [one.step, one]));
    for (const [step, one] of lines) {
      const result = tried.get(step);
      if (!result) one.show("off", t("test.not_tried"));
      else one.tell(result);
    }
    const failed = steps.find((one) => !one.ok);
    const meaning = failed && (accepts && failed.step === "connect" ? "call" : failed.step);
    setText(verdict, failed ? t(`test.meaning.${meaning}`) : t("test.good"));
    verdict.classList.toggle("error", Boolean(failed));
  }

  return { element, run };
}

function line(step, suggest) {
  const drawing = sign("off");
  const told = el("span", { class: "told" });
  const details = el("div", { class: "details" });
  const title = el("strong", { text: t(`test.step.${step}`) });
  const element = el("li", { "data-step": step }, drawing, title, " ", told, details);

  function show(mood, text) {
    setSign(drawing, mood);
    setAttribute(element, "data-mood", mood);
    setText(told, text);
    details.replaceChildren();
  }

  /** Show the result of this step: a step may succeed, and still have an advice. */
  function tell({ ok, reason, seconds, advice, seen, suggest: suggestion }) {
    const mood = ok ? (advice || suggestion ? "look" : "good") : "bad";
    show(mood, `${visible(reason)} (${t("test.took", { seconds })})`);
    if (seen) details.append(seenBytes(seen));
    if (advice) details.append(el("p", { class: "advice", text: visible(advice) }));
    if (suggestion && suggest) details.append(suggestionButton(suggestion, suggest));
  }

  return { show, tell, element };
}

/** The first bytes that came, as text where they are, and in hexadecimal. */
function seenBytes({ bytes, hex }) {
  const pairs = hex.match(/../g) ?? [];
  const text = pairs.map(asCharacter).join("");
  const parts = [t("test.seen", { bytes }), " ", el("code", { text }), " ", el("code", { class: "quiet", text: pairs.join(" ") })];
  return el("p", { class: "seen" }, ...parts);
}

function asCharacter(pair) {
  const code = parseInt(pair, 16);
  return code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : "·";
}

function suggestionButton(suggestion, suggest) {
  const { setting, value } = suggestion;
  return button(t("test.use", { setting, value: String(value) }), () => suggest(suggestion), { "data-setting": setting });
}
