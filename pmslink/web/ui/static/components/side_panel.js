// A panel beside a list: a region at the right of wide windows, under that a sheet that comes from below.

import { el, setAttribute } from "../core/dom.js";

const NARROW = "(max-width: 56rem)";

/**
 * Make a panel for `content`. `open(name)` shows it, `close()` takes it away.
 * `onClose()` is called when the reader asks for that; a sheet is closed by Escape too.
 */
export function sidePanel(content, onClose) {
  const narrow = matchMedia(NARROW);
  const aside = el("aside", { class: "card side", hidden: true });
  const sheet = /** @type {HTMLDialogElement} */ (el("dialog", { class: "card side sheet", oncancel: cancel, onclick }));
  const element = el("div", { class: "side-place" }, aside, sheet);
  let isOpen = false;

  function cancel(event) {
    event.preventDefault(); // the address decides whether it is open
    onClose();
  }

  function onclick(event) {
    if (event.target === sheet) onClose(); // beside the sheet
  }

  function place() {
    const shell = narrow.matches ? sheet : aside;
    if (content.parentElement !== shell) shell.append(content);
    setAttribute(aside, "hidden", !isOpen || narrow.matches);
    if (isOpen && narrow.matches && !sheet.open && sheet.isConnected) sheet.showModal();
    if (sheet.open && !(isOpen && narrow.matches)) sheet.close();
  }

  function open(name) {
    isOpen = true;
    for (const shell of [aside, sheet]) setAttribute(shell, "aria-label", name);
    place();
    if (!sheet.isConnected) requestAnimationFrame(place); // once the view is in the document
  }

  function close() {
    isOpen = false;
    place();
  }

  narrow.addEventListener("change", place);
  return { element, open, close, stop: () => narrow.removeEventListener("change", place) };
}
