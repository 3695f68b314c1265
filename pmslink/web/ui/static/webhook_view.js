// How a program of the hotel's hears of events: what waits for it, what is in the way, and the one event that a
// person may skip because the program never takes it.

import { call, mayControl, oneAtATime, ofLink } from "./former_api.js";
import { now } from "./core/clock.js";
import { button, refusal, visible } from "./common_elements.js";
import { confirmed } from "./dialog.js";
import { el, setAttribute, setSign, setText, sign } from "./core/dom.js";
import { moment, precisely, since, t } from "./core/texts.js";

const MOODS = { idle: "good", delivering: "wait", retrying: "bad" };
const FACTS = ["url", "backlog", "last_delivered", "last_error", "stuck", "next_at", "skipped"];

/** The section of the link of this name; it has to hear how the link is, and is not seen where nobody is to be told. */
export function webhook(name) {
  let shown = null;
  const drawing = sign("off");
  const state = el("strong");
  const values = new Map(FACTS.map((key) => [key, el("dd")]));
  const facts = [...values].map(([key, value]) => el("div", {}, el("dt", { text: t(`webhook.${key}`) }), value));
  const skipping = button(t("webhook.skip"), oneAtATime(skip), { class: "danger", hidden: true });
  const answer = el("p", { class: "answer", role: "status", tabindex: "-1" });
  const element = el(
    "section",
    { class: "webhook", hidden: true },
    el("h2", { text: t("webhook.title") }),
    el("p", { class: "state" }, drawing, state),
    el("dl", { class: "facts" }, ...facts),
    el("div", { class: "buttons" }, skipping),
    answer,
  );

  function show(link) {
    shown = link.webhook ?? null;
    element.hidden = !shown;
    if (!shown) return;
    const mood = MOODS[shown.state];
    setAttribute(element, "data-mood", mood);
    setSign(drawing, mood);
    setText(state, t(`webhook.state.${shown.state}`));
    skipping.hidden = !shown.stuck || !mayControl();
    tick();
  }

  function tick() {
    if (!shown) return;
    const { url, backlog, oldest, last_delivered: delivered, last_error: error, next_at: next } = shown;
    say("url", url);
    say("backlog", oldest ? t("webhook.waiting", { count: backlog, age: since(oldest) }) : String(backlog));
    say("last_delivered", delivered && `${moment(delivered)} (${t("ago", { time: since(delivered) })})`);
    setAttribute(values.get("last_delivered"), "title", delivered && precisely(delivered));
    say("last_error", error);
    say("stuck", shown.stuck && described(shown.stuck));
    say("skipped", shown.skipped ? String(shown.skipped) : "");
    const seconds = next ? Math.round((new Date(next) - now()) / 1000) : 0;
    say("next_at", seconds > 0 ? t("webhook.in", { seconds }) : "");
  }

  function say(key, text) {
    const value = values.get(key);
    setText(value, text ?? "");
    value.parentElement.hidden = !text;
  }

  async function skip() {
    const { stuck } = shown;
    const what = { event: described(stuck) };
    if (!(await confirmed(t("webhook.ask.skip", what), t("webhook.skip")))) return;
    try {
      show(await call("POST", ofLink(name, "webhook", "skip"), { seq: stuck.seq }));
      setText(answer, t("webhook.done.skip", what));
      answer.classList.remove("error");
    } catch (problem) {
      setText(answer, refusal(problem));
      answer.classList.add("error");
    }
    answer.focus({ preventScroll: true }); // the button that was pressed may be gone
  }

  return { element, show, tick };
}

/** An event as a person recognizes it. */
function described({ seq, type, room }) {
  return room === null ? t("webhook.event", { seq, type }) : t("webhook.event_of_room", { seq, type, room: visible(room) });
}
