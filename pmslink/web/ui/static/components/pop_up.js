// The pop-up bar at the lower edge: one pop-up at a time, the newest. What is good leaves by itself.

import { announce, moreNotices } from "../core/announcer.js";
import { notify } from "../core/browser_notifications.js";
import { now } from "../core/clock.js";
import { el, icon, part, setAttribute, setIcon, setText } from "../core/dom.js";
import { isMuted } from "../core/muted_links.js";
import { popUpTexts } from "../core/notice_texts.js";
import { hasAllLasting, isFromBefore } from "../core/notices.js";
import { PopUpRules } from "../core/pop_up_rules.js";
import { t } from "../core/texts.js";
import { popUpMode } from "./notice_settings.js";

const STAY_S = 6; // that good news stays, while somebody can see it and nobody points at it
const TICK_MS = 1_000;
const MARGIN_PX = 16; // between the bar and a focused element over it

const rules = new PopUpRules(isMuted, hasAllLasting, isFromBefore);
const seen = new Set(); // ids of notices that were known before
let bar = null; // {element, update, number} of the pop-up that is shown
let left = STAY_S;
const sizes = new ResizeObserver(reserveSpace);

/** Take in the notices that lasted when they were loaded: those from before do not pop up. */
export function know(notices) {
  rules.know(notices);
  for (const { id } of notices.filter(isFromBefore)) seen.add(id);
  redraw();
}

/** Take in a link that has changed; see `PopUpRules.onLink`. */
export function handleLink(link, transition, isOwn) {
  rules.onLink(link, transition, now(), isOwn);
  redraw();
}

/** Take in a notice that was opened or has changed. */
export function handleNotice(notice) {
  rules.onNotice(notice, !seen.has(notice.id));
  seen.add(notice.id);
  if (notice.state === "over") seen.delete(notice.id);
  redraw();
}

/** Close the pop-up that is shown; the one before it comes in its place. */
function closeShown() {
  rules.close(now());
  redraw();
}

/** Close all pop-ups: the reader sees them in the list. */
export function closeAll() {
  rules.closeAll(now());
  redraw();
}

/** Take away what is about a link that is muted now. */
export function mute(name) {
  rules.mute(name);
  redraw();
}

/** Forget everything, as when somebody else signs in. */
export function clear() {
  rules.clear();
  seen.clear();
  redraw();
}

/** Show the newest pop-up, or none. */
export function redraw() {
  const { shown } = rules;
  if (!shown) return remove();
  const more = rules.popUps.length - 1;
  if (bar?.number === shown.number) return bar.update({ popUp: shown, more });
  const isNew = bar === null || shown.number > bar.number;
  const hadFocus = bar?.element.contains(document.activeElement);
  bar = { ...makeBar({ popUp: shown, more }), number: shown.number };
  left = STAY_S;
  document.getElementById("pop-up").replaceChildren(bar.element);
  sizes.disconnect();
  sizes.observe(bar.element);
  reserveSpace();
  if (hadFocus) bar.element.querySelector("button").focus({ preventScroll: true });
  uncoverFocus();
  return isNew && tell(shown);
}

function remove() {
  if (bar === null) return;
  const hadFocus = bar.element.contains(document.activeElement);
  bar = null;
  document.getElementById("pop-up").replaceChildren();
  sizes.disconnect();
  document.documentElement.style.removeProperty("--pop");
  if (hadFocus) document.getElementById("main").focus({ preventScroll: true });
}

/** Tell a pop-up also to those who do not see it. */
function tell(popUp) {
  const { title, why, address } = popUpTexts(popUp);
  announce(why ? `${title} ${why}` : title);
  if (popUp.isBad) notify({ title, body: why, tag: popUp.key, address });
}

const makeBar = part(build, write);

function build() {
  const parts = { sign: icon("info"), link: el("a"), why: el("span", { class: "quiet" }) };
  parts.text = el("p", { class: "cut" }, el("b", {}, parts.link), " ", parts.why);
  parts.change = el("span", { class: "mono" });
  parts.more = el("a", { class: "more small", href: "#/notices" });
  const close = el("button", { type: "button", class: "plain icon", "aria-label": t("note.close"), onclick: closeShown });
  close.append(icon("close"));
  const props = { class: "pop", "aria-label": t("note.region") };
  parts.element = el("section", props, parts.sign, parts.text, parts.change, parts.more, close);
  return parts;
}

function write(parts, { popUp, more }) {
  const { title, why, mood, sign, address, change } = popUpTexts(popUp);
  setAttribute(parts.element, "data-mood", mood);
  setIcon(parts.sign, sign);
  setAttribute(parts.link, "href", address);
  setText(parts.link, title);
  setText(parts.why, why);
  setAttribute(parts.text, "title", why ? `${title} ${why}` : title);
  setText(parts.change, change);
  setAttribute(parts.change, "hidden", !change);
  setAttribute(parts.more, "hidden", more === 0);
  setText(parts.more, more ? moreNotices(more) : "");
}

/** Say in the style how much of the window the bar takes, so that nothing has to stay behind it. */
function reserveSpace() {
  document.documentElement.style.setProperty("--pop", `${innerHeight - bar.element.offsetTop}px`);
}

/**
 * Scroll so that the bar does not lie over the element that the keyboard has reached. One that is pressed stays: what
 * moves between press and release takes no click.
 */
function uncoverFocus() {
  const focused = document.activeElement;
  if (bar === null || !focused.matches("#main :focus-visible")) return;
  const covered = focused.getBoundingClientRect().bottom + MARGIN_PX - bar.element.getBoundingClientRect().top;
  if (covered > 0) scrollBy(0, covered);
}

/** Time passes for a pop-up that somebody can see, and nobody points at or has focused. */
function tick() {
  if (bar === null || document.hidden || rules.shown.isBad) return;
  if (bar.element.matches(":hover, :focus-within")) return;
  left -= 1;
  if (left > 0) return;
  rules.expire(rules.shown);
  redraw();
}

function setMode() {
  rules.mode = popUpMode();
  if (rules.mode === "none") closeAll();
}

setMode();
setInterval(tick, TICK_MS);
addEventListener("popupmodechange", setMode);
addEventListener("storage", setMode); // another tab has changed the preference
addEventListener("focusin", uncoverFocus);
addEventListener("hashchange", () => location.hash === "#/notices" && closeAll());
