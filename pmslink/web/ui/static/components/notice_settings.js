// The settings of notices in this browser: what pops up, and notifications in the background.

import { areNotificationsOn, obstacle, switchNotifications } from "../core/browser_notifications.js";
import { el, setText } from "../core/dom.js";
import { readPreference, writePreference } from "../core/preferences.js";
import { t } from "../core/texts.js";

const MODES = ["outage", "marker", "none"];
const OBSTACLES = { insecure: "note.insecure", denied: "note.denied" };

/** What pops up: "outage" (once per outage), "marker" (each change of the marker) or "none". */
export const popUpMode = () => MODES.find((mode) => mode === readPreference("pop-up")) ?? MODES[0];

/** Make the settings. */
export function noticeSettings() {
  return el("div", { class: "stack note-settings" }, notificationSwitch(), modeChoice());
}

function notificationSwitch() {
  const why = el("p", { class: "tiny", id: "notifications-obstacle" });
  const input = el("input", {
    class: "switch push",
    type: "checkbox",
    role: "switch",
    "aria-describedby": "notifications-obstacle",
    async onchange() {
      await switchNotifications(input.checked);
      write();
    },
  });
  const write = () => {
    input.checked = areNotificationsOn();
    input.disabled = obstacle() !== null;
    setText(why, obstacle() ? t(OBSTACLES[obstacle()]) : "");
  };
  write();
  return el("div", {}, el("label", { class: "setting-line" }, el("span", { text: t("note.browser") }), input), why);
}

function modeChoice() {
  const options = MODES.map((mode) => el("option", { value: mode, text: t(`note.pop.${mode}`) }));
  const select = el("select", { class: "push" }, ...options);
  select.value = popUpMode();
  select.onchange = () => {
    writePreference("pop-up", select.value === MODES[0] ? null : select.value);
    dispatchEvent(new Event("popupmodechange"));
  };
  return el("label", { class: "setting-line" }, el("span", { text: t("note.pop") }), select);
}
