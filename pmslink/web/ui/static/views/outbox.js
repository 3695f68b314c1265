// The outbox of a link: why nothing is sent, what waits, and what a person has to decide.

import { CallError, call, may, oneAtATime, ofLink, refusal, send } from "../core/api.js";
import { now } from "../core/clock.js";
import { el, icon, keyed, setAttribute, setText } from "../core/dom.js";
import { CHIPS, TIMES, belongs, needsDecision, offersSeveral, queryOf, whyWaiting } from "../core/postings.js";
import { pressedStep } from "../core/keys.js";
import { replaceQuery } from "../core/router.js";
import { moment, t } from "../core/texts.js";
import { chosenBar } from "../components/chosen_bar.js";
import { button, failureLine, loadingBars, refusalText } from "../components/elements.js";
import { outboxBar } from "../components/outbox_bar.js";
import { COLUMNS, postingRows } from "../components/posting_row.js";

const PAGE_ROWS = 50;
const MAX_ROWS = 1000; // that are kept on the page

class OutboxTab {
  #name;
  #link;
  #filter;
  #rows = new Map(); // by id
  #next = null; // the id below which the next page begins; null after the last one
  #loads = 0; // an answer to an older filter is not shown
  #isLoaded = false;
  #since = new Map(); // by id, rows of the stream since the last load began
  #chosen = new Set();
  #bar;
  #chosenBar;
  #held = heldHint();
  #table = el("table", { class: "stacked out", "aria-label": t("tab.outbox") });
  #failure = failureLine();
  #done = el("p", { class: "small", role: "status", tabindex: "-1", hidden: true });
  #empty = el("p");
  #bars = loadingBars();
  #clear;
  #more;

  constructor({ name, link, query }) {
    this.#name = name;
    this.#link = link;
    this.#filter = filterOf(query);
    const onExport = oneAtATime(() => this.#export());
    const onFilter = () => {
      replaceQuery(addressOf(this.#filter));
      this.#reload();
    };
    this.#bar = outboxBar(this.#filter, { onFilter, onNames: () => this.#show(), onExport });
    this.#chosenBar = chosenBar(name, this.#chosen, () => this.#show());
    this.#clear = button(t("out.clear"), () => this.#bar.clear());
    this.#more = button(t("out.more"), oneAtATime(() => this.#load()));
    this.#build();
    this.#reload();
  }

  #build() {
    const heads = COLUMNS.map(([key, kind]) => el("th", { scope: "col", class: kind || null, text: t(key) }));
    this.chooseHead = el("th", { scope: "col", class: "choose", hidden: true }, el("span", { class: "sr", text: t("out.choose") }));
    const details = el("th", { scope: "col" }, el("span", { class: "sr", text: t("out.details") }));
    this.head = el("thead", {}, el("tr", {}, this.chooseHead, ...heads, details));
    const empty = el("div", { class: "empty" }, this.#empty, this.#bars, this.#clear);
    this.emptyPlace = empty;
    const card = el("section", { class: "card scroll", "aria-label": t("out.region") }, this.#table, empty);
    const parts = [this.#held.element, this.#bar.element, this.#chosenBar.element, this.#done, this.#failure.element];
    this.element = el("div", { class: "stack" }, ...parts, card, el("div", { class: "row center" }, this.#more));
  }

  // What a view offers to the frame.

  title = () => `${this.#name} · ${t("out.region")}`;

  update(kind, data) {
    if (kind === "link" && data.link.name === this.#name) this.#onLink(data.link);
    if (kind === "posting" && data.link === this.#name) this.#onPosting(data.posting);
    if (kind === "reset") this.#reload(); // what happened before the stream began again was not reported
  }

  change({ query }) {
    if (this.#bar.set(filterOf(query))) this.#reload();
  }

  close() {
    this.#loads += 1;
    this.#bar.stop();
  }

  draft = () => ({ query: this.#filter.query, areNamesShown: this.#bar.areNamesShown() });
  restore = (draft) => this.#bar.fill(draft);

  /** Move through the rows: the focus goes to what unfolds a row. */
  onKey(event) {
    const step = pressedStep(event, this.#table);
    const rows = [...this.#table.tBodies];
    if (step === null || rows.length === 0) return;
    event.preventDefault();
    const position = rows.indexOf(document.activeElement.closest("tbody"));
    rows[step(position, rows.length)].querySelector(".more button").focus();
  }

  // Rows.

  #onLink(link) {
    this.#link = link;
    this.#show();
  }

  #reload() {
    this.#rows.clear();
    this.#next = null;
    this.#isLoaded = false;
    return this.#load();
  }

  async #load() {
    const load = ++this.#loads;
    this.#since.clear();
    /** @type {Record<string, string>} */
    const query = { ...queryOf(this.#filter, now()), limit: String(PAGE_ROWS) };
    if (this.#next !== null) query.before = String(this.#next);
    try {
      const { postings, next } = await call("GET", `${ofLink(this.#name, "postings")}?${new URLSearchParams(query)}`);
      if (load !== this.#loads) return;
      for (const posting of postings) this.#rows.set(posting.id, this.#since.get(posting.id) ?? posting);
      this.#next = next;
      this.#isLoaded = true;
      this.#failure.show("");
      for (const posting of this.#since.values()) this.#apply(posting);
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      if (load === this.#loads) this.#failure.show(refusalText(error));
    }
    this.#show();
  }

  #onPosting(posting) {
    this.#since.set(posting.id, posting);
    if (!this.#isLoaded) return;
    this.#apply(posting);
    this.#show();
  }

  /** Take in a row of the stream: it appears, changes, or does not belong to the filter any more. */
  #apply(posting) {
    const isOlder = this.#next !== null && posting.id < this.#next;
    if (belongs(posting, this.#filter, now()) && !isOlder) this.#rows.set(posting.id, posting);
    else this.#rows.delete(posting.id);
    if (this.#rows.size <= MAX_ROWS) return;
    const ids = [...this.#rows.keys()].sort((one, other) => one - other);
    this.#rows.delete(ids[0]);
    this.#next = ids[1];
  }

  #show() {
    const rows = [...this.#rows.values()].sort((one, other) => other.id - one.id);
    const { unknown, refused, pending } = this.#link.outbox;
    const isChoosing = may("desk") && offersSeveral(this.#link.outbox);
    const look = this.#look(isChoosing);
    this.#chosenBar.show(isChoosing, rows.filter(needsDecision));
    setAttribute(this.chooseHead, "hidden", !isChoosing);
    this.#showRows(rows.map((posting) => ({ posting, look })));
    this.#bar.count({ ask: unknown + refused, waiting: pending });
    this.#held.show(whyWaiting(this.#link), pending);
    this.#showEmpty(rows.length);
    setAttribute(this.#more, "hidden", this.#next === null);
  }

  #look(isChoosing) {
    return {
      name: this.#name,
      link: this.#link,
      currency: this.#link.settings.currency ?? null,
      areShown: this.#bar.areNamesShown(),
      isAllowed: may("desk"),
      isChoosing,
      chosen: this.#chosen,
      onChoose: (id, on) => {
        this.#chosen[on ? "add" : "delete"](id);
        this.#show();
      },
      onDecided: (_, text) => this.#decided(text),
    };
  }

  #showRows(items) {
    const focused = document.activeElement?.closest("tbody");
    const after = focused && this.#table.contains(focused) ? focused.nextElementSibling : null;
    const head = { element: this.head, update: () => {} };
    const make = (item) => (item === null ? head : postingRows(item));
    keyed(this.#table, [null, ...items], (item) => item?.posting.id ?? "head", make);
    if (focused && !focused.isConnected) (after?.isConnected ? after.querySelector("button") : this.#done).focus();
  }

  #showEmpty(count) {
    const { query, chip, time } = this.#filter;
    const isFiltered = query !== "" || chip !== "all" || time !== "all";
    setAttribute(this.emptyPlace, "hidden", count > 0);
    setAttribute(this.#table, "hidden", count === 0);
    setText(this.#empty, t(this.#isLoaded ? (isFiltered ? "out.nothing" : "out.none") : "out.loading"));
    setAttribute(this.#bars, "hidden", this.#isLoaded);
    setAttribute(this.#clear, "hidden", !this.#isLoaded || !isFiltered);
  }

  #decided(text) {
    setText(this.#done, text);
    setAttribute(this.#done, "hidden", false);
  }

  // The file for a spreadsheet.

  async #export() {
    const path = `${ofLink(this.#name, "postings")}?${new URLSearchParams(queryOf(this.#filter, now()))}`;
    try {
      const answer = await send("GET", path, undefined, { headers: { Accept: "text/csv" } });
      if (!answer.ok) throw await refusal(answer);
      saveFile(await answer.blob(), `${this.#name}-outbox.csv`);
      this.#failure.show("");
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      this.#failure.show(refusalText(error));
    }
  }
}

function saveFile(blob, name) {
  const href = URL.createObjectURL(blob);
  el("a", { href, download: name }).click();
  URL.revokeObjectURL(href);
}

/** Why nothing is sent, with until when. */
function heldHint() {
  const sentence = el("p");
  const text = el("div", {}, el("b", { text: t("out.held") }), sentence);
  const element = el("div", { class: "hint", role: "note", hidden: true }, icon("clock"), text);

  function show(why, waiting) {
    setAttribute(element, "hidden", why === null || (why.key === "out.held.off" && waiting === 0));
    if (why === null) return;
    setAttribute(element, "data-mood", why.since === null ? "off" : "wait");
    const times = { since: why.since && moment(why.since), until: why.until && moment(why.until) };
    setText(sentence, t(why.key, times));
  }

  return { element, show };
}

// Filters in the address.

function filterOf(query) {
  const chip = query.get("show") ?? "all";
  const time = query.get("time") ?? "all";
  return {
    query: query.get("q") ?? "",
    chip: chip in CHIPS ? chip : "all",
    time: TIMES.includes(time) ? time : "all",
    from: query.get("from") ?? "",
    to: query.get("to") ?? "",
  };
}

function addressOf({ query, chip, time, from, to }) {
  const range = time === "range" ? { from, to } : {};
  return { q: query, show: chip === "all" ? "" : chip, time: time === "all" ? "" : time, ...range };
}

/** The tab "Outbox" of a link. */
export const view = (params) => new OutboxTab(params);
