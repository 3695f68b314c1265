// The view of all notices: those that last, and those of the last 30 days.

import { el } from "../core/dom.js";
import { t } from "../core/texts.js";
import { noticeList } from "../components/notice_list.js";
import { noticeSettings } from "../components/notice_settings.js";

/** The view "Notices". */
export function view() {
  const list = noticeList(() => {});
  const heading = el("div", { class: "title" }, el("h1", { text: t("note.title") }), list.acknowledgeAll);
  const settings = el("section", { class: "card" }, el("div", { class: "in" }, noticeSettings()));
  const element = el("div", { class: "stack notices" }, heading, el("section", { class: "card" }, list.element), settings);
  return { element, title: () => t("note.title"), close: list.close };
}
