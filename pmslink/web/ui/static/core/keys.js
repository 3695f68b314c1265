// Shortcuts of a single key (WCAG 2.1.4: they can be switched off). None of them changes data.

import { readPreference, writePreference } from "./preferences.js";

const SEQUENCE_MS = 1500; // milliseconds between the "g" and the key after it

/** Whether single keys are shortcuts in this browser. */
export const areKeysOn = () => readPreference("keys") !== "off";

/** Switch the shortcuts of a single key on or off. */
export const switchKeys = (on) => writePreference("keys", on ? null : "off");

/**
 * Call `actions[key]()` for the shortcuts of the page.
 *
 * `actions` maps a key, or two keys as "g l", to a function. One that returns false has not used the key.
 * Keys that are typed into a field, or with Ctrl, Alt or Meta, are no shortcuts; nor are any over a dialog.
 */
export function installKeys(actions) {
  let first = null;
  let pressedAt = 0;
  addEventListener("keydown", (event) => {
    if (!isShortcut(event)) return;
    const sequence = first !== null && event.timeStamp - pressedAt < SEQUENCE_MS ? `${first} ${event.key}` : event.key;
    first = sequence === "g" ? "g" : null;
    pressedAt = event.timeStamp;
    if (actions[sequence] && actions[sequence](event) !== false) event.preventDefault();
  });
}

/** Whether a key is meant as a shortcut, and not typed into a field or a dialog. */
export function isShortcut(event) {
  const { target, ctrlKey, metaKey, altKey, defaultPrevented } = event;
  if (ctrlKey || metaKey || altKey || defaultPrevented || !areKeysOn()) return false;
  if (target.matches?.("textarea, select, input:not([type=checkbox], [type=radio])")) return false;
  return document.querySelector("dialog:modal, [popover]:popover-open") === null;
}

/**
 * The step that a key makes in a table: a function of the position, -1 for none, and of the count of rows.
 *
 * Arrows, Home and End belong to the table only while it has the focus. Null for another key.
 */
function rowStep(key, isInside) {
  if (key === "j" || (key === "ArrowDown" && isInside)) return (position, count) => Math.min(position + 1, count - 1);
  if (key === "k" || (key === "ArrowUp" && isInside)) return (position) => Math.max(position - 1, 0);
  if (key === "Home" && isInside) return () => 0;
  if (key === "End" && isInside) return (_, count) => count - 1;
  return null;
}

/** The step that a pressed key makes in the rows of `container`, as of `rowStep`; null for none. */
export function pressedStep(event, container) {
  const isInside = container.contains(event.target);
  const isMeant = isShortcut(event) || (isInside && !event.altKey && !event.ctrlKey && !event.metaKey);
  return isMeant ? rowStep(event.key, isInside) : null;
}
