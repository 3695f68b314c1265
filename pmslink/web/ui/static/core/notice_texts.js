// What a notice or a pop-up says: its title, why, its sign and mood, and where more of it is.

import { now } from "./clock.js";
import { causeText, doubt, health, why, words } from "./health.js";
import { redialsOf } from "./notices.js";
import { linkAddress } from "./router.js";
import { counted, duration, has, localMoment, minute, t } from "./texts.js";

const DAY_MS = 24 * 60 * 60_000;

/** What a notice says: `{title, why, mood, sign, address}`. */
export function noticeTexts(notice) {
  const said = TEXTS[notice.kind](notice);
  return { address: notice.link === null ? "#/about" : linkAddress(notice.link), ...said };
}

const bad = { mood: "bad", sign: "bad" };
const wait = { mood: "wait", sign: "warn" };
const good = { mood: "good", sign: "good" };
const off = { mood: "off", sign: "off" };

const TEXTS = { down, decision, wake_up, expires_soon, expired, flapping, store, by_hand };

function down({ link, over, subject, cause, params }) {
  const reason = cause ? causeText("EXPECTION", cause, params, "") : "";
  if (over === null) return { ...bad, title: t(cause?.code === "pms_ended" ? "note.ended_by_pms" : "note.down", { link }), why: reason };
  const time = duration((Date.parse(over) - Date.parse(subject)) / 1000);
  const end = params.in_sync ? { ...good, key: "note.back" } : { ...off, key: "note.was_down" };
  return { ...end, title: t(end.key, { link, time }), why: reason };
}

function decision({ link, over, params }) {
  const address = linkAddress(link, "outbox");
  if (over !== null) return { ...good, title: t("note.decided", { link }), why: "", address };
  const { why: sentence, remedy } = doubt(params);
  return { ...wait, title: t("note.decide", { link }), why: sentence + t("sentence.joint") + remedy, address };
}

/** What a wake-up with a single attempt is told with, by its result. */
const WAKE_UP_ONCE = {
  no_answer: "note.wake.no_answer_one",
  busy: "note.wake.busy_one",
  unreported: "note.wake.unreported_one",
};

function wake_up({ link, at, over, params: { room, due, result, attempts } }) {
  const mood = over === null ? "bad" : "off";
  const title = due
    ? t("note.wake", { room, at: shortDue(due, at) })
    : t("note.wake.none", { room: room ?? t("note.wake.no_room") });
  const key = (attempts === 1 && WAKE_UP_ONCE[result]) || `note.wake.${result}`;
  const address = room === null ? linkAddress(link, "rooms") : linkAddress(link, "rooms", room);
  return { mood, sign: "alarm", title, why: has(key) ? t(key, { count: attempts }) : "", address };
}

/** When a wake-up was due, in the hotel's time: without the day if it failed on the same one. */
const shortDue = (due, at) =>
  due.slice(0, 10) === new Date(at).toLocaleDateString("sv-SE") ? due.slice(11, 16) : localMoment(due);

function expires_soon({ link, over, params: { expires_at } }) {
  const count = Math.ceil((Date.parse(expires_at) - (over ? Date.parse(over) : now())) / DAY_MS);
  const title = count > 1 ? t("note.ends", { link, count }) : t("note.ends_today", { link });
  const said = { title, why: t("note.ends.why", { at: minute(expires_at) }), address: linkAddress(link, "settings") };
  return over === null ? { ...wait, ...said } : { ...off, ...said };
}

function expired({ link, params: { expires_at } }) {
  const reason = t("note.ended.why", { at: minute(expires_at) });
  return { mood: "ended", sign: "ended", title: t("note.ended", { link }), why: reason, address: linkAddress(link, "settings") };
}

function flapping({ link, over, params: { count } }) {
  const title = t("note.flap", { link, count });
  return { ...(over === null ? wait : off), title, why: t("note.flap.why"), address: linkAddress(link, "history") };
}

function store({ over, params: { reason } }) {
  return { ...(over === null ? bad : off), title: t("note.store"), why: t("note.store.why", { reason }) };
}

function by_hand({ link, over, params: { count } }) {
  const title = t(count === 1 ? "note.hand_one" : "note.hand", { link, count });
  return { ...(over === null ? { mood: "wait", sign: "hand" } : off), title, why: "", address: linkAddress(link, "rooms") };
}

/** What a pop-up (see `pop_up_rules.js`) says: `{title, why, mood, sign, address, change}`. */
export function popUpTexts(popUp) {
  if (popUp.kind === "notice") return { ...noticeTexts(popUp.notice), change: "" };
  const { link, kind, from, to, seconds } = popUp;
  const { key, mood, sign } = health(link);
  const change = to === null ? "" : from === null ? to : `${from} → ${to}`;
  const shared = { mood, sign, address: linkAddress(link.name), change };
  if (kind === "back") return { ...shared, title: t("note.back", { link: link.name, time: duration(seconds) }), why: "" };
  if (link.group === "down") {
    const title = t(key === "ended" ? "note.ended_by_pms" : "note.down", { link: link.name });
    return { ...shared, title, why: why(link) };
  }
  return { ...shared, title: t("note.changed", { link: link.name, state: words(link) }), why: why(link) };
}

/** "EXPECTION · dialled 391 times": the marker and the redials of an outage, as a text for each. */
export function outageFacts(notice) {
  if (notice.kind !== "down") return { marker: "", dialled: "" };
  const { marker, attempts } = redialsOf(notice);
  const lasts = notice.over === null;
  return { marker: (lasts && marker) || "", dialled: attempts ? counted("note.dialled_one", "note.dialled", attempts) : "" };
}
