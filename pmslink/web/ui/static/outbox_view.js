// What one link has to tell the PMS, and what became of it; a person decides on what is in doubt.

import { call, mayControl, oneAtATime, ofLink } from "./former_api.js";
import { confirmed } from "./dialog.js";
import { el, setText } from "./core/dom.js";
import { watch } from "./link_model.js";
import { button, choice, refusal, table, visible, when } from "./common_elements.js";
import { statusName } from "./room_labels.js";
import { duration, localMoment, money, t } from "./core/texts.js";

const AT_ONCE = 50;
const MOST = 1000; // rows that are kept on the page
const STATES = ["", "pending", "sent", "unknown", "refused", "done", "discarded"];
const TYPES = [
  ...["call", "minibar", "charge"],
  ...["status", "dnd", "make_up_room", "voicemail", "wake_up", "wake_up_cancel", "wake_up_result"], // from phones
];
const REASONS = ["guest_left", "local_guest", "pms", "charset", "unanswered", "restored"];
const FIT = { resend: ["unknown", "refused"], discard: ["unknown", "refused", "pending"] };

/** The section of the link of this name. */
export function outbox(name) {
  const rows = new Map(); // by id
  let oldest = Infinity; // what is older is not asked for yet: told of, it has no place
  const told = new Map(); // by id, those that the stream told of since they were asked for
  const state = choice(t("outbox.state"), STATES, (one) => t(`outbox.state.${one || "all"}`), again);
  const body = el("tbody");
  const heads = ["number", "what", "state", "attempts", "created", "answer", "decide"];
  const empty = el("p", { class: "empty", text: t("outbox.nothing") });
  const more = button(t("outbox.more"), oneAtATime(load), { hidden: true });
  const answer = el("p", { class: "answer", role: "status", tabindex: "-1" });
  const element = el(
    "section",
    { class: "outbox" },
    el("h2", { text: t("outbox.title") }),
    el("div", { class: "bar" }, state),
    answer,
    table(t("outbox.title"), heads.map((key) => t(`outbox.${key}`)), body),
    empty,
    more,
  );

  async function load() {
    const asked = new URLSearchParams({ limit: AT_ONCE });
    told.clear();
    if (state.value) asked.set("state", state.value);
    if (oldest < Infinity) asked.set("before", oldest);
    const wanted = state.value;
    try {
      const { postings } = await call("GET", ofLink(name, `postings?${asked}`));
      if (wanted !== state.value) return; // another filter was chosen meanwhile
      oldest = postings.length < AT_ONCE ? 0 : postings.at(-1).id;
      const found = new Map(postings.map((posting) => [posting.id, posting]));
      for (const posting of new Map([...found, ...told]).values()) show(posting); // the stream knows better
      more.hidden = oldest === 0;
    } catch (problem) {
      refused(problem);
    }
    empty.hidden = rows.size > 0;
  }

  function again() {
    rows.clear();
    body.replaceChildren();
    oldest = Infinity;
    load();
  }

  function show(posting) {
    const old = rows.get(posting.id);
    if (!old && posting.id < oldest) return;
    if (state.value && posting.state !== state.value) {
      old?.remove();
      rows.delete(posting.id);
      empty.hidden = rows.size > 0;
      return;
    }
    const made = row(posting);
    if (old) old.replaceWith(made);
    else body.insertBefore(made, [...body.rows].find((one) => Number(one.dataset.id) < posting.id) ?? null);
    rows.set(posting.id, made);
    if (rows.size > MOST) dropOldest();
    empty.hidden = true;
  }

  function dropOldest() {
    const last = [...body.rows].at(-1);
    rows.delete(Number(last.dataset.id));
    last.remove();
    oldest = Number([...body.rows].at(-1).dataset.id);
    more.hidden = false;
  }

  function row(posting) {
    const decisions = Object.keys(FIT).filter((decision) => FIT[decision].includes(posting.state));
    const buttons = decisions.map((decision) => {
      const props = { "data-decision": decision, disabled: !mayControl() };
      return button(t(`outbox.${decision}`), oneAtATime(() => decide(posting, decision)), props);
    });
    const cells = [
      String(posting.number ?? "–"),
      [described(posting), quiet(whoseAndWhere(posting))],
      [t(`outbox.state.${posting.state}`), quiet(reasonOf(posting))],
      String(posting.attempts),
      when(posting.created),
      [posting.answer, posting.text_answer].filter(Boolean).join(" "),
      el("span", { class: "buttons" }, ...buttons),
    ];
    const props = { "data-id": posting.id, "data-state": posting.state };
    return el("tr", props, ...cells.map((cell) => el("td", {}, ...[cell].flat())));
  }

  async function decide(posting, decision) {
    const what = { what: described(posting) };
    if (decision === "discard" && !(await confirmed(t("outbox.ask.discard", what), t("outbox.discard")))) return;
    try {
      await call("POST", ofLink(name, "postings", posting.id, decision)); // the stream tells what becomes of it
      setText(answer, t(`outbox.done.${decision}`, what));
      answer.classList.remove("error");
    } catch (problem) {
      refused(problem);
    }
    answer.focus({ preventScroll: true }); // the button that was pressed is going
  }

  function refused(problem) {
    setText(answer, refusal(problem));
    answer.classList.add("error");
  }

  const close = watch((kind, event) => {
    if (kind === "posting" && event.link === name) {
      told.set(event.posting.id, event.posting);
      show(event.posting);
    }
    if (kind === "forgotten") again(); // what happened before the stream began again was not told
  });
  load();
  return { element, close };
}

/** A second line in a cell; null if there is nothing to say in it. */
const quiet = (text) => (text ? el("p", { class: "quiet", text }) : null);

/** The guest's reservation, and the room that a posting went to if the guest has moved. */
function whoseAndWhere({ room, room_sent: sentTo, reservation }) {
  const parts = [];
  if (sentTo && sentTo !== room) parts.push(t("posting.room_sent", { room: visible(sentTo) }));
  if (reservation) parts.push(t("posting.reservation", { reservation: visible(reservation) }));
  return parts.join(" · ");
}

/** Why a posting is refused or in doubt. */
const reasonOf = ({ reason }) => (REASONS.includes(reason) ? t(`posting.reason.${reason}`) : (reason ?? ""));

function described(posting) {
  // a page that stays open over an upgrade may meet others
  const type = TYPES.includes(posting.type) ? t(`posting.${posting.type}`) : posting.type;
  const parts = [type, t("posting.room", posting)];
  if (posting.dialled) parts.push(posting.dialled);
  if (posting.duration !== undefined) parts.push(duration(posting.duration));
  if (posting.article !== undefined) parts.push(t("posting.article", posting));
  if (posting.amount !== undefined && posting.amount !== null) parts.push(money(posting.amount));
  if (posting.text) parts.push(posting.text);
  if (posting.status !== undefined) parts.push(statusName(posting.status));
  if (posting.on !== undefined) parts.push(t(posting.on ? "posting.on" : "posting.off"));
  if (posting.unread !== undefined) parts.push(t("posting.unread", posting));
  if (posting.at) parts.push(localMoment(posting.at));
  if (posting.result) parts.push(t(`posting.result.${posting.result}`));
  return parts.join(" · ");
}
