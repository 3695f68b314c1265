// Facts about the checks of a link, as times and counts.

import { el, setAttribute, setText } from "../core/dom.js";
import { linkAddress } from "../core/router.js";
import { counted, decimal, duration, moment, precisely, since, t } from "../core/texts.js";
import { linkOrText } from "./elements.js";

const FACTS = ["check", "rtt", "received", "clock", "sync", "resync", "odd", "attempts", "node"];

/** The list of facts of the link of this name: `{element, show(link)}`. */
export function linkFacts(name) {
  const values = new Map(FACTS.map((key) => [key, el("dd")]));
  const odd = linkOrText();
  const oddAddress = linkAddress(name, "records", null, { odd: "1" });
  values.get("odd").append(odd.element);
  const element = el("dl", { class: "facts" });
  for (const [key, value] of values) element.append(el("div", { "data-fact": key }, el("dt", { text: t(`fact.${key}`) }), value));

  function show(link) {
    write(values.get("check"), ago(link.alive.last_check), link.alive.last_check);
    write(values.get("rtt"), link.alive.round_trip_ms === null ? "" : t("link.ms", { ms: decimal(link.alive.round_trip_ms) }));
    write(values.get("received"), ago(link.alive.last_received), link.alive.last_received);
    write(values.get("clock"), clockText(link.clock_offset));
    write(values.get("sync"), link.in_sync ? t("fact.now") : ago(link.last_in_sync), link.last_in_sync);
    write(values.get("resync"), resyncText(link), link.resync.ended);
    write(values.get("attempts"), link.in_sync || !link.retry.attempt ? "" : String(link.retry.attempt));
    write(values.get("node"), link.node ?? "");
    writeOdd(link.not_understood);
  }

  function writeOdd({ records, bytes, last }) {
    const text = bytes ? t("fact.odd_bytes", { records, bytes: decimal(bytes) }) : String(records);
    odd.show(text, records || bytes ? oddAddress : null);
    setAttribute(odd.element, "title", last);
  }

  return { element, show };
}

/** A fact that is not known is not there. */
function write(value, text, time = null) {
  setText(value, text);
  setAttribute(value, "title", time && precisely(time));
  setAttribute(value.parentElement, "hidden", !text);
}

const ago = (iso) => (iso === null ? "" : t("ago", { time: since(iso) }));

function clockText(offset) {
  if (offset === null) return "";
  if (Math.abs(offset) < 1) return t("fact.clock.right");
  return t(offset > 0 ? "fact.clock.ahead" : "fact.clock.behind", { time: duration(Math.abs(offset)) });
}

function resyncText({ held, resync: { wanted, asked, ended, records } }) {
  if (held?.by === "resync") return counted("link.resync_running_one", "link.resync_running", records);
  if (wanted) return t(asked ? "resync.asked" : "resync.wanted");
  return ended === null ? "" : counted("resync.ended_one", "resync.ended", records, { at: moment(ended) });
}
