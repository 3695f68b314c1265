// What is said in place of rooms, and over them while the PMS is away.

import { call, may, oneAtATime, ofLink } from "../core/api.js";
import { el, icon, setAttribute, setText } from "../core/dom.js";
import { minute, t } from "../core/texts.js";
import { button, loadingBars } from "./elements.js";
import { outcome } from "./outcome.js";

/**
 * Make the banner for work by hand. `show({since, isOff, count})` says since when the PMS is away, and how many changes
 * wait to be compared; `hide()` takes it away.
 */
export function byHandBanner(onShowThem) {
  const sentence = el("b");
  const count = el("p");
  const show = button(t("rooms.hand_show"), onShowThem, { class: "btn-s" });
  const props = { class: "hint no-print", "data-mood": "wait", role: "note", hidden: true };
  const element = el("div", props, icon("hand"), el("div", {}, sentence, count), show);

  return {
    element,
    show({ since, isOff, count: changes }) {
      setText(sentence, t(isOff ? "rooms.off" : "rooms.down", { since: minute(since) }));
      setText(count, changes ? t(changes === 1 ? "rooms.hand_1" : "rooms.hand_n", { count: changes }) : "");
      setAttribute(show, "hidden", changes === 0);
      setAttribute(element, "hidden", false);
    },
    hide: () => setAttribute(element, "hidden", true),
  };
}

/**
 * Make what stands in place of rooms. `show(reason)` says why there are none: `loading`, `nothing` (fits the filter),
 * `none` (asked for), `none_yet`, or null if there are some.
 */
export function emptyRooms(link, onShowAll) {
  const text = el("p");
  const bars = loadingBars();
  const result = outcome();
  const showAll = button(t("rooms.clear"), onShowAll);
  const resync = button(t("rooms.resync"), oneAtATime(askForResync));
  const element = el("div", { class: "empty", hidden: true }, text, bars, el("div", { class: "row center" }, showAll, resync), result.element);

  async function askForResync() {
    const isAsked = await result.attempt(() => call("POST", ofLink(link, "resync")), (why) => why);
    if (isAsked) result.show(t("rooms.resync_asked"));
  }

  function show(reason) {
    setAttribute(element, "hidden", reason === null);
    setAttribute(element, "aria-busy", reason === "loading" ? "true" : null);
    setAttribute(bars, "hidden", reason !== "loading");
    if (reason !== null) setText(text, t(`rooms.${reason}`));
    setAttribute(showAll, "hidden", reason !== "nothing");
    setAttribute(resync, "hidden", reason !== "none" || !may("control"));
  }

  return { element, show };
}
