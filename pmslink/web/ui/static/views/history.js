// The history of a link: its phases over time, their numbers, and one event for each fact.

import { call, may, ofLink } from "../core/api.js";
import { el, keyed, setAttribute, setText } from "../core/dom.js";
import { historyEvents } from "../core/history_events.js";
import { knownPhases, phasesBetween, summarize } from "../core/phases.js";
import { replaceQuery } from "../core/router.js";
import { duration, loadSettingTexts, moment, percent, t } from "../core/texts.js";
import { button, card, failureLine, refusalText } from "../components/elements.js";
import { makeEvent } from "../components/history_event.js";
import { phaseLegend, timeline } from "../components/timeline.js";

// Hours by range, in the order of the buttons.
const RANGES = new Map([["1", 1], ["24", 24], ["7", 168], ["30", 720], ["known", 9600]]);
const USUAL = "24";
const REFRESH_MS = 60_000;
const GATHER_MS = 500;
const AUDIT_ENTRIES = 200;
const SHOWN_EVENTS = 100; // more on demand

/** The tab "History" of a link. */
export function view({ name, link, query }) {
  const history = new History(name, link, query.get("range"));
  history.load();
  return {
    element: history.element,
    change: ({ query: next }) => history.choose(next.get("range")),
    update: (kind, data) => history.update(kind, data),
    close: () => history.close(),
  };
}

class History {
  #name;
  #link;
  #range = USUAL;
  #zoom = null;
  #phases = [];
  #audit = [];
  #shown = SHOWN_EVENTS;
  #loadedAt = 0;
  #gathering = null;
  #isClosed = false;
  #ranges = new Map();
  #strip = timeline({ name: t("hist.strip"), onZoom: (range) => this.#zoomTo(range) });
  #legend = phaseLegend();
  #whole = button(t("hist.whole"), () => this.#strip.reset(), { class: "btn-s", hidden: true });
  #limits = el("span", { class: "small quiet" });
  #numbers = new Map(["share", "outages", "longest"].map((key) => [key, el("dd")]));
  #events = el("ul", { class: "events" });
  #more = button(t("hist.more"), () => this.#showMore(), { class: "btn-s", hidden: true });
  #failure = failureLine();

  constructor(name, link, range) {
    this.#name = name;
    this.#link = link;
    for (const key of RANGES.keys()) this.#ranges.set(key, this.#rangeButton(key));
    this.#mark(range);
    const facts = [...this.#numbers].map(([key, value]) => el("div", { "data-fact": key }, el("dt", { text: t(`hist.${key}`) }), value));
    const under = el("div", { class: "row under" }, this.#legend.element);
    const numbers = el("dl", { class: "facts" }, ...facts);
    const strip = card(t("hist.strip"), [this.#strip.element, under, numbers], [this.#limits, this.#whole]).element;
    const choice = el("span", { class: "seg", role: "group", "aria-label": t("hist.range") }, ...this.#ranges.values());
    const events = el("section", { class: "card", "aria-label": t("hist.events"), hidden: true }, this.#events);
    const bar = el("div", { class: "row chips" }, choice);
    this.element = el("div", { class: "stack history" }, bar, this.#failure.element, strip, events, el("p", {}, this.#more));
  }

  #rangeButton(key) {
    return button(t(`hist.${key}`), () => this.choose(key, true), { "aria-pressed": "false" });
  }

  /** Show another range; one that a person chose goes into the address. */
  choose(range, isPressed = false) {
    if (!this.#mark(range)) return;
    if (isPressed) replaceQuery({ range: this.#range === USUAL ? null : this.#range });
    this.#zoom = null;
    this.#strip.reset();
    this.load();
  }

  #mark(range) {
    const wanted = RANGES.has(range) ? range : USUAL;
    const isOther = wanted !== this.#range;
    this.#range = wanted;
    for (const [key, one] of this.#ranges) setAttribute(one, "aria-pressed", String(key === wanted));
    return isOther;
  }

  async load() {
    clearTimeout(this.#gathering);
    this.#gathering = null;
    this.#loadedAt = Date.now();
    const range = this.#range;
    try {
      const calls = [call("GET", `${ofLink(this.#name, "phases")}?hours=${RANGES.get(range)}`), this.#loadAudit()];
      const [{ phases }, audit] = await Promise.all(calls);
      if (this.#isClosed || range !== this.#range) return;
      this.#phases = knownPhases(phases);
      this.#audit = audit;
      this.#failure.show("");
      this.#show();
    } catch (problem) {
      if (!this.#isClosed) this.#failure.show(refusalText(problem));
    }
  }

  /** Who did what, for roles that may read it. */
  async #loadAudit() {
    if (!may("audit")) return [];
    const query = new URLSearchParams({ link: this.#name, limit: String(AUDIT_ENTRIES) });
    try {
      const { audit } = await call("GET", `audit?${query}`);
      if (audit.some(({ action }) => action.endsWith(".change"))) await loadSettingTexts(); // it names what was changed
      return audit;
    } catch (problem) {
      console.info(`who did what is not known: ${problem.message}`); // the phases are
      return [];
    }
  }


  #zoomTo(range) {
    this.#zoom = range;
    this.#show(false);
  }

  #show(withStrip = true) {
    if (withStrip) this.#strip.show(this.#phases);
    this.#legend.show(this.#phases);
    setAttribute(this.#whole, "hidden", this.#zoom === null);
    const shown = this.#zoom ? phasesBetween(this.#phases, ...this.#zoom) : this.#phases;
    this.#showNumbers(shown);
    const events = historyEvents(shown, this.#audit).map((event) => ({ ...event, link: this.#link }));
    keyed(this.#events, events.slice(0, this.#shown), ({ key }) => key, makeEvent);
    setAttribute(this.#more, "hidden", events.length <= this.#shown);
    setAttribute(this.#events.parentElement, "hidden", events.length === 0);
  }

  #showNumbers(phases) {
    const { share, known, outages, longest } = summarize(phases);
    const text = share === null ? t("hist.nothing") : t("hist.share_of", { share: percent(share), known: duration(known) });
    setText(this.#numbers.get("share"), text);
    setText(this.#numbers.get("outages"), String(outages));
    setText(this.#numbers.get("longest"), outages ? duration(longest) : "–");
    const limits = phases.length ? `${moment(phases[0].since)} – ${moment(phases[phases.length - 1].until)}` : "";
    setText(this.#limits, limits);
  }

  #showMore() {
    this.#shown += SHOWN_EVENTS;
    this.#show(false);
  }

  update(kind, data) {
    if (kind === "link") {
      this.#link = data.link;
      if (data.transition) this.#loadSoon();
    } else if (kind === "reset" || kind === "posting") {
      this.#loadSoon();
    } else if (kind === "tick" && Date.now() - this.#loadedAt >= REFRESH_MS) {
      this.load();
    }
  }

  #loadSoon() {
    this.#gathering ??= setTimeout(() => this.load(), GATHER_MS);
  }

  close() {
    this.#isClosed = true;
    clearTimeout(this.#gathering);
  }
}
