// The records of one link as they go over the wire, decoded, the newest first.

import { call, ofLink, seesGuests } from "./calls.js";
import { el, setAttribute, setText } from "./dom.js";
import { known } from "./model.js";
import { has, moment, precisely, t } from "./texts.js";

const LOOKS = 1000; // milliseconds between two
const SHOWN = 200; // records
const MASK = "•••";

/** The section of the link of this name. */
export function trace(name) {
  let records = [];
  let looking = false;
  const type = choice("trace.type", ["", ...known.records], (id) => (id ? `${id} ${t(`record.${id}`)}` : t("trace.all_types")), again);
  const direction = choice("trace.direction", ["", "in", "out"], (one) => t(`trace.direction.${one || "both"}`), again);
  const text = el("input", { type: "search", placeholder: t("trace.text"), "aria-label": t("trace.text"), oninput: show });
  const names = el("input", { type: "checkbox", id: "names", disabled: !seesGuests(), onchange: show });
  const namesLabel = el("label", { for: "names", text: t(seesGuests() ? "trace.names" : "trace.names_hidden") });
  const paused = el("button", { type: "button", "aria-pressed": "false", text: t("trace.pause"), onclick: pause });
  const rows = el("ol", { class: "records", "aria-label": t("trace.title"), tabindex: "0" });
  const error = el("p", { class: "error" });
  const bar = el("div", { class: "bar" }, type, direction, text, el("span", { class: "check" }, names, namesLabel), paused);
  const element = el("section", { class: "trace" }, el("h2", { text: t("trace.title") }), bar, error, rows);

  async function look() {
    if (looking || document.hidden || paused.getAttribute("aria-pressed") === "true") return;
    looking = true;
    const asked = new URLSearchParams({ limit: SHOWN });
    if (type.value) asked.set("type", type.value);
    if (direction.value) asked.set("direction", direction.value);
    try {
      const newest = (await call("GET", ofLink(name, `records?${asked}`))).records;
      setText(error, "");
      if (newest[0]?.id !== records[0]?.id || newest.length !== records.length) {
        records = newest;
        show();
      }
    } catch (problem) {
      setText(error, t("refused", { why: t(`error.${problem.code}`), message: problem.message }));
    } finally {
      looking = false;
    }
  }

  function again() {
    records = [];
    rows.replaceChildren();
    look();
  }

  function pause() {
    const now = paused.getAttribute("aria-pressed") !== "true";
    setAttribute(paused, "aria-pressed", String(now));
    setText(paused, t(now ? "trace.go_on" : "trace.pause"));
  }

  function show() {
    const wanted = text.value.trim().toLowerCase();
    const shown = new Map([...rows.children].map((row) => [row.dataset.id, row]));
    const masked = !names.checked;
    const wantedRows = records.map((record) => {
      const old = shown.get(String(record.id));
      return old?.dataset.masked === String(masked) ? old : row(record, masked);
    });
    rows.replaceChildren(...wantedRows.filter((one) => !wanted || one.textContent.toLowerCase().includes(wanted)));
  }

  function row(record, masked) {
    const arrow = record.direction === "in" ? "←" : "→";
    const kind = has(`record.${record.type}`) ? t(`record.${record.type}`) : t("trace.unknown_record");
    const fields = record.fields.map(([code, value]) => field(code, value, masked));
    const head = [
      el("time", { datetime: record.at, title: precisely(record.at), text: moment(record.at) }),
      el("span", { class: "arrow", title: t(`trace.direction.${record.direction}`), text: arrow }),
      el("strong", { text: record.type }),
      el("span", { class: "kind", text: kind }),
    ];
    return el("li", { "data-id": record.id, "data-masked": masked, class: record.direction }, ...head, ...fields);
  }

  const ticking = setInterval(look, LOOKS);
  look();
  return { element, close: () => clearInterval(ticking) };
}

function field(code, value, masked) {
  const said = masked && value && known.personal.includes(code) ? MASK : value;
  const name = has(`field.${code}`) ? t(`field.${code}`) : code;
  return el("span", { class: "part", title: code }, el("i", { text: name }), " ", said);
}

function choice(key, values, text, onchange) {
  const options = values.map((value) => el("option", { value, text: text(value) }));
  return el("select", { "aria-label": t(key), onchange }, ...options);
}
