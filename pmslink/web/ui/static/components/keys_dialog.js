// The list of keyboard shortcuts, with the switch for those of a single key.

import { el } from "../core/dom.js";
import { areKeysOn, switchKeys } from "../core/keys.js";
import { t } from "../core/texts.js";

const SHORTCUTS = [
  ["/", "keys.search"],
  ["g l", "keys.links"],
  ["g n", "keys.notices"],
  ["n", "keys.new"],
  ["1 … 7", "keys.tabs"],
  ["j k ↓ ↑", "keys.rows"],
  ["Enter", "keys.open"],
  ["← → ↑ ↓", "keys.rooms"],
  ["Esc", "keys.escape"],
  ["?", "keys.list"],
];

/** The list of the shortcuts, and the switch for those of a single key. */
export function shortcuts() {
  const rows = SHORTCUTS.map(([keys, text]) =>
    el("div", {}, el("dt", {}, ...keys.split(" ").map(keyCap)), el("dd", { text: t(text) })),
  );
  const onchange = ({ target }) => switchKeys(target.checked);
  const box = { type: "checkbox", role: "switch", class: "switch", checked: areKeysOn(), onchange };
  const choice = el("label", { class: "row" }, t("about.keys"), el("input", { ...box, class: "switch push" }));
  return [el("dl", { class: "keys" }, ...rows), choice];
}

/** Show the shortcuts in the page's dialog. */
export function keysDialog() {
  const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("dialog"));
  dialog.setAttribute("aria-labelledby", "dialog-title");
  dialog.replaceChildren(
    el("h2", { id: "dialog-title", text: t("header.keys") }),
    ...shortcuts(),
    el("form", { method: "dialog", class: "row" }, el("button", { class: "push", text: t("note.close") })),
  );
  if (!dialog.open) dialog.showModal();
}

function keyCap(key) {
  return key === "…" ? "…" : el("kbd", { text: key });
}
