// All links: how many are how, those first that need somebody, and what to do about each.

import { may } from "../core/api.js";
import { el, icon, keyed, setAttribute, setText } from "../core/dom.js";
import { GROUPS, health, shownSince, summary } from "../core/health.js";
import { isShortcut, pressedStep } from "../core/keys.js";
import { LinkList, linkCount, loadStatus, serviceStatus } from "../core/links.js";
import { replaceQuery } from "../core/router.js";
import { decimal, t } from "../core/texts.js";
import { counter } from "../components/badge.js";
import { columnHeadings, headingRow, linkRow, loadingRow, rowHeight, withHeadings } from "../components/link_row.js";

const MAX_TALL_ROWS = 200; // of more links, each has one line, and only those in sight are in the document
const REST_MS = 2_000; // after pointer and focus have left the rows, before their order changes
const REFRESH_DELAY_MS = { few: 250, many: 1_500 }; // in which changes are gathered
const LATER_MS = 2_000;
const RELOAD_MS = { few: 15_000, many: 60_000 }; // between two looks at what the stream does not tell
const LOADING_MS = 300; // before grey bars take the place of rows
const SEARCH_DELAY_MS = 200;
const STICKY_HEIGHT = 92; // pixels of the header and the headings, under which rows are hidden

const ORDERS = { worst: "attention", name: "name", since: "changed" };
const ALL = ["all", "off", "links"];

/** Build the view of all links. `query` has the filters: `show` (a group), `q` (search) and `sort`. */
export const view = ({ query }) => new LinksView(query);

class LinksView {
  #list = new LinkList();
  #filter;
  #rows = new Map(); // instances of rows, by names of links, while all are in the document
  #shown = []; // their names, in the order of the rows
  #keys = ""; // of the rows with headings, in their order
  #virtual = null;
  #isOccupied = { pointer: false, focus: false };
  #leftAt = -Infinity;
  #isUrgent = false; // a link has gone down: the order changes at once
  #refresh = { timer: null, due: Infinity, isRunning: false };
  #timers = new Set();
  #reloadedAt = performance.now();
  shown; // the promise of the first rows

  constructor(query) {
    this.#filter = readFilter(query);
    this.#build();
    this.shown = this.#open();
  }

  // The interface of a view.

  title = () => t("list.title");

  update(kind, data) {
    if (kind === "link") this.#linkChanged(data);
    else if (kind === "posting") this.#postingChanged(data);
    else if (kind === "reset") this.#refreshSoon(this.#list.total === null ? LATER_MS : 0);
    else if (kind === "status") this.#showCounts();
    else if (kind === "tick") this.#tick();
  }

  /** Show what another address of this view says. */
  change({ query }) {
    this.#filter = readFilter(query);
    this.search.value = this.#filter.q;
    this.sort.value = this.#filter.sort;
    this.#showCounts();
    this.#open();
  }

  close() {
    this.#virtual?.close();
    clearTimeout(this.#refresh.timer);
    this.#timers.forEach(clearTimeout);
    this.#list = new LinkList(); // answers that are on their way are for nobody
  }

  onKey(event) {
    const step = pressedStep(event, this.body);
    if (step !== null) {
      event.preventDefault();
      this.#focus(step);
    } else if (event.key === "n" && isShortcut(event) && may("control")) {
      location.hash = "#/new";
    } else if (event.key === "Escape" && event.target === this.search && this.search.value) {
      event.preventDefault();
      this.#setFilter({ q: "" });
    }
  }

  // Elements.

  #build() {
    this.sentence = el("p", { class: "quiet sentence" });
    const add = may("control") && el("a", { class: "btn primary push", href: "#/new" }, icon("plus"), t("list.add"));
    const title = el("div", { class: "title" }, el("h1", { text: t("list.title") }), this.sentence, add || null);
    /** @type {Array<[string, any]>} */
    this.counters = [ALL, ...GROUPS].map((group) => [group[0], counter(group, () => this.#press(group[0]))]);
    const buttons = this.counters.map(([, { element }]) => element);
    this.counts = el("div", { class: "counters", role: "group", "aria-label": t("col.state") }, buttons);
    this.table = el("div", { class: "card links", role: "table", "aria-label": t("list.title") });
    this.body = el("div", { role: "rowgroup" });
    this.message = el("div", { class: "nothing", hidden: true });
    this.element = el("div", { class: "stack" }, title, this.counts, this.#buildBar(), this.table, this.message);
    this.table.append(columnHeadings(), this.body);
    this.#watchBody();
    this.#showCounts();
  }

  #buildBar() {
    const props = { type: "search", id: "search", placeholder: t("list.search"), maxlength: 100 };
    this.search = el("input", { ...props, oninput: () => this.#searchSoon() });
    this.search.value = this.#filter.q;
    const key = el("kbd", { "aria-hidden": "true", text: "/" });
    const label = el("label", { class: "search" }, icon("search"), el("span", { class: "sr", text: t("list.search") }), this.search, key);
    this.found = el("span", { class: "quiet small" });
    const options = Object.keys(ORDERS).map((value) => el("option", { value, text: t(`list.sort.${value}`) }));
    this.sort = el("select", { onchange: () => this.#setFilter({ sort: this.sort.value }) }, options);
    this.sort.value = this.#filter.sort;
    const sort = el("label", { class: "push row small quiet sort" }, el("span", { class: "hide-s", text: t("list.sort") }), this.sort);
    setAttribute(this.sort, "aria-label", t("list.sort"));
    return el("div", { class: "row" }, label, this.found, sort);
  }

  /** Follow whether pointer or focus are on the rows, whose order changes only when they are not. */
  #watchBody() {
    const occupy = (by, is) => () => {
      this.#isOccupied[by] = is;
      if (is) return;
      this.#leftAt = performance.now();
      this.#later(() => this.#isOutdated && this.#refreshSoon(0), REST_MS);
    };
    this.table.addEventListener("pointerenter", occupy("pointer", true));
    this.table.addEventListener("pointerleave", occupy("pointer", false));
    this.table.addEventListener("focusin", occupy("focus", true));
    this.table.addEventListener("focusout", occupy("focus", false));
  }

  #isOutdated = false; // the order has changed, and is not shown yet

  #mayMove = () => {
    const { pointer, focus } = this.#isOccupied;
    return this.#isUrgent || (!pointer && !focus && performance.now() - this.#leftAt >= REST_MS);
  };

  #later(action, milliseconds) {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, milliseconds);
    this.#timers.add(timer);
    return timer;
  }

  // Filters.

  #press(group) {
    this.#setFilter({ show: group === this.#filter.show ? "all" : group });
  }

  #searchSoon() {
    clearTimeout(this.searching);
    this.searching = this.#later(() => this.#setFilter({ q: this.search.value.trim() }), SEARCH_DELAY_MS);
  }

  #setFilter(changes) {
    this.#filter = { ...this.#filter, ...changes };
    const { show, q, sort } = this.#filter;
    if (changes.q !== undefined && this.search.value.trim() !== q) this.search.value = q;
    replaceQuery({ show: show === "all" ? "" : show, q, sort: sort === "worst" ? "" : sort });
    this.#showCounts();
    this.#open();
  }

  // Loading.

  get #amount() {
    return this.#virtual ? "many" : "few";
  }

  async #open() {
    const { show, q, sort } = this.#filter;
    const [list, isFirst] = [this.#list, this.#list.total === null];
    const loading = this.#later(() => list.total === null && this.#showLoading(), LOADING_MS);
    setAttribute(this.table, "aria-busy", "true");
    try {
      if (await list.open({ order: ORDERS[sort], group: show === "all" ? "" : show, q })) {
        if (list !== this.#list) return;
        scrollTo(0, 0);
        this.#isUrgent = true; // the reader wants another order
        this.#show();
        this.#isUrgent = false;
        if (!isFirst) import("../core/announcer.js").then(({ announce }) => announce(this.found.textContent));
      }
    } catch (problem) {
      if (list === this.#list) this.#showProblem(problem);
    } finally {
      clearTimeout(loading);
      setAttribute(this.table, "aria-busy", null);
    }
  }

  /** Load what is shown anew in a while, together with further changes until then. */
  #refreshSoon(delay = REFRESH_DELAY_MS[this.#amount]) {
    const due = performance.now() + delay;
    if (this.#refresh.isRunning || this.#refresh.due <= due) {
      this.#refresh.isWanted = this.#refresh.isRunning;
      return;
    }
    clearTimeout(this.#refresh.timer);
    Object.assign(this.#refresh, { due, timer: setTimeout(() => this.#refreshNow(), delay) });
  }

  async #refreshNow() {
    const list = this.#list;
    const [first, end] = this.#virtual?.range ?? [0, MAX_TALL_ROWS];
    Object.assign(this.#refresh, { due: Infinity, isRunning: true, isWanted: false });
    this.#reloadedAt = performance.now();
    try {
      if (list.total === null) await this.#open();
      const mayMove = this.#virtual ? this.#mayMove : () => true; // of few links, `#showAll` decides
      const [isCurrent] = await Promise.all([list.refresh(first, end, mayMove), loadStatus()]);
      if (list !== this.#list) return;
      this.#isOutdated = !isCurrent;
      this.#showCounts();
      this.#show();
      this.#isUrgent &&= this.#isOutdated;
    } catch (problem) {
      console.info(`the links cannot be loaded: ${problem.message}`); // the strip says that the service is away
    } finally {
      this.#refresh.isRunning = false;
    }
    if (this.#refresh.isWanted && list === this.#list) this.#refreshSoon();
  }

  // Changes.

  #linkChanged({ link, transition }) {
    const before = this.#list.apply(link);
    if (before) this.#updateRow(link.name);
    const { group } = health(link);
    if (group === "down" && (before ? health(before).group !== "down" : transition?.from === "ESTABLISHED")) {
      this.#isUrgent = true;
    }
    if (this.#isUrgent) this.#refreshSoon(0);
    else if (before ? this.#hasMoved(before, link) : !isRedial(link, transition)) this.#refreshSoon();
  }

  #hasMoved(before, link) {
    const facts = (one) => [health(one).group, one.attention, one.down_since, this.#filter.sort === "since" && shownSince(one)];
    return facts(before).join() !== facts(link).join();
  }

  /** A posting changes the counts of its link's outbox, which the stream tells only with the next change of the link. */
  #postingChanged({ link }) {
    if (this.#list.linkOf(link)) this.#refreshSoon();
  }

  #tick() {
    const rows = this.#virtual ? this.#virtual.rows() : this.#rows.values();
    for (const row of rows) row.tick?.();
    if (performance.now() - this.#reloadedAt > RELOAD_MS[this.#amount]) this.#refreshSoon(0);
  }

  #updateRow(name) {
    if (this.#virtual) this.#virtual.draw();
    else this.#rows.get(name)?.update(this.#list.linkOf(name));
  }

  // What is shown.

  #showCounts() {
    const groups = serviceStatus()?.groups;
    for (const [key, { update }] of this.counters) {
      const count = key === "all" ? linkCount() : groups?.[key];
      update({ count: count ?? null, pressed: this.#filter.show === key });
    }
    setText(this.sentence, groups ? summary(groups) : "");
  }

  #show() {
    const { total } = this.#list;
    const { show, q } = this.#filter;
    const isFiltered = show !== "all" || q !== "";
    for (const part of [this.counts, this.search.closest(".row")]) setAttribute(part, "hidden", total === 0 && !isFiltered);
    setAttribute(this.table, "hidden", total === 0);
    const all = linkCount();
    setText(this.found, isFiltered && all !== null ? t("list.found", { found: decimal(total), all: decimal(all) }) : "");
    setAttribute(this.message, "hidden", total > 0);
    if (total === 0) this.#showNothing(isFiltered);
    else if (total > MAX_TALL_ROWS) this.#showVirtual();
    else this.#showAll();
  }

  /** Show all rows; those whose order must not change now are only updated. */
  #showAll() {
    if (this.#virtual) this.#useBody(null);
    const links = Array.from({ length: this.#list.total }, (_, position) => this.#list.linkAt(position)).filter(Boolean);
    const items = this.#filter.sort === "worst" ? withHeadings(links) : links;
    this.#isOutdated = keysOf(items) !== this.#keys && !this.#mayMove();
    if (this.#isOutdated) return links.forEach(({ name }) => this.#updateRow(name));
    this.#keys = keysOf(items);
    this.#shown = items.filter(({ heading }) => !heading).map(({ name }) => name);
    this.#rows = keyed(this.body, items, keyOf, (item) => (item.heading ? headingRow(item) : linkRow(item, false)));
    setAttribute(this.table, "aria-rowcount", null);
    return undefined;
  }

  /** Show the rows in sight of many links, by a module that the page of few links does without. */
  async #showVirtual() {
    const list = this.#list;
    const { VirtualList } = await import("../components/virtual_list.js");
    if (list !== this.#list || list.total <= MAX_TALL_ROWS) return;
    if (!this.#virtual) this.#useBody((body) => new VirtualList(body, this.#virtualOptions()));
    setAttribute(this.table, "aria-rowcount", list.total + 1);
    this.#virtual.setCount(list.total);
    this.#fill(...this.#virtual.range);
  }

  #virtualOptions() {
    return {
      rowHeight,
      itemAt: this.#list.linkAt,
      key: ({ name }) => name,
      make: (link) => (link ? linkRow(link, true) : loadingRow()),
      onRange: (first, end) => this.#fill(first, end),
    };
  }

  /** Begin with an empty body, for rows of the other kind. */
  #useBody(makeVirtual) {
    this.#virtual?.close();
    const body = el("div", { role: "rowgroup", class: makeVirtual ? "virtual" : null });
    this.body.replaceWith(body);
    this.body = body;
    this.#rows = new Map();
    this.#keys = "";
    this.#virtual = makeVirtual ? makeVirtual(body) : null;
  }

  async #fill(first, end) {
    const list = this.#list;
    try {
      if ((await list.fill(first, end)) && list === this.#list) this.#virtual?.draw();
    } catch (problem) {
      console.info(`links cannot be loaded: ${problem.message}`);
    }
  }

  #showLoading() {
    keyed(this.body, [1, 2, 3, 4, 5, 6], (number) => number, loadingRow);
  }

  async #showNothing(isFiltered) {
    setAttribute(this.message, "class", isFiltered ? "nothing" : "first");
    const showAll = () => this.#setFilter({ show: "all", q: "" });
    const clear = el("button", { type: "button", text: t("list.clear"), onclick: showAll });
    if (isFiltered) return this.message.replaceChildren(el("p", { text: t("list.none") }), clear);
    const { firstRun } = await import("../components/first_run.js");
    if (!this.message.querySelector("ol")) this.message.replaceChildren(...firstRun());
  }

  #showProblem({ message }) {
    if (this.#list.total !== null) return; // the strip says what is the matter
    const again = el("button", { type: "button", text: t("again"), onclick: () => this.#open() });
    this.message.hidden = false;
    this.message.replaceChildren(el("p", { text: t("list.failed", { message }) }), again);
  }

  // The keyboard.

  async #focus(step) {
    const count = this.#virtual ? this.#list.total : this.#shown.length;
    if (!count) return;
    const position = step(this.#focusedPosition(), count);
    if (this.#virtual) {
      this.#virtual.reveal(position, STICKY_HEIGHT);
      await this.#fill(position, position + 1);
    }
    const row = this.#virtual ? this.#virtual.rowAt(position) : this.#rows.get(this.#shown[position]);
    row?.element.querySelector(".name")?.focus({ preventScroll: this.#virtual !== null });
  }

  /** The position of the row with the focus; -1 if none has it. */
  #focusedPosition() {
    const name = /** @type {HTMLElement} */ (document.activeElement.closest?.(".r"))?.dataset.name;
    return name === undefined ? -1 : this.#virtual ? this.#list.positionOf(name) : this.#shown.indexOf(name);
  }
}

const keyOf = (item) => (item.heading ? `# ${item.heading[0]}` : item.name);
const keysOf = (items) => items.map(keyOf).join();

/** The filters that an address has, without those that it cannot have. */
function readFilter(query) {
  const show = GROUPS.some(([group]) => group === query.get("show")) ? query.get("show") : "all";
  const sort = query.get("sort") in ORDERS ? query.get("sort") : "worst";
  return { show, sort, q: (query.get("q") ?? "").slice(0, 100) };
}

/** Whether a change is one of those that each redial of a link makes, which change nothing in the list. */
function isRedial(link, transition) {
  return transition !== null && transition.from !== null && health(link).group === "down";
}
