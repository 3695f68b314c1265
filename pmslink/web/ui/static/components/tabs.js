// The tabs of a link: links with addresses of their own, each with its counts.

import { el, keyed, part, setAttribute, setText } from "../core/dom.js";
import { linkAddress } from "../core/router.js";
import { t } from "../core/texts.js";

/**
 * The tabs of the link of this name: `{element, show(tabs, current)}`.
 *
 * A tab is `{key, pills}`; a pill is `{key, count, mood, label}`, where `label` says in words what is counted.
 */
export function tabBar(name) {
  const element = el("nav", { class: "tabs", "aria-label": name });
  let shown = null;

  function show(tabs, current) {
    const items = tabs.map((tab) => ({ ...tab, name, isCurrent: tab.key === current }));
    const instances = keyed(element, items, ({ key }) => key, makeTab);
    if (shown === current) return;
    shown = current;
    requestAnimationFrame(() => revealInside(element, instances.get(current)?.element));
  }

  return { element, show };
}

const makeTab = part(buildTab, writeTab);

function buildTab({ key, name }) {
  const pills = el("span", { class: "row" });
  return { element: el("a", { href: linkAddress(name, key) }, el("span", { text: t(`tab.${key}`) }), pills), pills };
}

function writeTab({ element, pills }, tab) {
  setAttribute(element, "aria-current", tab.isCurrent ? "page" : null);
  keyed(pills, tab.pills, ({ key }) => key, makePill);
  setAttribute(pills, "hidden", tab.pills.length === 0);
}

const makePill = part(buildPill, writePill);

function buildPill() {
  const label = el("span", { class: "sr" });
  const count = el("span", { "aria-hidden": "true" });
  return { element: el("span", { class: "pill" }, count, label), count, label };
}

function writePill({ element, count, label }, pill) {
  setAttribute(element, "data-mood", pill.mood);
  setText(count, String(pill.count));
  setText(label, pill.label);
}

/** Scroll a bar sideways so far that one of its children is seen. The page itself stays. */
function revealInside(bar, child) {
  if (!child) return;
  const left = child.offsetLeft - bar.offsetLeft;
  const right = left + child.offsetWidth;
  if (left < bar.scrollLeft) bar.scrollLeft = left;
  else if (right > bar.scrollLeft + bar.clientWidth) bar.scrollLeft = right - bar.clientWidth;
}
