// What would probably help a link: a card for each hint, with a button that opens the setting with the value filled in.

import { el, icon, keyed, part, setAttribute, setText } from "../core/dom.js";
import { documentOf, hintTexts } from "../core/health.js";
import { linkAddress } from "../core/router.js";
import { t } from "../core/texts.js";

/** The cards of the link of this name: `{element, show(link)}`. None of them changes a setting at once. */
export function hintCards(name) {
  const element = el("div", { class: "stack hints" });

  function show({ hints }) {
    setAttribute(element, "hidden", hints.length === 0);
    keyed(element, hints.map((hint) => ({ ...hint, name })), ({ code }) => code, makeCard);
  }

  return { element, show };
}

const makeCard = part(buildCard, writeCard);

function buildCard({ code }) {
  const text = el("p");
  const more = el("a", { class: "small", href: documentOf(code), target: "_blank", rel: "noopener", text: t("hints.more") });
  const open = el("a", { class: "btn btn-s" });
  const said = el("div", {}, el("b", { text: t("hints.title") }), text, more);
  return { element: el("div", { class: "hint", "data-mood": "wait", "data-hint": code }, icon("bulb"), said, open), text, open };
}

function writeCard({ text, open }, hint) {
  setText(text, hintTexts(hint).why);
  const { setting } = hint.params;
  setAttribute(open, "hidden", !setting);
  if (!setting) return;
  setText(open, buttonText(hint));
  setAttribute(open, "href", linkAddress(hint.name, "settings", null, { hint: hint.code }));
}

/** What the button of a hint proposes: the value in words, or else to look at the setting. */
function buttonText({ code, params }) {
  const key = BUTTON_KEYS[code]?.(params) ?? "hints.do.other";
  return t(key, params);
}

const BUTTON_KEYS = {
  framing: ({ value }) => (value === "crlf" ? "hints.do.framing_crlf" : "hints.do.framing_stx_etx"),
  tls: ({ value }) => (value ? "hints.do.tls_on" : "hints.do.tls_off"),
  sync_on: ({ value }) => (value === "any" ? "hints.do.sync_on_any" : "hints.do.sync_on_declared"),
  alive_by: () => "hints.do.alive_by",
  charset: () => "hints.do.charset",
  clock: () => "hints.do.clock",
  records: ({ declared }) => (declared ? "hints.do.records" : "hints.do.records_budget"),
};
