// The verdict on a link: what it is like in one sentence, what to do, and the one button that helps.

import { may } from "../core/api.js";
import { now } from "../core/clock.js";
import { el, icon, keyed, part, setAttribute, setIcon, setText } from "../core/dom.js";
import { health, remedy, why, words } from "../core/health.js";
import { remedyAddress } from "../core/remedy_places.js";
import { linkAddress } from "../core/router.js";
import { counted, since, t } from "../core/texts.js";
import { button, linkOrText } from "./elements.js";

/**
 * The verdict: `{element, show(link, isSlim)}`. `actions.enable()` enables the link, or dials at once. On the
 * tabs beside the overview it is slim: one line, and none at all for a link that is well.
 */
export function verdictBox(actions) {
  const parts = buildVerdict(() => actions.enable());
  return { element: parts.element, show: (link, isSlim) => writeVerdict(parts, { link, isSlim }) };
}

function buildVerdict(enable) {
  const cure = linkOrText();
  const parts = {
    sign: icon("off"),
    sentence: el("h2"),
    todo: el("p", { class: "do" }, cure.element),
    cure,
    meanwhile: el("ul", { class: "mean" }),
    marker: el("p", { class: "marker", title: t("col.state") }),
    countdown: el("p", { class: "tiny countdown" }),
    redial: el("button", { type: "button", class: "primary", onclick: enable }, icon("sync"), t("link.redial")),
    enable: button(t("link.enable"), enable, { class: "primary" }),
  };
  const said = el("div", {}, parts.sentence, parts.todo, parts.meanwhile);
  const aside = el("div", { class: "aside" }, parts.marker, parts.countdown, parts.redial, parts.enable);
  return { ...parts, element: el("section", { class: "verdict", "aria-label": t("link.verdict") }, parts.sign, said, aside) };
}

function writeVerdict(parts, { link, isSlim }) {
  const { mood, sign } = health(link);
  const isDown = mood === "bad";
  setAttribute(parts.element, "class", isSlim ? "verdict slim" : "verdict");
  setAttribute(parts.element, "hidden", isSlim && mood === "good");
  setAttribute(parts.element, "data-mood", mood);
  setIcon(parts.sign, sign);
  setText(parts.sentence, verdictText(link));
  parts.cure.show(isSlim ? "" : remedy(link), remedyAddress(link));
  setAttribute(parts.todo, "hidden", !parts.todo.textContent);
  setText(parts.marker, link.state);
  writeCountdown(parts.countdown, link, isDown);
  setAttribute(parts.redial, "hidden", !isDown || isAwaited(link) || !may("control"));
  setAttribute(parts.redial, "class", isSlim ? "btn-s" : "primary");
  setAttribute(parts.enable, "hidden", isSlim || !canBeEnabled(link));
  const items = isDown && !isSlim ? meanwhile(link) : [];
  keyed(parts.meanwhile, items, ({ key }) => key, makeMeanwhile);
  setAttribute(parts.meanwhile, "hidden", items.length === 0);
}

/** The one sentence about a link: since when it is down, and why. */
function verdictText(link) {
  const { mood } = health(link);
  if (mood === "bad" && link.down_since) {
    return t("link.down_for", { words: words(link), time: since(link.down_since), why: why(link) });
  }
  if (mood === "good") return t("link.good_for", { time: since(link.since) });
  const reason = why(link);
  if (reason.startsWith(words(link))) return reason;
  return reason ? t("link.words_and_why", { words: words(link), why: reason }) : words(link);
}

function writeCountdown(element, link, isDown) {
  const { retry, state } = link;
  const seconds = retry.next_at === null ? 0 : Math.round((Date.parse(retry.next_at) - now()) / 1000);
  const isDialling = state === "WAIT_LS";
  setAttribute(element, "hidden", !isDown || (!isDialling && retry.next_at === null));
  if (isAwaited(link)) return setText(element, t("link.awaits"));
  const key = isDialling || seconds <= 0 ? "link.dialling" : "link.redial_in";
  return setText(element, t(key, { seconds: Math.max(0, seconds), count: retry.attempt }));
}

/** Whether it is the PMS that dials. */
const isAwaited = ({ settings }) => settings.connect === "accept";

const canBeEnabled = (link) => link.intent !== "enabled" && may("control") && !hasExpired(link);

/** Whether the subscription of a link is over: then it has to be renewed before the link can be enabled. */
const hasExpired = ({ settings }) => settings.expires_at !== null && Date.parse(settings.expires_at) <= now();

function meanwhile({ name, outbox }) {
  const items = [
    { key: "title", text: `${t("mean.title")}:` },
    { key: "wake", sign: "alarm", text: t("mean.wake") },
    { key: "hand", sign: "hand", text: t("mean.hand"), href: linkAddress(name, "rooms") },
    { key: "wait", sign: "clock", text: counted("mean.wait_one", "mean.wait", outbox.pending) },
    { key: "stale", sign: "bed", text: t("mean.stale") },
  ];
  const isShown = { hand: may("desk"), wait: outbox.pending > 0 };
  return items.filter(({ key }) => isShown[key] ?? true);
}

const makeMeanwhile = part(buildMeanwhile, ({ text }, item) => setText(text, item.text));

function buildMeanwhile({ sign, href }) {
  const text = href ? el("a", { href }) : el("span");
  return { element: el("li", { class: sign ? null : "quiet" }, sign ? icon(sign) : null, text), text };
}
