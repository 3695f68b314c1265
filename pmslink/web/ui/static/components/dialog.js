// A question that is answered before something stops service or cannot be undone.

import { el } from "../core/dom.js";
import { t } from "../core/texts.js";

let answerOpen = null; // answers the question that is open

/**
 * Ask the reader to confirm an action. Resolves to whether they do; Escape and "Cancel" mean no,
 * and so does another question that takes the place of this one.
 *
 * `title` names the object, `text` the consequence; `action` is the verb on the last button, the only red one.
 */
export function askToConfirm({ title, text, action }) {
  const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("dialog"));
  answerOpen?.(false);
  const cancel = el("button", { type: "button", class: "push", text: t("ask.cancel"), onclick: () => answerOpen(false) });
  const confirm = el("button", { type: "button", class: "fill-danger", text: action, onclick: () => answerOpen(true) });
  dialog.setAttribute("aria-labelledby", "dialog-title");
  dialog.setAttribute("aria-describedby", "dialog-text");
  dialog.replaceChildren(
    el("h2", { id: "dialog-title", text: title }),
    el("p", { id: "dialog-text", class: "quiet", text }),
    el("div", { class: "row" }, cancel, confirm),
  );
  if (dialog.open) dialog.close(); // with the shortcuts
  dialog.showModal();
  cancel.focus();
  return new Promise((resolve) => {
    answerOpen = (isConfirmed) => {
      answerOpen = null;
      dialog.onclose = null;
      dialog.close();
      resolve(isConfirmed);
    };
    dialog.onclose = () => dialog.open || answerOpen(false); // not that of a question before, which comes late
  });
}
