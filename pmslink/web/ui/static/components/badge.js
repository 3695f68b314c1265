// Small components that say what a link is like: badge, pill, counter, and the bars of its last hours.

import { el, icon, part, setAttribute, setIcon, setText } from "../core/dom.js";
import { health } from "../core/health.js";
import { decimal, t } from "../core/texts.js";

/** What a link is like: sign and words, with the marker of the specification in small. */
export const badge = part(
  (link) => {
    const sign = icon(health(link).sign);
    const words = el("span");
    const marker = el("small", { class: "marker" });
    return { element: el("span", { class: "badge" }, sign, words, marker), sign, words, marker };
  },
  ({ element, sign, words, marker }, link) => {
    const { key, mood, sign: name } = health(link);
    setAttribute(element, "data-mood", mood);
    setIcon(sign, name);
    setText(words, t(`state.${key}`));
    setText(marker, link.state);
  },
);

/** A count or state in a coloured pill. */
export const pill = (text, mood) => el("span", { class: "pill", "data-mood": mood, text });

/**
 * A counter that filters: a number over a sign and words. `update({count, pressed})` shows what it counts.
 *
 * `group` has the key of its words, `group.KEY`, its mood and its sign.
 *
 * @param {string[]} group
 * @param {() => void} onclick
 */
export function counter([key, mood, sign], onclick) {
  const number = el("b");
  const props = { type: "button", class: "counter", "data-group": key, "data-mood": mood, onclick };
  const element = el("button", props, number, icon(sign), el("span", { text: t(`group.${key}`) }));
  const update = ({ count, pressed }) => {
    setText(number, count === null ? "–" : decimal(count));
    setAttribute(element, "data-none", !count);
    setAttribute(element, "aria-pressed", String(pressed));
  };
  return { element, update };
}

const MOOD_OF_HOUR = { b: "bad", w: "wait", g: "good", o: "off", "-": "none" };

/** A bar for each of the last 24 hours, with the worst state of it; the value is `hours` of a link. */
export const beats = part(
  (hours) => {
    const bars = [...hours].map(() => el("i"));
    return { element: el("span", { class: "beats", role: "img" }, bars), bars };
  },
  ({ element, bars }, hours) => {
    bars.forEach((bar, index) => setAttribute(bar, "data-mood", MOOD_OF_HOUR[hours[index]]));
    setAttribute(element, "aria-label", hoursText(hours));
    setAttribute(element, "title", hoursText(hours));
  },
);

function hoursText(hours) {
  const counts = ["b", "w", "o"].map((letter) => [letter, hours.split(letter).length - 1]).filter(([, count]) => count);
  const unknown = hours.split("-").length - 1;
  const parts = counts.map(([letter, count]) => t("beats.hours", { state: t(`beats.${letter}`), hours: count }));
  if (unknown) parts.push(t("beats.hours", { state: t("beats.unknown"), hours: unknown }));
  return parts.length ? parts.join(t("beats.joint")) : t("beats.all");
}
