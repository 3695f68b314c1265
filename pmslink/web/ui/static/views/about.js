// About the service: its version, its store, and where programs and monitoring find it.

import { el, part, setText } from "../core/dom.js";
import { serviceStatus } from "../core/links.js";
import { duration, t } from "../core/texts.js";
import { card } from "../components/elements.js";
import { shortcuts } from "../components/keys_dialog.js";

const REFERENCES = [
  ["openapi.json", "header.api"],
  ["metrics", "about.metrics"],
  ["page/pms-differences.html", "about.differences"],
];

/** The view "About this service". */
export function view() {
  const facts = part(build, write)(serviceStatus());
  return {
    element: facts.element,
    title: () => t("header.about"),
    update: (kind, status) => kind === "status" && facts.update(status),
  };
}

function build() {
  const version = el("dd");
  const uptime = el("dd");
  const store = el("dd");
  const fact = (key, value) => el("div", {}, el("dt", { text: t(key) }), value);
  const facts = el("dl", { class: "facts" }, fact("about.version", version), fact("about.uptime", uptime), fact("about.store", store));
  const references = REFERENCES.map(([href, key]) => el("li", {}, el("a", { href, text: t(key) })));
  const inside = el("div", { class: "in stack" }, facts, el("ul", { class: "references" }, ...references));
  const keys = card(t("header.keys"), el("div", { class: "stack" }, ...shortcuts())).element;
  const element = el("div", { class: "stack" }, el("h1", { text: t("header.about") }), el("section", { class: "card" }, inside), keys);
  return { element, version, uptime, store };
}

function write({ version, uptime, store }, status) {
  if (status === null) return; // not loaded yet
  setText(version, status.version);
  setText(uptime, duration(status.uptime));
  setText(store, status.store.ok ? t("about.store.good") : status.store.reason);
}
