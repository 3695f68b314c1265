// One notice in a list: what it says, when, who has acknowledged it, and what can be done.

import { may } from "../core/api.js";
import { el, icon, part, setAttribute, setIcon, setText } from "../core/dom.js";
import { isMuted } from "../core/muted_links.js";
import { noticeTexts, outageFacts } from "../core/notice_texts.js";
import { moment, precisely, t } from "../core/texts.js";

/** Make the item of a notice. `actions` has `acknowledge(notice)` and `mute(notice)`, the latter in both directions. */
export const noticeItem = (actions) => part((notice) => build(notice, actions), write);

function build(notice, actions) {
  const parts = { actions, notice, sign: icon("info") };
  parts.title = el("a");
  parts.why = el("p", { class: "small quiet" });
  parts.time = el("time");
  parts.marker = el("span", { class: "mono" });
  parts.dialled = el("span");
  const facts = el("p", { class: "tiny facts-line" }, parts.time, parts.marker, parts.dialled);
  parts.acknowledge = el("button", {
    type: "button",
    class: "btn-s",
    text: t("note.ack"),
    onclick: () => actions.acknowledge(parts.notice),
  });
  parts.mute = el("button", { type: "button", class: "btn-s plain", onclick: () => actions.mute(parts.notice) });
  parts.acknowledged = el("span", { class: "tiny" });
  parts.muted = el("span", { class: "tiny", text: t("note.muted") });
  const row = el("div", { class: "acts row" }, parts.acknowledge, parts.acknowledged, parts.mute, parts.muted);
  const body = el("div", {}, el("p", {}, el("b", {}, parts.title)), parts.why, facts);
  parts.element = el("li", { class: "note" }, parts.sign, body, row);
  return parts;
}

function write(parts, notice) {
  parts.notice = notice;
  const { title, why, mood, sign, address } = noticeTexts(notice);
  const { marker, dialled } = outageFacts(notice);
  const muted = notice.over === null && isMuted(notice.link);
  setAttribute(parts.element, "data-mood", mood);
  setAttribute(parts.element, "class", notice.state === "open" && !muted ? "note new" : "note");
  setAttribute(parts.element, "data-notice", notice.id);
  setIcon(parts.sign, sign);
  setAttribute(parts.title, "href", address);
  setText(parts.title, title);
  setText(parts.why, why);
  writeTime(parts.time, notice);
  setText(parts.marker, marker);
  setText(parts.dialled, dialled);
  writeActions(parts, notice, muted);
}

function writeTime(element, { at, over }) {
  setAttribute(element, "datetime", at);
  setAttribute(element, "title", precisely(at));
  setText(element, over === null ? moment(at) : t("note.from_to", { from: moment(at), to: moment(over) }));
}

function writeActions(parts, notice, muted) {
  setAttribute(parts.acknowledge, "hidden", notice.state !== "open" || !may("desk"));
  setAttribute(parts.mute, "hidden", notice.state === "over" || notice.link === null);
  setAttribute(parts.muted, "hidden", !muted);
  setText(parts.mute, t(muted ? "note.unmute" : "note.mute"));
  setText(parts.acknowledged, acknowledgement(notice));
}

function acknowledgement({ acknowledged }) {
  if (acknowledged === null) return "";
  const at = moment(acknowledged.at);
  return acknowledged.by === null ? t("note.acked_at", { at }) : t("note.acked", { who: acknowledged.by, at });
}
