// What a row of the outbox says, in the reader's language.

import { duration, localMoment, money, t } from "../core/texts.js";
import { isPosting } from "../core/postings.js";
import { MASK, visible } from "./elements.js";
import { statusName } from "./room_labels.js";

const TYPES = [
  ...["call", "minibar", "charge"],
  ...["status", "dnd", "make_up_room", "voicemail", "wake_up", "wake_up_cancel", "wake_up_result"], // from phones
];

/** Return what a row is about; what would tell of the guest is masked unless it is shown. */
export function whatText(posting, areShown) {
  const guestData = (text) => (areShown ? visible(text) : MASK);
  // a page that stays open over an upgrade may meet other types
  const type = TYPES.includes(posting.type) ? t(`posting.${posting.type}`) : visible(posting.type);
  const subject = posting.dialled ? `${type} ${guestData(posting.dialled)}` : type;
  return [subject, ...details(posting, guestData)].join(" · ");
}

function details(posting, guestData) {
  const found = [];
  if (posting.duration !== undefined) found.push(duration(posting.duration));
  if (posting.article !== undefined) {
    found.push(t("posting.article", { count: posting.count, article: guestData(String(posting.article)) }));
  }
  if (posting.text) found.push(guestData(posting.text));
  if (posting.status !== undefined) found.push(statusName(posting.status));
  if (posting.on !== undefined) found.push(t(posting.on ? "posting.on" : "posting.off"));
  if (posting.unread !== undefined) found.push(t("posting.unread", { unread: posting.unread }));
  if (posting.at) found.push(localMoment(posting.at));
  if (posting.result) found.push(t(`posting.result.${posting.result}`));
  return found;
}

/** Return the amount of a row with the hotel's currency; empty if it has none. */
export function amountText({ amount }, currency) {
  if (amount === undefined || amount === null) return "";
  return currency ? `${currency} ${money(amount)}` : money(amount);
}

const MOODS = { unknown: "bad", refused: "bad", pending: "off", sent: "wait", done: "good", discarded: "off" };

/** Return the mood in which the state of a row is shown. */
export const stateMood = ({ state }) => MOODS[state] ?? "off";

/** Return the word for the state of a row. */
export function stateText(posting) {
  if (posting.state === "done") return t(isPosting(posting) ? "out.ok" : "out.taken");
  return posting.state in MOODS ? t(`out.${posting.state}`) : visible(posting.state);
}

const REASONS = { guest_left: "out.left", local_guest: "out.local", charset: "out.charset" };

/** Return the answer of the PMS, or why there is none. */
export function answerText({ answer, text_answer: text, reason }) {
  if (reason in REASONS) return t(REASONS[reason]);
  return [answer, text].filter(Boolean).map(visible).join(" ");
}
