// One link: how it is and why, its controls, its past, its outbox, and what goes over its wire.

import { call, CallError, mayControl, ofLink, oneAtATime, seesPast } from "./former_api.js";
import { controls } from "./controls.js";
import { confirmed } from "./dialog.js";
import { el, setAttribute, setSign, setText, sign } from "./core/dom.js";
import { findingsList } from "./findings_list.js";
import { address, advice, endpoint, isResyncing, links, mood, placeOf, reason, refresh, waiting, watch } from "./link_model.js";
import { outbox } from "./outbox_view.js";
import { button, missingLink, refusal } from "./common_elements.js";
import { decimal, moment, precisely, since, t } from "./core/texts.js";
import { timeline } from "./timeline_view.js";
import { trace } from "./trace_view.js";
import { webhook } from "./webhook_view.js";

const FACTS = [
  ...["since", "down_since", "last_in_sync", "last_check", "last_answer", "answered_in", "last_received"],
  ...["attempts", "outbox", "resync", "declared_records"],
];
const LOOKS = 2000; // milliseconds between two

/** The view of the link of this name; `element` shows it, `close` ends it. */
export function linkView(name) {
  const element = el("div", { class: "one" }, el("p", { text: t("link.looking") }));
  let parts = null;
  let closed = false;

  function show(link) {
    if (closed) return;
    if (!parts) {
      parts = new Parts(name);
      element.replaceChildren(...parts.elements);
    }
    parts.show(link);
  }

  function missing(problem) {
    if (closed) return;
    parts?.close();
    parts = null;
    element.replaceChildren(...missingLink(name, problem));
  }

  const stop = watch((kind, told) => {
    if (kind === "link" && told.link.name === name) {
      show(told.link);
      if (told.transition) parts.past?.changed();
    }
    if (kind === "forgotten" && parts && !links.has(name)) missing(new CallError(404, { code: "unknown_link" }));
  });
  const ticking = setInterval(() => parts?.tick(), 1000);
  // what goes wrong with that, the stream and the trace say
  const looking = setInterval(() => document.hidden || (parts && refresh(name).catch(() => {})), LOOKS);
  if (links.has(name)) show(links.get(name));
  else call("GET", ofLink(name)).then((link) => parts ?? show(link), missing); // the stream may have been faster
  const close = () => {
    closed = true;
    stop();
    clearInterval(ticking);
    clearInterval(looking);
    parts?.close();
  };
  return { element, close };
}

class Parts {
  #link;
  #sign = sign("off");
  #marker = el("strong", { class: "marker" });
  #label = el("span", { class: "label" });
  #sync = el("span", { class: "sync" });
  #address = el("p", { class: "address" });
  #why = el("p");
  #advice = el("p", { class: "advice" });
  #findings = findingsList();
  #values = new Map(FACTS.map((key) => [key, el("dd")]));
  #change = el("a", { class: "button" });
  #remove;

  constructor(name) {
    this.controls = controls(name);
    this.past = seesPast() ? timeline(name) : null;
    this.outbox = outbox(name);
    this.webhook = webhook(name);
    this.trace = seesPast() ? trace(name) : null;
    setAttribute(this.#change, "href", `${placeOf(name)}/settings`);
    this.#remove = button(t("link.remove"), oneAtATime(() => this.remove()), { class: "danger" });
    this.error = el("p", { class: "answer error", role: "status" });
    const facts = FACTS.map((key) => el("div", {}, el("dt", { text: t(`link.${key}`) }), this.#values.get(key)));
    this.head = el(
      "section",
      { class: "head" },
      el("a", { class: "back", href: "#/", text: `← ${t("link.back")}` }),
      el("h1", { text: name }),
      this.#address,
      el("p", { class: "state" }, this.#sign, this.#marker, this.#label, this.#sync),
      el("div", { class: "why" }, this.#why, this.#advice),
      this.#findings.element,
      el("dl", { class: "facts" }, ...facts),
      el("p", {}, el("a", { class: "button rooms", href: `${placeOf(name)}/rooms`, text: t("link.rooms") })),
    );
    const settings = el("div", { class: "buttons" }, this.#change, mayControl() ? this.#remove : null);
    const sections = [this.controls, this.past, this.outbox, this.webhook, this.trace].filter(Boolean);
    this.elements = [this.head, ...sections.map(({ element }) => element), settings, this.error];
  }

  show(link) {
    this.#link = link;
    const now = mood(link);
    setAttribute(this.head, "data-mood", now);
    setSign(this.#sign, now);
    setText(this.#marker, link.state);
    setText(this.#label, t(`label.${link.state}`));
    setText(this.#sync, link.state === "ESTABLISHED" ? t(link.in_sync ? "link.in_sync" : "link.not_in_sync") : "");
    setText(this.#address, `${endpoint(link)} · ${t(`profile.${link.profile}`)}`);
    setText(this.#why, reason(link.state, link.cause, link.reason, address(link)));
    setText(this.#change, t(link.declared || !mayControl() ? "link.settings" : "link.change"));
    this.#remove.hidden = link.declared;
    this.#findings.show(link);
    this.controls.show(link);
    this.webhook.show(link);
    this.tick();
  }

  tick() {
    const link = this.#link;
    const { alive, retry } = link;
    setText(this.#advice, advice(link));
    this.#at("since", link.since);
    this.#at("down_since", link.down_since);
    this.#at("last_in_sync", link.last_in_sync);
    this.#at("last_check", alive.last_check);
    this.#at("last_answer", alive.last_answer);
    this.#at("last_received", alive.last_received);
    this.#say("answered_in", alive.round_trip_ms === null ? "" : t("link.ms", { ms: decimal(alive.round_trip_ms) }));
    this.#say("attempts", retry.attempt && !link.in_sync ? String(retry.attempt) : "");
    this.#say("outbox", waiting(link));
    this.#say("resync", resynced(link));
    this.#say("declared_records", link.declared_records.join(" "));
    this.webhook.tick();
  }

  #at(key, iso) {
    this.#say(key, iso && `${moment(iso)} (${t("ago", { time: since(iso) })})`);
    setAttribute(this.#values.get(key), "title", iso && precisely(iso));
  }

  #say(key, text) {
    const value = this.#values.get(key);
    setText(value, text ?? "");
    value.parentElement.hidden = !text;
  }

  async remove() {
    const name = this.#link.name;
    if (!(await confirmed(t("link.ask.remove", { name }), t("link.remove")))) return;
    try {
      await this.#removed(name);
    } catch (problem) {
      setText(this.error, refusal(problem));
    }
  }

  async #removed(name) {
    try {
      await call("DELETE", ofLink(name));
    } catch (problem) {
      if (problem.code !== "not_final") throw problem;
      const question = t("link.ask.discard", { name, why: problem.message });
      if (!(await confirmed(question, t("link.remove")))) throw problem;
      await call("DELETE", `${ofLink(name)}?discard=true`);
    }
    location.hash = "#/";
  }

  close() {
    this.past?.close();
    this.outbox.close();
    this.trace?.close();
  }
}

function resynced(link) {
  const { wanted, asked, ended, records } = link.resync;
  if (isResyncing(link)) return t("resync.running", { records, since: since(link.held.since) });
  if (wanted) return t(asked ? "resync.asked" : "resync.wanted");
  return ended ? t("resync.ended", { records, at: moment(ended) }) : "";
}
