// Where the remedy of a link is: the tab that a person needs for it.

import { may } from "./api.js";
import { explanation } from "./health.js";
import { linkAddress } from "./router.js";

const IN_SETTINGS = [
  "refused",
  "no_way",
  "unresolved",
  "unanswered_lookup",
  "dial_timeout",
  "other_caller",
  "never_confirmed",
  "never_confirmed_alive",
  "mirror",
  "unreadable_crlf",
  "unreadable_stx_etx",
  "unreadable_tls",
  "unreadable_http",
  "unreadable_service",
  "unreadable_other",
  "no_tls",
  "no_handshake",
  "in_use",
  "port_taken",
  "lost_description",
  "lost_record",
  "overlong",
  "expired",
];

/** Tabs by the code of what explains a link: `[tab, room, query]`. */
const PLACES = {
  doubt: () => ["outbox"],
  wake_up: ({ failed_wake_ups: { last_room } }) => ["rooms", last_room],
  by_hand: () => ["rooms"],
  held: ({ held }) => (held.by === "local" ? ["rooms"] : null),
  not_understood: () => ["records", null, { odd: "1" }],
  unstable: ({ outages: { last_cause } }) => UNSTABLE_PLACES[last_cause] ?? ["history"],
};
const UNSTABLE_PLACES = { no_answer: ["settings"], lost: [], displaced: [] };

/** The address of the tab where the remedy of a link is; null if it is not on this page, or not for the reader. */
export function remedyAddress(link) {
  const [tab, room, query] = placeOf(link) ?? [];
  const isMine = tab !== undefined && (!["history", "records"].includes(tab) || may(tab));
  return isMine ? linkAddress(link.name, tab, room ?? null, query) : null;
}

function placeOf(link) {
  const { code, hint } = explanation(link);
  if (hint) return ["settings", null, { hint: hint.params.setting && hint.code }];
  if (code === "lost_record" && link.hints.some((one) => one.code === "records")) return ["settings", null, { hint: "records" }];
  return IN_SETTINGS.includes(code) ? ["settings"] : PLACES[code]?.(link);
}
