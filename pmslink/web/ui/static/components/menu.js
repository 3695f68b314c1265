// A button with a menu: the browser's own popover, with the keys of a menu.

import { el, icon, setAttribute } from "../core/dom.js";

const GAP_PX = 6;

/**
 * A button that opens a menu.
 *
 * `items()` lists the entries each time it opens: `{text, icon, action}`, with `note` for a second line, `disabled`
 * for one that stays and says in its note why, `checked` for a choice, `href` for a link, and null for a
 * line between two groups.
 */
export function menuButton(content, items, props = {}) {
  const menu = el("div", { class: "menu", popover: "auto", role: "menu", onkeydown: moveFocus });
  const toggle = () => {
    menu.togglePopover();
    if (!menu.matches(":popover-open")) return;
    place(menu, button); // at once: the next key belongs to the menu already
    entries(menu)[0]?.focus();
  };
  const button = el("button", { type: "button", "aria-haspopup": "menu", onclick: toggle, ...props }, ...content);
  menu.addEventListener("beforetoggle", ({ newState }) => {
    if (newState === "open") menu.replaceChildren(...items().map((item) => entry(item, menu)));
    setAttribute(button, "aria-expanded", String(newState === "open"));
  });
  return el("div", { class: "menu-place" }, button, menu);
}

function entry(item, menu) {
  if (item === null) return el("hr");
  const choose = () => {
    if (item.disabled) return;
    menu.hidePopover();
    item.action?.();
  };
  const role = item.checked === undefined ? "menuitem" : "menuitemradio";
  const state = { "aria-disabled": item.disabled ? "true" : null, "aria-checked": item.checked ?? null };
  const note = item.note ? el("small", { class: "tiny", text: item.note }) : null;
  const text = el("span", {}, el("span", { text: item.text }), note);
  const all = { role, tabindex: "-1", onclick: choose, ...state };
  const tag = item.href ? el("a", { ...all, href: item.href }) : el("button", { ...all, type: "button" });
  tag.append(icon(item.checked ? "good" : (item.icon ?? "right")), text);
  return tag;
}

const entries = (menu) => [...menu.querySelectorAll("[role^=menuitem]")];

function place(menu, button) {
  const below = button.getBoundingClientRect();
  menu.style.top = `${below.bottom + GAP_PX}px`;
  menu.style.right = `${Math.max(GAP_PX, document.documentElement.clientWidth - below.right)}px`;
}

function moveFocus(event) {
  const all = entries(event.currentTarget);
  const at = all.indexOf(document.activeElement);
  const next = { ArrowDown: at + 1, ArrowUp: at - 1 + all.length, Home: 0, End: all.length - 1 }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  all[next % all.length]?.focus();
}
