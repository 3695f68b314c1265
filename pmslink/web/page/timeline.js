// What one link has been through in the last day: its states drawn over time, and each change in a table.

import { call, ofLink } from "./calls.js";
import { el, setText, svg } from "./dom.js";
import { address, links, reason } from "./model.js";
import { clock, duration, moment, percent, precisely, t } from "./texts.js";

const HOURS = [1, 24, 168];
const USUAL = 24;
const REFRESH = 60_000; // milliseconds
const WIDTH = 1000;
const HEIGHT = 56;
// The states differ in height as well, so that the drawing can be read without its colours.
const HEIGHTS = { ESTABLISHED: 40, WAIT_LS: 24, WAIT_LE: 24, CLOSED: 16, DISABLED: 8, EXPIRED: 8, EXPECTION: 40 };

/** The section of the link of this name; `changed()` has to hear of each change of its marker. */
export function timeline(name) {
  const drawing = svg("svg", { class: "timeline", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" });
  const hours = el("div", { class: "hours", "aria-hidden": "true" });
  const share = el("p", { class: "share" });
  const legend = el("ul", { class: "legend", "aria-hidden": "true" });
  const rows = el("tbody");
  const heads = ["at", "from", "to", "reason"].map((key) => el("th", { scope: "col", text: t(`transition.${key}`) }));
  const table = el("table", {}, el("thead", {}, el("tr", {}, heads)), rows);
  const options = HOURS.map((count) => el("option", { value: count, selected: count === USUAL, text: t(`timeline.last.${count}`) }));
  const range = el("select", { "aria-label": t("timeline.range"), onchange: () => changed() }, ...options);
  const error = el("p", { class: "error" });
  const element = el("section", { class: "past" }, el("h2", { text: t("timeline.title") }), el("div", { class: "bar" }, range, share), drawing, hours, legend, error, el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": t("transition.title") }, table));

  async function changed() {
    try {
      const [past, { transitions }] = await Promise.all([
        call("GET", ofLink(name, `timeline?hours=${range.value}`)),
        call("GET", ofLink(name, "transitions")),
      ]);
      draw(past);
      rows.replaceChildren(...transitions.map(row));
      setText(error, "");
    } catch (problem) {
      setText(error, t("refused", { why: t(`error.${problem.code}`), message: problem.message }));
    }
  }

  function draw({ from, until, spans, in_sync }) {
    const begun = new Date(from);
    const length = new Date(until) - begun;
    const place = (iso) => ((new Date(iso) - begun) / length) * WIDTH;
    drawing.replaceChildren(...spans.map((span) => drawn(span, place)));
    const seen = [...new Set(spans.map((span) => span.state))];
    legend.replaceChildren(...seen.map((state) => el("li", { "data-state": state ?? "none", text: state ?? t("timeline.not_running") })));
    const said = in_sync.share === null ? t("timeline.unknown") : t("timeline.share", { share: percent(in_sync.share), known: duration(in_sync.known_seconds) });
    setText(share, said);
    drawing.setAttribute("aria-label", said);
    const ticks = [0, 0.25, 0.5, 0.75, 1].map((part) => (length > 86_400_000 ? moment : clock)(begun.getTime() + part * length));
    hours.replaceChildren(...ticks.map((tick) => el("span", { text: tick })));
  }

  function drawn(span, place) {
    const x = place(span.since);
    const height = HEIGHTS[span.state] ?? 2;
    const told = `${span.state ?? t("timeline.not_running")} ${moment(span.since)} – ${moment(span.until)}`;
    const why = span.cause ? `\n${said(span.state, span)}` : "";
    const width = Math.max(place(span.until) - x, 1);
    return svg("rect", { x, y: 48 - height, width, height, "data-state": span.state ?? "none" }, svg("title", { text: told + why }));
  }

  const said = (state, { cause, reason: words }) => reason(state, cause, words, links.has(name) ? address(links.get(name)) : "");

  function row(one) {
    const at = el("time", { datetime: one.at, title: precisely(one.at), text: moment(one.at) });
    const cells = [at, one.from ?? "–", one.to, said(one.to, one)];
    return el("tr", {}, ...cells.map((cell) => el("td", {}, cell)));
  }

  const ticking = setInterval(changed, REFRESH);
  changed();
  return { element, changed, close: () => clearInterval(ticking) };
}
