// What became of an action, said beside the control that asked for it.

import { CallError } from "../core/api.js";
import { el, setAttribute, setText } from "../core/dom.js";
import { refusalText } from "./elements.js";

/**
 * Make a place for the outcome of actions.
 *
 * `attempt(action, failed)` awaits `action()` and returns whether it succeeded; of a CallError it shows `failed(why)`.
 */
export function outcome() {
  const element = el("p", { class: "outcome small", role: "status", hidden: true });

  function show(text, isError = false) {
    setText(element, text);
    setAttribute(element, "hidden", text === "");
    element.classList.toggle("err", isError);
  }

  async function attempt(action, failed) {
    show("");
    try {
      await action();
      return true;
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      show(failed(refusalText(error)), true);
      return false;
    }
  }

  return { element, show, attempt };
}
