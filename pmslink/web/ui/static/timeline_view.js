// What one link has been through in the last day: its states drawn over time, and each change in a table.

import { call, ofLink } from "./former_api.js";
import { el, setText, svg } from "./core/dom.js";
import { address, links, reason } from "./link_model.js";
import { choice, refusal, table, when } from "./common_elements.js";
import { clock, duration, moment, percent, t } from "./core/texts.js";

const HOURS = [1, 24, 168];
const USUAL = 24;
const REFRESH = 60_000; // milliseconds
const GATHER = 500; // what several changes made is asked for once
const WIDTH = 1000;
const HEIGHT = 56;
// The states differ in height as well, so that the drawing can be read without its colours.
const HEIGHTS = { ESTABLISHED: 40, WAIT_LS: 24, WAIT_LE: 24, CLOSED: 16, DISABLED: 8, EXPIRED: 8, EXPECTION: 40 };

/** The section of the link of this name; `changed()` has to hear of each change of its marker. */
export function timeline(name) {
  const viewBox = `0 0 ${WIDTH} ${HEIGHT}`;
  const drawn = { class: "timeline", viewBox, preserveAspectRatio: "none" };
  const drawing = svg("svg", { ...drawn, role: "img", "aria-label": t("timeline.title") });
  const hours = el("div", { class: "hours", "aria-hidden": "true" });
  const share = el("p", { class: "share" });
  const legend = el("ul", { class: "legend", "aria-hidden": "true" });
  const rows = el("tbody");
  const heads = ["at", "from", "to", "reason"].map((key) => t(`transition.${key}`));
  const range = choice(t("timeline.range"), HOURS, (count) => t(`timeline.last.${count}`), () => ask());
  range.value = USUAL;
  const error = el("p", { class: "error" });
  const element = el(
    "section",
    { class: "past" },
    el("h2", { text: t("timeline.title") }),
    el("div", { class: "bar" }, range, share),
    drawing,
    hours,
    legend,
    error,
    table(t("transition.title"), heads, rows),
  );

  let due = null;

  function changed() {
    due ??= setTimeout(ask, GATHER);
  }

  async function ask() {
    clearTimeout(due);
    due = null;
    const asked = range.value;
    try {
      const [past, { transitions }] = await Promise.all([
        call("GET", ofLink(name, `timeline?hours=${asked}`)),
        call("GET", ofLink(name, "transitions")),
      ]);
      if (asked !== range.value) return;
      draw(past);
      rows.replaceChildren(...transitions.map(row));
      setText(error, "");
    } catch (problem) {
      setText(error, refusal(problem));
    }
  }

  function draw({ from, until, spans, in_sync }) {
    const begun = new Date(from);
    const length = new Date(until) - begun;
    const place = (iso) => ((new Date(iso) - begun) / length) * WIDTH;
    drawing.replaceChildren(...spans.map((span) => bar(span, place)));
    const seen = [...new Set(spans.map((span) => span.state))];
    legend.replaceChildren(...seen.map((state) => el("li", { "data-state": state ?? "none", text: called(state) })));
    const { share: part, known_seconds: known } = in_sync;
    const values = part === null ? null : { share: percent(part), known: duration(known) };
    const said = values ? t("timeline.share", values) : t("timeline.unknown");
    setText(share, said);
    drawing.setAttribute("aria-label", said);
    const tick = length > 86_400_000 ? moment : clock;
    const ticks = [0, 0.25, 0.5, 0.75, 1].map((part) => tick(begun.getTime() + part * length));
    hours.replaceChildren(...ticks.map((text) => el("span", { text })));
  }

  function bar(span, place) {
    const x = place(span.since);
    const height = HEIGHTS[span.state] ?? 2;
    const told = `${called(span.state)} ${moment(span.since)} – ${moment(span.until)}`;
    const why = span.cause ? `\n${said(span.state, span)}` : "";
    const width = Math.max(place(span.until) - x, 1);
    const props = { x, y: 48 - height, width, height, "data-state": span.state ?? "none" };
    return svg("rect", props, svg("title", { text: told + why }));
  }

  const called = (state) => state ?? t("timeline.not_running");

  function said(state, { cause, reason: words }) {
    return reason(state, cause, words, links.has(name) ? address(links.get(name)) : "");
  }

  function row(one) {
    const cells = [when(one.at), one.from ?? "–", one.to, said(one.to, one)];
    return el("tr", {}, ...cells.map((cell) => el("td", {}, cell)));
  }

  const ticking = setInterval(ask, REFRESH);
  const close = () => {
    clearInterval(ticking);
    clearTimeout(due);
  };
  ask();
  return { element, changed, close };
}
