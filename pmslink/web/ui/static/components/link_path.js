// Where a link stops on the way to its PMS: the steps, with what was seen at each.

import { setAttribute, setText } from "../core/dom.js";
import { address, detailText, failureOf } from "../core/health.js";
import { linkSteps } from "../core/link_steps.js";
import { decimal, has, moment, t } from "../core/texts.js";
import { card } from "./elements.js";
import { stepList } from "./steps.js";

const RECORD_ID_CHARS = 2;

/** The card with the steps of a link: `{element, show(link)}`. It is not there while the link is not wanted. */
export function linkPath() {
  const list = stepList("path");
  const { element, heading } = card("", list.element);

  function show(link) {
    const steps = linkSteps(link);
    setAttribute(element, "hidden", steps.length === 0);
    setText(heading, t(link.in_sync ? "path.title_good" : "path.title"));
    list.show(steps.map((step) => ({ ...step, title: t(`path.${step.key}`), note: noteOf(step, link) })));
  }

  return { element, show };
}

function noteOf({ key, state }, link) {
  if (state === "ahead") return t("path.not");
  if (state === "waiting") return "…";
  if (state === "failed") return networkWords(failureOf(link));
  return SEEN[key](link);
}

const SEEN = {
  resolve: ({ host }) => host,
  connect: (link) => (link.settings.connect === "accept" ? t("path.called") : address(link)),
  start: ({ state, since }) => (state === "ESTABLISHED" ? t("path.started", { at: moment(since) }) : "LS"),
  describe: ({ declared_records: { length } }) => (length ? `LD, ${length} × LR` : "LD, LR"),
  confirm: ({ alive }) =>
    alive.round_trip_ms === null ? "LA" : t("path.confirmed", { ms: decimal(alive.round_trip_ms) }),
};

/** What the network or the PMS said, as shortly as it was said. */
function networkWords({ code, params }) {
  if (params.detail) return detailText(params.detail);
  const known = [params.variant, code].find((one) => has(`failure.${one}`));
  return known ? t(`failure.${known}`, { record: params.seen?.slice(0, RECORD_ID_CHARS) }) : code;
}
