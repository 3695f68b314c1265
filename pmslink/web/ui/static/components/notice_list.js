// The list of notices: now, and earlier ones; in the drawer and in the view of the notices.

import { may } from "../core/api.js";
import { el, keyed, setAttribute, setText } from "../core/dom.js";
import { isMuted, setMuted } from "../core/muted_links.js";
import * as notices from "../core/notices.js";
import { t } from "../core/texts.js";
import { refusalText } from "./elements.js";
import { noticeItem } from "./notice_item.js";

const REDRAW_MS = 250; // between two redraws, while many notices change

/**
 * Make the list. Returns `{element, acknowledgeAll, close}`: the list itself, the button for all notices, which stands
 * elsewhere, and what ends the list. `onMuted(name)` is called when a link is muted.
 */
export function noticeList(onMuted) {
  const parts = build();
  const report = (problem) => setText(parts.failed, t("note.failed", { why: refusalText(problem) }));
  const attempt = (action) => async (...details) => {
    setText(parts.failed, "");
    await action(...details).catch(report);
  };
  const make = noticeItem({
    acknowledge: attempt(({ id }) => notices.acknowledge(id)),
    mute({ link }) {
      setMuted(link, !isMuted(link));
      if (isMuted(link)) onMuted(link);
      notices.changed();
    },
  });
  parts.acknowledgeAll.onclick = attempt(notices.acknowledgeAll);
  parts.older.onclick = attempt(notices.loadOlder);
  const redraw = () => write(parts, make);
  redraw();
  if (notices.hasOlder()) attempt(notices.loadOlder)();
  const close = notices.subscribe(throttle(redraw));
  return { element: parts.element, acknowledgeAll: parts.acknowledgeAll, close };
}

function build() {
  const parts = {
    heading: el("h2", { class: "part" }),
    now: el("ul"),
    none: el("p", { class: "quiet empty-list", text: t("note.none") }),
    earlier: el("ul"),
    noneEarlier: el("p", { class: "quiet empty-list", text: t("note.none_earlier") }),
    older: el("button", { type: "button", class: "btn-s plain older", text: t("note.older") }),
    failed: el("p", { class: "small error-text", role: "alert" }),
    acknowledgeAll: el("button", { type: "button", class: "btn-s push", text: t("note.ack_all") }),
  };
  const earlier = el("h2", { class: "part", text: t("note.earlier") });
  parts.element = el("div", {}, parts.failed, parts.heading, parts.now, parts.none, earlier, parts.earlier);
  parts.element.append(parts.noneEarlier, parts.older);
  return parts;
}

function write(parts, make) {
  const [now, earlier] = [notices.lastingNotices(), notices.earlierNotices()];
  const count = notices.lastingCount();
  setText(parts.heading, count ? t("note.now_count", { count }) : t("note.now"));
  keyed(parts.now, now, ({ id }) => id, make);
  keyed(parts.earlier, earlier, ({ id }) => id, make);
  setAttribute(parts.none, "hidden", now.length > 0);
  setAttribute(parts.noneEarlier, "hidden", earlier.length > 0);
  setAttribute(parts.older, "hidden", !notices.hasOlder());
  setAttribute(parts.acknowledgeAll, "hidden", notices.openCount() === 0 || !may("desk"));
}

/** The same function, called at most once in REDRAW_MS, and once more after the last call. */
function throttle(action) {
  let timer = null;
  return () => {
    timer ??= setTimeout(() => {
      timer = null;
      action();
    }, REDRAW_MS);
  };
}
