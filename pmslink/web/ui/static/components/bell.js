// The bell in the header: how many notices are open, and the way to them; and what pops up.

import { lastChangeOf } from "../core/api.js";
import { el, icon, setAttribute, setText } from "../core/dom.js";
import * as notices from "../core/notices.js";
import { t } from "../core/texts.js";

const OWN_CHANGE_MS = 5_000; // for how long a change of a link is the answer to a button of this page

let unsubscribe = null;
let popUp = null; // the promise of the module, once something may pop up
let drawer = null; // the module, once it is loaded
let known = []; // notices that lasted when they were loaded

/** Build the bell into `#bell`; `onChange()` is called when the number of open notices changes. */
export function showBell({ onChange }) {
  const count = el("b", { "aria-hidden": "true" });
  const button = el("button", { type: "button", class: "plain icon bell", "aria-expanded": "false", onclick: () => toggle(button) });
  button.append(icon("bell"), count);
  document.getElementById("bell").replaceChildren(button);
  const write = () => {
    const open = notices.openCount();
    setText(count, open > 99 ? "99+" : String(open));
    setAttribute(count, "hidden", open === 0);
    setAttribute(button, "aria-label", t(open ? "note.bell" : "note.title", { count: open }));
    onChange();
  };
  write();
  unsubscribe?.();
  unsubscribe = notices.subscribe((kind, data) => {
    write();
    forward(kind, data);
  });
  popUp?.then((module) => module.redraw());
  if (!drawer?.isDrawerOpen()) return;
  drawer.closeDrawer(); // it was of the former bell, whose language may be another
  open(button);
}

async function toggle(button) {
  drawer = await import("./drawer.js");
  if (drawer.isDrawerOpen()) return drawer.closeDrawer();
  const pop = await loadPopUp();
  pop.closeAll();
  return open(button);
}

function open(button) {
  setAttribute(button, "aria-expanded", "true");
  drawer.openDrawer({
    onMuted: (name) => loadPopUp().then((module) => module.mute(name)),
    onClose() {
      setAttribute(button, "aria-expanded", "false");
      if (document.activeElement === document.body) button.focus();
    },
  });
}

// What pops up. Its module is loaded at the first change.

function loadPopUp() {
  popUp ??= import("./pop_up.js").then((module) => {
    module.know(known);
    return module;
  });
  return popUp;
}

function forward(kind, data) {
  if (kind === "loaded") {
    known = data;
    popUp?.then((module) => module.know(data));
  } else if (kind === "clear") {
    popUp?.then((module) => module.clear());
    drawer?.closeDrawer();
  } else if (kind === "notice") loadPopUp().then((module) => module.handleNotice(data.notice));
  else if (kind === "link" && (popUp !== null || data.transition?.from)) {
    const isOwn = Date.now() - lastChangeOf(data.link.name) < OWN_CHANGE_MS;
    loadPopUp().then((module) => module.handleLink(data.link, data.transition, isOwn));
  }
}
