// The overview of a link: where it stops, what would probably help, its last day, its link checks and its outbox.

import { call, may, ofLink } from "../core/api.js";
import { el, setText } from "../core/dom.js";
import { knownPhases } from "../core/phases.js";
import { linkAddress } from "../core/router.js";
import { t } from "../core/texts.js";
import { card, refusalText } from "../components/elements.js";
import { hintCards } from "../components/hint_cards.js";
import { linkFacts } from "../components/link_facts.js";
import { linkPath } from "../components/link_path.js";
import { outboxSummary } from "../components/outbox_summary.js";
import { phaseLegend, summaryText, timeline } from "../components/timeline.js";

const HOURS = 24;
const REFRESH_MS = 60_000;
const GATHER_MS = 500;

/** The tab "Overview" of a link. */
export function view({ name, link }) {
  const path = linkPath();
  const hints = hintCards(name);
  const day = may("history") ? lastDay(name) : null;
  const facts = linkFacts(name);
  const outbox = outboxSummary();
  const all = (tab) => el("a", { href: linkAddress(name, tab), text: t("card.all"), "aria-label": t("card.all_of", { tab: t(`tab.${tab}`) }) });
  const main = [path.element, hints.element, day && card(t("card.day"), day.content, all("history")).element];
  const aside = [card(t("card.link"), facts.element).element, card(t("card.outbox"), outbox.element, all("outbox")).element];
  const element = el("div", { class: "cols" }, el("div", { class: "stack" }, ...main), el("div", { class: "stack" }, ...aside));
  let shown = link;

  function show() {
    path.show(shown);
    hints.show(shown);
    facts.show(shown);
    outbox.show(shown);
  }

  function update(kind, data) {
    if (kind === "link") {
      shown = data.link;
      if (data.transition) day?.loadSoon();
    }
    if (kind === "link" || kind === "tick") show();
    if (kind === "tick") day?.tick();
    if (kind === "reset") day?.loadSoon();
  }

  show();
  day?.loadSoon(0);
  return { element, update, close: () => day?.close() };
}

/** The last day of a link: the strip and the share in sync. */
function lastDay(name) {
  const strip = timeline({ name: t("card.day") });
  const legend = phaseLegend();
  const share = el("span", { class: "push small quiet" });
  const content = el("div", {}, strip.element, el("div", { class: "row under" }, legend.element, share));
  let loadedAt = 0;
  let gathering = null;

  async function load() {
    gathering = null;
    loadedAt = Date.now();
    try {
      const { phases } = await call("GET", `${ofLink(name, "phases")}?hours=${HOURS}`);
      const known = knownPhases(phases);
      strip.show(known);
      legend.show(known);
      setText(share, summaryText(known) || t("hist.nothing"));
    } catch (problem) {
      setText(share, refusalText(problem));
    }
  }

  return {
    content,
    loadSoon: (delay = GATHER_MS) => (gathering ??= setTimeout(load, delay)),
    tick: () => Date.now() - loadedAt >= REFRESH_MS && load(),
    close: () => clearTimeout(gathering),
  };
}
