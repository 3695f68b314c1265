// How a program of the hotel's hears of events: what waits for it, and what is in the way.

import { now } from "./clock.js";
import { el, setAttribute, setSign, setText, sign } from "./dom.js";
import { moment, precisely, since, t } from "./translations.js";

const MOODS = { idle: "good", delivering: "wait", retrying: "bad" };
const FACTS = ["url", "backlog", "last_delivered", "last_error", "next_at"];

/** The section of a link; it has to hear how the link is, and is not seen where nobody is to be told. */
export function webhook() {
  let shown = null;
  const drawing = sign("off");
  const state = el("strong");
  const values = new Map(FACTS.map((key) => [key, el("dd")]));
  const facts = [...values].map(([key, value]) => el("div", {}, el("dt", { text: t(`webhook.${key}`) }), value));
  const element = el(
    "section",
    { class: "webhook", hidden: true },
    el("h2", { text: t("webhook.title") }),
    el("p", { class: "state" }, drawing, state),
    el("dl", { class: "facts" }, ...facts),
  );

  function show(link) {
    shown = link.webhook ?? null;
    element.hidden = !shown;
    if (!shown) return;
    const mood = MOODS[shown.state];
    setAttribute(element, "data-mood", mood);
    setSign(drawing, mood);
    setText(state, t(`webhook.state.${shown.state}`));
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
    const seconds = next ? Math.round((new Date(next) - now()) / 1000) : 0;
    say("next_at", seconds > 0 ? t("webhook.in", { seconds }) : "");
  }

  function say(key, text) {
    const value = values.get(key);
    setText(value, text ?? "");
    value.parentElement.hidden = !text;
  }

  return { element, show, tick };
}
