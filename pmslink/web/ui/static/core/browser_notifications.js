// Notifications of the browser, for bad news while the page is in the background.

import { readPreference, writePreference } from "./preferences.js";

const PREFERENCE = "notifications";

/** Why this browser cannot notify: "insecure" (only https and localhost can), "denied", or null if it can. */
export function obstacle() {
  if (!isSecureContext || typeof Notification === "undefined") return "insecure";
  return Notification.permission === "denied" ? "denied" : null;
}

/** Whether the reader wants notifications, and the browser permits them. */
export const areNotificationsOn = () =>
  obstacle() === null && Notification.permission === "granted" && readPreference(PREFERENCE) === "on";

/** Switch notifications on or off; the browser asks the reader for its permission. */
export async function switchNotifications(on) {
  if (on && Notification.permission === "default") await Notification.requestPermission();
  writePreference(PREFERENCE, on && Notification.permission === "granted" ? "on" : null);
}

/** Notify if the page is in the background; `tag` identifies the fact: a later notification replaces the former. */
export function notify({ title, body, tag, address }) {
  if (!document.hidden || !areNotificationsOn()) return;
  try {
    const notification = new Notification(title, { body, tag });
    notification.onclick = () => {
      window.focus();
      location.hash = address;
      notification.close();
    };
  } catch (problem) {
    console.info(`the browser does not notify: ${problem.message}`); // some phones permit it to apps only
  }
}
