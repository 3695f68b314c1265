// The groups of a form, at its left or above it: where one is, and which has a field that is wrong.

import { el, setAttribute } from "../core/dom.js";
import { t } from "../core/texts.js";

/**
 * Links to these cards. `address(group)` is where a group has its address, `onChosen(group)` is called when it is
 * chosen. Returns `{element, show(group), mark(wrongGroups), close()}`.
 */
export function groupNavigation(cards, address, onChosen) {
  const links = new Map(cards.map((card) => [card.dataset.group, groupLink(card.dataset.group, address)]));
  const show = (group) => scrollTo(cards.find((card) => card.dataset.group === group));
  for (const [group, link] of links) {
    link.addEventListener("click", (event) => {
      event.preventDefault(); // the view stays, with what is written in it
      onChosen(group);
      show(group);
    });
  }
  const observer = observeCards(cards, (group) => {
    for (const [name, link] of links) setAttribute(link, "aria-current", name === group ? "true" : null);
  });
  const mark = (wrong) => {
    for (const [group, link] of links) link.lastElementChild.hidden = !wrong.includes(group);
  };
  const element = el("nav", { class: "groups", "aria-label": t("tab.settings") }, ...links.values());
  return { element, show, mark, close: () => observer.disconnect() };
}

function groupLink(group, address) {
  const mark = el("span", { class: "pill", "data-mood": "bad", hidden: true }, "!", el("span", { class: "sr", text: t("set.wrong") }));
  return el("a", { href: address(group) }, t(`set.${group}`), mark);
}

function scrollTo(card) {
  card?.scrollIntoView({ block: "start" });
  card?.querySelector("h2").focus({ preventScroll: true });
}

/** Call `onCurrent(group)` for the first card of which something is in the upper half of the window. */
function observeCards(cards, onCurrent) {
  const seen = new Set();
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) seen[isIntersecting ? "add" : "delete"](target);
      const first = cards.find((card) => seen.has(card));
      if (first) onCurrent(first.dataset.group);
    },
    { rootMargin: "-60px 0px -50% 0px" },
  );
  cards.forEach((card) => observer.observe(card));
  return observer;
}
