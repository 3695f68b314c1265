// All links, those first that need looking at.

import { mayControl } from "./former_api.js";
import { arrange, el, setAttribute, setSign, setText, sign } from "./core/dom.js";
import { findingsList } from "./findings_list.js";
import { address, advice, endpoint, isDown, isTold, isUp, links, mood, placeOf, reason, waiting, watch, worstFirst } from "./link_model.js";
import { decimal, moment, precisely, since, t } from "./core/texts.js";

let searched = ""; // which is still wanted when one comes back from a link

/** The view of all links; `element` shows it, `close` ends it. */
export function listView() {
  const rows = new Map();
  const list = el("ul", { class: "links", "aria-label": t("list.title") });
  const empty = el("p", { class: "empty", hidden: true });
  const count = el("p", { class: "count", role: "status" });
  const hint = t("list.search");
  const props = { type: "search", id: "search", placeholder: hint, "aria-label": hint };
  const search = el("input", { ...props, oninput: () => show() });
  search.value = searched;
  const add = mayControl() ? el("a", { class: "button", href: "#/new", text: t("list.add") }) : null;
  const bar = el("div", { class: "bar" }, search, count, add);
  const element = el("div", { class: "list" }, el("h1", { text: t("list.title") }), bar, list, empty);
  const dirty = new Set(links.keys());
  let due = null;

  function show() {
    due = null;
    for (const name of rows.keys()) if (!links.has(name)) rows.delete(name);
    for (const name of dirty) {
      const link = links.get(name);
      if (!link) continue;
      if (!rows.has(name)) rows.set(name, new Row());
      rows.get(name).show(link);
    }
    dirty.clear();
    searched = search.value;
    const wanted = searched.trim().toLowerCase();
    const found = worstFirst([...links.values()]).filter((link) => rows.get(link.name).says(wanted));
    arrange(list, found.map((link) => rows.get(link.name).element));
    count.hidden = !isTold();
    setText(count, wanted ? t("list.found", { found: found.length, all: links.size }) : summary());
    empty.hidden = found.length > 0;
    setText(empty, t(links.size ? "list.nothing" : isTold() ? "list.empty" : "link.looking"));
  }

  const stop = watch((kind, told) => {
    if (kind === "link") dirty.add(told.link.name);
    if (kind === "link" || kind === "forgotten") due ??= setTimeout(show, 0);
  });
  const ticking = setInterval(() => rows.forEach((row) => row.tick()), 1000);
  const close = () => {
    stop();
    clearTimeout(due);
    clearInterval(ticking);
  };
  show();
  return { element, close };
}

function summary() {
  const all = [...links.values()];
  const good = all.filter(isUp).length;
  const bad = all.filter(isDown).length;
  return t("list.summary", { all: all.length, good, bad });
}

class Row {
  #link;
  #down = fact();
  #since = fact();
  #check = fact();
  #outbox = fact();
  #sign = sign("off");
  #marker = el("strong", { class: "marker" });
  #label = el("span", { class: "label" });
  #name = el("a");
  #address = el("p", { class: "address" });
  #why = el("p");
  #advice = el("p", { class: "advice" });
  #findings = findingsList();
  element = el(
    "li",
    { class: "row" },
    el("p", { class: "state" }, this.#sign, this.#marker, this.#label),
    el("div", { class: "who" }, el("h2", {}, this.#name), this.#address),
    el("div", { class: "why" }, this.#why, this.#advice),
    this.#findings.element,
    el("dl", {}, this.#down.element, this.#since.element, this.#check.element, this.#outbox.element),
  );

  show(link) {
    this.#link = link;
    const now = mood(link);
    setAttribute(this.element, "data-mood", now);
    setSign(this.#sign, now);
    setText(this.#marker, link.state);
    setText(this.#label, t(`label.${link.state}`));
    setText(this.#name, link.name);
    setAttribute(this.#name, "href", placeOf(link.name));
    setText(this.#address, endpoint(link));
    setAttribute(this.#address, "title", endpoint(link));
    setText(this.#why, reason(link.state, link.cause, link.reason, address(link)));
    this.#check.say(t("link.last_check"), checked(link), link.alive.last_check && precisely(link.alive.last_check));
    this.#outbox.say(t("link.outbox"), waiting(link) || t("outbox.empty"));
    setAttribute(this.#outbox.element, "class", link.outbox.unknown + link.outbox.refused ? "doubt" : null);
    this.#findings.show(link);
    this.tick();
  }

  tick() {
    const { down_since, since: entered, state, in_sync } = this.#link;
    const sync = state === "ESTABLISHED" ? ` · ${t(in_sync ? "link.in_sync" : "link.not_in_sync")}` : "";
    this.#down.element.hidden = !down_since;
    const said = (iso) => `${moment(iso)} (${since(iso)})`;
    if (down_since) this.#down.say(t("link.down_since"), said(down_since), precisely(down_since));
    this.#since.say(t("link.since"), said(entered) + sync, precisely(entered));
    setText(this.#advice, advice(this.#link));
  }

  /** Whether this row says something that is searched for: of its link, not of what is to be done, or when. */
  says(wanted) {
    const said = [this.#name, this.#address, this.#marker, this.#label, this.#why];
    return !wanted || said.some((one) => one.textContent.toLowerCase().includes(wanted));
  }
}

function fact() {
  const term = el("dt");
  const value = el("dd");
  const say = (name, text, more) => {
    setText(term, name);
    setText(value, text);
    setAttribute(value, "title", more);
  };
  return { element: el("div", {}, term, value), say };
}

function checked({ alive }) {
  if (!alive.last_check) return t("link.not_checked");
  const { round_trip_ms: ms } = alive;
  const took = ms === null ? t("link.unanswered") : t("link.round_trip", { ms: decimal(ms) });
  return `${moment(alive.last_check)} · ${took}`;
}
