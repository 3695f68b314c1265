// The outbox of a link in two lines: what is in it, and why it waits.

import { el, setAttribute, setText } from "../core/dom.js";
import { doubt, heldText } from "../core/health.js";
import { since, t } from "../core/texts.js";

/** The summary: `{element, show(link)}`. */
export function outboxSummary() {
  const waiting = el("span");
  const unknown = el("span", { class: "pill", "data-mood": "bad" });
  const refused = el("span", { class: "pill", "data-mood": "bad" });
  const note = el("p", { class: "quiet small" });
  const element = el("div", { class: "outbox-summary" }, el("p", { class: "row" }, waiting, unknown, refused), note);

  function show(link) {
    const { outbox } = link;
    const count = (part, key) => {
      setText(part, t(`outbox.${key}_n`, { count: outbox[key] }));
      setAttribute(part, "hidden", !outbox[key]);
    };
    count(unknown, "unknown");
    count(refused, "refused");
    const isEmpty = !outbox.pending && !outbox.unknown && !outbox.refused;
    setText(waiting, isEmpty ? t("outbox.empty") : t("outbox.waiting_n", { count: outbox.pending }));
    setAttribute(waiting, "class", isEmpty ? "quiet" : null);
    setAttribute(waiting, "hidden", !isEmpty && !outbox.pending);
    setText(note, noteOf(link));
    setAttribute(note, "hidden", !note.textContent);
  }

  return { element, show };
}

/** What to do about the outbox, or why it waits and for how long it has. */
function noteOf(link) {
  const { outbox } = link;
  if (outbox.unknown || outbox.refused) return doubt(outbox).remedy;
  const reason = heldText(link);
  if (!outbox.pending || outbox.oldest === null) return reason;
  return [reason, t("outbox.oldest", { age: since(outbox.oldest) })].filter(Boolean).join(t("sentence.joint"));
}
