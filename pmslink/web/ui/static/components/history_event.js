// One event of a link's history: a phase with its causes, which unfolds into its transitions, or what a person did.

import { call, oneAtATime, ofLink } from "../core/api.js";
import { el, icon, keyed, part, setAttribute, setIcon, setText } from "../core/dom.js";
import { causeText } from "../core/health.js";
import { phaseSeconds } from "../core/phases.js";
import { duration, has, moment, precisely, t } from "../core/texts.js";
import { button, isNamed, refusalText, timeElement, visible } from "./elements.js";
import { kindText } from "./timeline.js";

const MAX_TRANSITIONS = 1000; // that the service lists at once
const LOOKS = {
  in_sync: { mood: "good", sign: "good" },
  connecting: { mood: "wait", sign: "wait" },
  down: { mood: "bad", sign: "bad" },
  off: { mood: "off", sign: "off" },
  unknown: { mood: "off", sign: "info" },
};
const ACTIONS = [
  ...["link_create", "link_change", "link_remove", "link_enable", "link_disable", "link_expire", "link_disconnect"],
  ...["link_resync", "posting_resend", "posting_discard", "webhook_skip", "notice_acknowledge"],
  ...["room_status", "room_dnd", "room_make_up_room", "room_voicemail", "room_wake_up", "room_wake_up_cancel"],
  ...["room_check_in", "room_check_out", "room_move", "by_hand_take", "by_hand_keep"],
];
const OFF_WORDS = { DISABLED: "state.off", EXPIRED: "state.expired" };

/** The event as a list item, see `keyed`. An event is that of `historyEvents`, with its `link`. */
export const makeEvent = part(
  (event) => (event.type === "phase" ? buildPhase(event) : buildEntry()),
  (parts, event) => (event.type === "phase" ? writePhase(parts, event) : writeEntry(parts, event)),
);

function buildPhase(event) {
  /** @type {any} */
  const parts = {
    current: event,
    time: el("time", { class: "quiet small" }),
    sign: icon("off"),
    words: el("b"),
    text: el("p"),
    each: el("ol", { class: "each", hidden: true }),
    show: button(t("hist.show"), oneAtATime(() => unfold(parts)), { class: "btn-s plain", "aria-expanded": "false" }),
  };
  parts.element = el("li", {}, parts.time, parts.sign, el("div", {}, parts.words, parts.text, parts.each), parts.show);
  return parts;
}

function writePhase(parts, event) {
  const { phase, isOngoing, link } = event;
  const { mood, sign } = LOOKS[phase.kind];
  parts.current = event;
  setAttribute(parts.element, "data-mood", mood);
  setAttribute(parts.element, "data-kind", phase.kind);
  setIcon(parts.sign, sign);
  setAttribute(parts.time, "datetime", phase.since);
  setAttribute(parts.time, "title", precisely(phase.since));
  setText(parts.time, `${moment(phase.since)} –${isOngoing ? "" : ` ${moment(phase.until)}`}`);
  setText(parts.words, `${wordsOf(phase)} · ${duration(phaseSeconds(phase))}`);
  setText(parts.text, causesText(phase, link));
  setAttribute(parts.show, "hidden", phase.transitions < 2);
}

function wordsOf({ kind, causes }) {
  if (kind !== "off") return kindText(kind);
  return t(OFF_WORDS[causes[0]?.state] ?? "state.disconnected");
}

/** The causes of a phase, each once, and how often the link dialled. */
function causesText({ kind, causes, dials }, link) {
  const reasons = causes.map(({ state, cause, reason }) => causeText(state, cause, link, reason));
  const folded = kind === "down" && dials ? [t(dials === 1 ? "hist.folded_once" : "hist.folded", { count: dials })] : [];
  return visible([...new Set(reasons), ...folded].join(" · "));
}

/** Show or hide the transitions of a phase. */
async function unfold({ current, each, show }) {
  const isOpen = !each.hidden;
  setAttribute(show, "aria-expanded", String(!isOpen));
  setText(show, t(isOpen ? "hist.show" : "hist.fold"));
  setAttribute(each, "hidden", isOpen);
  if (isOpen) return;
  const { phase, link } = current;
  const limit = Math.min(phase.transitions, MAX_TRANSITIONS);
  const query = new URLSearchParams({ before: String(phase.last_transition + 1), limit: String(limit) });
  try {
    const { transitions } = await call("GET", `${ofLink(link.name, "transitions")}?${query}`);
    keyed(each, transitions.map((one) => ({ ...one, link })), ({ id }) => id, makeTransition);
    if (phase.transitions > limit) each.append(el("li", { class: "quiet", text: t("hist.more_transitions", { count: phase.transitions - limit }) }));
  } catch (problem) {
    each.replaceChildren(el("li", { class: "error", text: refusalText(problem) }));
  }
}

const makeTransition = part(
  ({ at, from, to, reason, cause, link }) => {
    const marker = el("span", { class: "mono", text: `${from ?? "–"} → ${to}` });
    const text = causeText(to, cause, link, reason);
    return { element: el("li", {}, timeElement(at), marker, el("span", { text: visible(text) })) };
  },
  () => {},
);

function buildEntry() {
  const time = el("time", { class: "quiet small" });
  const words = el("b");
  const text = el("p");
  return { element: el("li", { "data-mood": "off", "data-kind": "audit" }, time, icon("user"), el("div", {}, words, text)), time, words, text };
}

function writeEntry({ time, words, text }, { entry }) {
  setAttribute(time, "datetime", entry.at);
  setAttribute(time, "title", precisely(entry.at));
  setText(time, moment(entry.at));
  setText(words, actionText(entry));
  setText(text, visible([entry.object, changedSettings(entry)].filter(Boolean).join(" · ")));
  setAttribute(text, "hidden", !text.textContent);
}

function actionText({ action, who, result }) {
  const name = action.replace(".", "_");
  const what = ACTIONS.includes(name) ? t(`audit.${name}`) : action; // a newer service may have others
  return t(result === "done" ? "hist.done_by" : "hist.refused_to", { what, who: isNamed(who) ? who : t("by.user"), why: result });
}

/** Which settings an entry changed, from what to what. */
function changedSettings({ before, after }) {
  if (!isPlain(before) || !isPlain(after)) return "";
  const changed = Object.keys(after).filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]));
  return changed.map((key) => `${settingName(key)}: ${shown(before[key])} → ${shown(after[key])}`).join(", ");
}

const settingName = (key) => (has(`setting.${key}`) ? t(`setting.${key}`) : key);

const isPlain = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const shown = (value) => (value === null || value === undefined ? "–" : typeof value === "string" ? value : JSON.stringify(value));
