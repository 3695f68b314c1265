// A question that is answered before something stops service or cannot be undone.

import { el } from "../core/dom.js";
import { t } from "../core/texts.js";

/**
 * Ask the reader to confirm an action. Resolves to whether they do; Escape and "Cancel" mean no.
 *
 * `title` names the object, `text` the consequence; `action` is the verb on the last button, the only red one.
 */
export function askToConfirm({ title, text, action }) {
  const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("dialog"));
  const answer = (value) => () => dialog.close(value);
  const cancel = el("button", { type: "button", class: "push", text: t("ask.cancel"), onclick: answer("") });
  const confirm = el("button", { type: "button", class: "fill-danger", text: action, onclick: answer("yes") });
  dialog.setAttribute("aria-labelledby", "dialog-title");
  dialog.setAttribute("aria-describedby", "dialog-text");
  dialog.replaceChildren(
    el("h2", { id: "dialog-title", text: title }),
    el("p", { id: "dialog-text", class: "quiet", text }),
    el("div", { class: "row" }, cancel, confirm),
  );
  dialog.returnValue = "";
  if (dialog.open) dialog.close("");
  dialog.showModal();
  cancel.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
