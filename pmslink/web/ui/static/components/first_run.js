// What stands in the list of a service without links: what pmslink does, and how to begin.

import { may } from "../core/api.js";
import { el, icon, svg } from "../core/dom.js";
import { t } from "../core/texts.js";

const STEPS = [
  ["first.ready", "first.ready_text"],
  ["first.test", "first.test_text"],
  ["first.look", "first.look_text"],
];

/** The elements of the first run. */
export function firstRun() {
  const add = el("a", { class: "btn primary large", href: "#/new" }, icon("plus"), t("list.add"));
  const steps = STEPS.map(([title, text], index) =>
    el("li", {}, el("b", { text: `${index + 1}. ${t(title)}` }), el("span", { class: "quiet", text: t(text) })),
  );
  return [
    drawing(),
    el("h2", { text: t("first.title") }),
    el("p", { class: "quiet", text: t("first.why") }),
    ...(may("control") ? [add] : []),
    el("ol", { class: "three" }, steps),
  ];
}

const PHONE = "M42 61c0-3 1-4 4-4h6l3 9-5 3c3 7 7 11 13 14l4-5 9 3v6c0 3-2 4-4 4-16 0-30-14-30-30z";
const HOTEL = "M347 98V56l25-10 25 10v42M341 98h62M366 98V86h12v12M358 63h.1M372 63h.1M386 63h.1M358 74h.1M372 74h.1M386 74h.1";

function drawing() {
  const box = (x) => svg("rect", { class: "art-box", x, y: 30, width: 108, height: 90, rx: 12 });
  return svg(
    "svg",
    { class: "art", viewBox: "0 0 432 150", role: "img", "aria-label": "PBX – pmslink – PMS" },
    box(6),
    box(318),
    svg("path", { class: "art-wire", d: "M114 75h54" }),
    svg("path", { class: "art-wire", d: "M264 75h54", "stroke-dasharray": "3 7" }),
    svg("rect", { class: "logo-ground", x: 168, y: 27, width: 96, height: 96, rx: 24 }),
    svg("path", { class: "art-mark", d: "M192 61.5h27a13.5 13.5 0 0 1 0 27h-27" }),
    svg("circle", { class: "logo-dot", cx: 243, cy: 75, r: 8 }),
    svg("path", { class: "art-ink", d: PHONE }),
    svg("path", { class: "art-ink", d: HOTEL }),
  );
}
