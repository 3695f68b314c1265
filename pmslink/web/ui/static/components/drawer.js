// The drawer at the right with the notices; it does not keep the reader from the rest of the page.

import { el, icon } from "../core/dom.js";
import { t } from "../core/texts.js";
import { noticeList } from "./notice_list.js";
import { noticeSettings } from "./notice_settings.js";

let open = null; // {close} of the open drawer

/** Whether the drawer is open. */
export const isDrawerOpen = () => open !== null;

/** Open the drawer. `onClose()` is called when it is closed, by whatever; `onMuted(name)` when a link is muted. */
export function openDrawer({ onClose, onMuted }) {
  const list = noticeList(onMuted);
  const close = el("button", { type: "button", class: "plain icon", "aria-label": t("note.close"), onclick: closeDrawer });
  close.append(icon("close"));
  const title = el("h2", { id: "drawer-title", text: t("note.title") });
  const all = el("a", { href: "#/notices", class: "small", text: t("note.all") });
  const element = el(
    "aside",
    { class: "drawer", "aria-labelledby": "drawer-title" },
    el("header", {}, title, all, list.acknowledgeAll, close),
    el("div", { class: "body", tabindex: "0", role: "region", "aria-labelledby": "drawer-title" }, list.element),
    el("footer", {}, noticeSettings()),
  );
  document.getElementById("drawer").replaceChildren(element);
  addEventListener("hashchange", closeDrawer);
  addEventListener("keydown", closeOnEscape);
  open = { list, onClose };
  close.focus();
}

/** Close the drawer, if it is open. */
export function closeDrawer() {
  if (open === null) return;
  const { list, onClose } = open;
  open = null;
  list.close();
  removeEventListener("hashchange", closeDrawer);
  removeEventListener("keydown", closeOnEscape);
  document.getElementById("drawer").replaceChildren();
  onClose();
}

function closeOnEscape(event) {
  if (event.key !== "Escape" || event.defaultPrevented) return;
  if (document.querySelector("dialog:modal, [popover]:popover-open")) return; // those first
  event.preventDefault();
  closeDrawer();
}
