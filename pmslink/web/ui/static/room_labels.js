// What the codes of a room and its guests mean, in the reader's language.

import { visible } from "./common_elements.js";
import { languageName, localMoment, t } from "./core/texts.js";

// FIAS has languages of its own, and for the others those of ISO 639-1. Where both have a code, FIAS is meant.
const LANGUAGES = {
  ...{ CR: "hr", CT: "ca", CZ: "cs", DK: "da", EA: "en", FN: "fi", GE: "de", GR: "el", NR: "no", PO: "pt", RI: "id" },
  ...{ RL: "ru", RS: "ru", SC: "sk", SP: "es", SW: "sv" },
};

/** What a guest's language is called; a code that nobody knows is shown as it is. */
export function guestLanguage(code) {
  const tag = LANGUAGES[code.toUpperCase()] ?? code.toLowerCase();
  return languageName(tag) ?? visible(code);
}

// What FIAS has numbers for; hotels have some of their own.
const SERVICES = [0, 1, 2, 3];
const STATUSES = [1, 2, 3, 4, 5, 6];

/** Whom the room's phone may call. */
export const serviceName = (number) =>
  SERVICES.includes(number) ? t(`room.service.${number}`) : t("room.service", { number });

/** What housekeeping said of the room. */
export const statusName = (number) =>
  STATUSES.includes(number) ? t(`room.status.${number}`) : t("room.status", { number });

/** A wake-up, and while it rings how often it has. */
export function wakeUpName({ at, attempts }) {
  return t(attempts ? "room.wake_up.rings" : "room.wake_up", { at: localMoment(at), attempts });
}
