// The records of one link as they go over the wire, decoded, the newest first.

import { call, ofLink } from "./former_api.js";
import { arrange, el, setAttribute, setText } from "./core/dom.js";
import { known } from "./link_model.js";
import { button, choice, MASK, namesCheck, refusal, visible, when } from "./common_elements.js";
import { has, t } from "./core/texts.js";

const LOOKS = 1000; // milliseconds between two
const SHOWN = 100; // records

/** The section of the link of this name. */
export function trace(name) {
  let records = [];
  let looking = null; // what is being asked for
  const called = (id) => (id ? `${id} ${t(`record.${id}`)}` : t("trace.all_types"));
  const type = choice(t("trace.type"), ["", ...known.records], called, ask);
  const directions = (one) => t(`trace.direction.${one || "both"}`);
  const direction = choice(t("trace.direction"), ["", "in", "out"], directions, ask);
  const hint = t("trace.text");
  const text = el("input", { type: "search", placeholder: hint, "aria-label": hint, oninput: show });
  const names = namesCheck(show);
  const paused = button(t("trace.pause"), pause, { "aria-pressed": "false" });
  const rows = el("ol", { class: "records", "aria-label": t("trace.title"), tabindex: "0" });
  const error = el("p", { class: "error" });
  const bar = el("div", { class: "bar" }, type, direction, text, names.element, paused);
  const element = el("section", { class: "trace" }, el("h2", { text: t("trace.title") }), bar, error, rows);

  function look() {
    if (!looking && !document.hidden && paused.getAttribute("aria-pressed") !== "true") ask();
  }

  async function ask() {
    const asked = new URLSearchParams({ limit: SHOWN });
    if (type.value) asked.set("type", type.value);
    if (direction.value) asked.set("direction", direction.value);
    looking = asked;
    try {
      const newest = (await call("GET", ofLink(name, `records?${asked}`))).records;
      if (looking !== asked) return; // something else was chosen meanwhile
      setText(error, "");
      records = newest;
      show();
    } catch (problem) {
      if (looking === asked) setText(error, refusal(problem));
    } finally {
      if (looking === asked) looking = null;
    }
  }

  function pause() {
    const now = paused.getAttribute("aria-pressed") !== "true";
    setAttribute(paused, "aria-pressed", String(now));
    setText(paused, t(now ? "trace.go_on" : "trace.pause"));
  }

  function show() {
    const wanted = text.value.trim().toLowerCase();
    const shown = new Map([...rows.children].map((row) => [row.dataset.id, row]));
    const masked = !names.asked();
    const wantedRows = records.map((record) => {
      const old = shown.get(String(record.id));
      return old?.dataset.masked === String(masked) ? old : row(record, masked);
    });
    arrange(rows, wantedRows.filter((one) => !wanted || one.textContent.toLowerCase().includes(wanted)));
  }

  function row(record, masked) {
    const arrow = record.direction === "in" ? "←" : "→";
    const isKnown = has(`record.${record.type}`);
    const kind = t(isKnown ? `record.${record.type}` : "trace.unknown_record");
    const shown = (code, value) => (masked && value && isPersonal(record, code) ? MASK : value);
    const fields = record.fields.map(([code, value]) => field(code, shown(code, value)));
    // what FIAS does not know could be anything, and may have no fields
    if (!isKnown) fields.push(el("code", { text: masked ? MASK : visible(record.text) }));
    const head = [
      when(record.at),
      el("span", { class: "arrow", title: t(`trace.direction.${record.direction}`), text: arrow }),
      el("strong", { text: isKnown || !masked ? visible(record.type) : MASK }),
      el("span", { class: "kind", text: kind }),
    ];
    const { id, direction, problem } = record;
    const wrong = problem ? el("p", { class: "problem", text: t("trace.problem", { problem: visible(problem) }) }) : null;
    const props = { "data-id": id, "data-masked": masked, class: problem ? `${direction} not-understood` : direction };
    return el("li", props, ...head, ...fields, wrong);
  }

  const ticking = setInterval(look, LOOKS);
  ask();
  return { element, close: () => clearInterval(ticking) };
}

/** Whether a field tells who a guest is, or could; an answer's text is the PMS's own word. */
function isPersonal({ type }, code) {
  if (code === "CT" && known.answers.includes(type)) return false;
  return known.personal.includes(code) || !known.fields.includes(code);
}

function field(code, value) {
  const name = has(`field.${code}`) ? t(`field.${code}`) : visible(code);
  return el("span", { class: "part", title: code }, el("i", { text: name }), " ", visible(value));
}
