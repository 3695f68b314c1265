// The records of one link as they go over the wire, decoded, the newest first.

import { call, may, ofLink } from "../core/api.js";
import { loadCatalogue } from "../core/catalogue.js";
import { el, icon, keyed, setAttribute, setText } from "../core/dom.js";
import { skippedText } from "../core/health.js";
import { isOdd, mergeRecords, recordLine } from "../core/records.js";
import { replaceQuery } from "../core/router.js";
import { loadFieldNames, t } from "../core/texts.js";
import { saveText } from "../core/text_file.js";
import { button, failureLine, loadFailure, refusalText, searchBox } from "../components/elements.js";
import { makeRecord, recordText } from "../components/record_row.js";
import { heldBack } from "../components/held_back.js";

const POLL_MS = 1000;
const PAGE = 200; // records that are loaded at once
const MAX_RECORDS = 1000; // that the page holds
const DIRECTIONS = ["", "in", "out"];
const DIRECTION_KEYS = { "": "rec.both", in: "rec.in", out: "rec.out" };

/** The tab "Records" of a link. */
export function view({ name, link, query }) {
  const records = new Records(name, query);
  records.showSkipped(link);
  records.begin();
  return {
    element: records.element,
    update: (kind, data) => records.update(kind, data),
    close: () => records.close(),
    draft: () => records.draft(),
    restore: (draft) => records.restore(draft),
  };
}

class Records {
  #name;
  #catalogue = null;
  #records = [];
  #hasOlder = false;
  #sources = 0; // an answer to older filters of the service is not shown
  #loading = null; // the query that is being loaded
  #loadedAt = 0;
  #isClosed = false;
  #search = el("input", { type: "search", id: "search", placeholder: "RN101, PS …", oninput: () => this.#filterChanged() });
  #type = el("select", { class: "fit", "aria-label": t("rec.type"), onchange: () => this.#sourceChanged() });
  #direction = el("select", { class: "fit", "aria-label": t("rec.direction"), onchange: () => this.#sourceChanged() });
  #odd = button("", () => this.#toggleOdd(), { class: "chip", "aria-pressed": "false" });
  #names = el("input", { type: "checkbox", role: "switch", class: "switch", onchange: () => this.#show() });
  #pause = el("button", { type: "button", "aria-pressed": "false", onclick: () => this.#togglePause() });
  #pauseText = el("span");
  #list = el("ul", { class: "recs", "aria-label": t("tab.records") });
  #more = button(t("rec.older"), () => this.#loadOlder(), { class: "btn-s" });
  #none = el("p", { class: "in quiet", hidden: true });
  #failure = failureLine();
  #skipped = el("p");
  #place = el("div"); // of what the tab cannot begin without
  #bar = el("div", { class: "row filters", hidden: true }); // until the tab begins: what is typed before would be overwritten
  #held = heldBack(this.#list, () => this.#show());

  constructor(name, query) {
    this.#name = name;
    const label = el("span", { class: "sr", text: t("rec.search") });
    const search = searchBox(label, this.#search);
    const names = may("guests") ? el("label", { class: "row small" }, t("rec.names"), this.#names) : null;
    this.#pause.append(this.#pauseText);
    const save = button(t("rec.save"), () => this.#save());
    const right = el("span", { class: "push row" }, names, this.#pause, save);
    this.#bar.append(search, this.#type, this.#direction, this.#odd, right);
    const box = el("section", { class: "card" }, this.#held.element, this.#none);
    const skipped = el("div", { class: "hint", "data-mood": "wait", hidden: true }, icon("warn"), this.#skipped);
    this.element = el("div", { class: "stack records" }, skipped, this.#bar, this.#failure.element, this.#place, box, el("p", {}, this.#more));
    setAttribute(this.#more, "hidden", true);
    setText(this.#pauseText, t("rec.pause"));
    setText(this.#held.state, t("rec.live"));
    this.#direction.append(...DIRECTIONS.map((value) => el("option", { value, text: t(DIRECTION_KEYS[value]) })));
    this.#initial = query;
  }

  #initial;

  async begin() {
    try {
      [this.#catalogue] = await Promise.all([loadCatalogue(), loadFieldNames()]);
    } catch (problem) {
      const text = problem.code ? refusalText(problem) : t("refused", { why: t("error.unreachable"), message: problem.message });
      return this.#place.replaceChildren(loadFailure(text, () => this.begin()));
    }
    this.#place.replaceChildren();
    const types = ["", ...this.#catalogue.records];
    this.#type.append(...types.map((value) => el("option", { value, text: value ? `${value} ${t(`record.${value}`)}` : t("rec.types") })));
    this.#restoreFilters(Object.fromEntries(this.#initial));
    setAttribute(this.#bar, "hidden", false);
    return this.#load();
  }

  // Filters: those of the service are the type and the direction, the others are of the page.

  #restoreFilters({ q = "", type = "", direction = "", odd = "" }) {
    this.#search.value = q;
    this.#type.value = this.#catalogue.records.includes(type) ? type : "";
    this.#direction.value = DIRECTIONS.includes(direction) ? direction : "";
    setAttribute(this.#odd, "aria-pressed", String(odd === "1"));
  }

  #filters() {
    const odd = this.#isPressed(this.#odd) ? "1" : "";
    return { q: this.#search.value.trim(), type: this.#type.value, direction: this.#direction.value, odd };
  }

  #filterChanged() {
    replaceQuery(this.#filters());
    this.#held.release();
    this.#show();
  }

  #sourceChanged() {
    replaceQuery(this.#filters());
    this.#records = [];
    this.#sources += 1;
    this.#held.release();
    this.#load();
  }

  #isPressed = (one) => one.getAttribute("aria-pressed") === "true";

  #toggleOdd() {
    setAttribute(this.#odd, "aria-pressed", String(!this.#isPressed(this.#odd)));
    this.#filterChanged();
  }

  #togglePause() {
    setAttribute(this.#pause, "aria-pressed", String(!this.#isPressed(this.#pause)));
    const isPaused = this.#isPressed(this.#pause);
    setText(this.#pauseText, t(isPaused ? "rec.go_on" : "rec.pause"));
    setText(this.#held.state, t(isPaused ? "rec.paused" : "rec.live"));
    if (!isPaused) this.#load();
  }

  // Records.

  #query(more = {}) {
    const { type, direction } = this.#filters();
    const wanted = Object.entries({ type, direction, limit: PAGE, ...more }).filter(([, value]) => value !== "");
    return new URLSearchParams(wanted.map(([key, value]) => [key, String(value)]));
  }

  async #load() {
    const query = this.#query();
    this.#loading = query;
    this.#loadedAt = Date.now();
    try {
      const { records } = await call("GET", `${ofLink(this.#name, "records")}?${query}`);
      if (this.#isClosed || this.#loading !== query) return;
      if (this.#records.length === 0) this.#hasOlder = records.length === PAGE;
      this.#records = mergeRecords(this.#records, records, MAX_RECORDS);
      this.#failure.show("");
      this.#show();
    } catch (problem) {
      if (!this.#isClosed && this.#loading === query) this.#failure.show(refusalText(problem));
    } finally {
      if (this.#loading === query) this.#loading = null;
    }
  }

  async #loadOlder() {
    const last = this.#records[this.#records.length - 1];
    if (!last) return;
    const source = this.#sources;
    try {
      const { records } = await call("GET", `${ofLink(this.#name, "records")}?${this.#query({ before: last.id })}`);
      if (source !== this.#sources) return;
      this.#hasOlder = records.length === PAGE;
      this.#records = [...this.#records, ...records.filter(({ id }) => id < last.id)].slice(0, MAX_RECORDS);
      this.#show();
    } catch (problem) {
      if (source === this.#sources) this.#failure.show(refusalText(problem));
    }
  }


  #shown() {
    const isMasked = !this.#names.checked;
    const { q, odd } = this.#filters();
    const wanted = q.toLowerCase();
    return this.#records
      .map((record) => ({ ...record, isMasked, isOdd: isOdd(record, this.#catalogue), catalogue: this.#catalogue }))
      .filter((record) => (!odd || record.isOdd) && (!wanted || recordText(record).toLowerCase().includes(wanted)));
  }

  #show() {
    const odd = this.#records.filter((record) => isOdd(record, this.#catalogue)).length;
    setText(this.#odd, t("rec.odd_n", { count: odd }));
    const shown = this.#held.filter(this.#shown());
    keyed(this.#list, shown, ({ id, isMasked }) => `${id} ${isMasked}`, makeRecord);
    setAttribute(this.#none, "hidden", shown.length > 0);
    setText(this.#none, t(this.#records.length ? "rec.none_fits" : "rec.none"));
    setAttribute(this.#more, "hidden", !this.#hasOlder || this.#records.length >= MAX_RECORDS);
  }

  #save() {
    const lines = this.#shown().map((record) => recordLine(record, record.isMasked, this.#catalogue));
    saveText(`${this.#name}-records.txt`, `${lines.reverse().join("\n")}\n`);
  }

  /** Say how many bytes were no record: the list cannot have them. */
  showSkipped(link) {
    setText(this.#skipped, link.not_understood.bytes ? skippedText(link) : "");
    setAttribute(this.#skipped.parentElement, "hidden", !link.not_understood.bytes);
  }

  // What the frame calls.

  update(kind, data) {
    if (kind === "link") this.showSkipped(data.link);
    if (kind !== "tick" || this.#loading || this.#catalogue === null || this.#isPressed(this.#pause)) return;
    if (Date.now() - this.#loadedAt >= POLL_MS - 100) this.#load();
  }

  draft() {
    return { names: this.#names.checked, isPaused: this.#isPressed(this.#pause) };
  }

  restore({ names, isPaused }) {
    this.#names.checked = names && may("guests");
    if (isPaused) this.#togglePause();
  }

  close() {
    this.#isClosed = true;
    this.#held.close();
  }
}
