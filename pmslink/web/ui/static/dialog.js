// A question that has to be answered before something is done that stops service or cannot be undone.

import { el } from "./core/dom.js";
import { t } from "./core/texts.js";

/** Whether the person says yes; Escape and "Cancel" say no. The one answer is named after what is done. */
export function confirmed(question, action) {
  const dialog = document.getElementById("dialog");
  const no = el("button", { type: "button", text: t("dialog.cancel"), onclick: () => dialog.close("") });
  const yes = el("button", { type: "button", class: "danger", text: action, onclick: () => dialog.close("yes") });
  dialog.setAttribute("aria-labelledby", "question");
  dialog.replaceChildren(el("p", { id: "question", text: question }), el("div", { class: "buttons" }, no, yes));
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((answered) => {
    dialog.addEventListener("close", () => answered(dialog.returnValue === "yes"), { once: true });
  });
}
