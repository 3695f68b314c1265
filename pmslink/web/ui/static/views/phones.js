// What the phones of a hotel hear from a link: the delivery of events to the hotel's own program (webhook).

import { call, may, oneAtATime, ofLink } from "../core/api.js";
import { now } from "../core/clock.js";
import { el, icon, setAttribute, setIcon, setText } from "../core/dom.js";
import { linkAddress } from "../core/router.js";
import { moment, precisely, since, t } from "../core/texts.js";
import { askToConfirm } from "../components/dialog.js";
import { button, card, refusalText, visible } from "../components/elements.js";

const LOOKS = { idle: ["good", "good"], delivering: ["wait", "wait"], retrying: ["bad", "bad"] }; // mood, sign
const FACTS = ["url", "backlog", "last_delivered", "last_error", "stuck", "next_at", "skipped"];

/** The tab "Phones" of a link. */
export function view({ name, link }) {
  const webhook = new WebhookCard(name);
  const setUp = el("a", { class: "btn", href: linkAddress(name, "settings", null, { group: "webhook" }), text: t("webhook.set_up") });
  const none = el("section", { class: "card" }, el("div", { class: "in stack" }, el("p", { class: "quiet", text: t("webhook.none") }), may("control") ? setUp : null));
  const element = el("div", { class: "stack phones" }, none, webhook.element);
  let shown = link;

  function show() {
    setAttribute(none, "hidden", shown.webhook !== null);
    webhook.show(shown.webhook);
  }

  function update(kind, data) {
    if (kind === "link") shown = data.link;
    if (kind === "link" || kind === "tick") show();
  }

  show();
  return { element, update };
}

class WebhookCard {
  #name;
  #status = null;
  #sign = icon("off");
  #state = el("span");
  #badge = el("span", { class: "badge" }, this.#sign, this.#state);
  #values = new Map(FACTS.map((key) => [key, el("dd")]));
  #skip = button(t("webhook.skip"), oneAtATime(() => this.#skipEvent()), { class: "btn-s", hidden: true });
  #answer = el("p", { class: "answer small", role: "status", tabindex: "-1" });

  constructor(name) {
    this.#name = name;
    const facts = [...this.#values].map(([key, value]) => el("div", { "data-fact": key }, el("dt", { text: t(`webhook.${key}`) }), value));
    const content = [el("p", {}, this.#badge), el("dl", { class: "facts" }, ...facts), el("p", { class: "row" }, this.#skip), this.#answer];
    this.element = card(t("webhook.title"), el("div", { class: "stack" }, ...content)).element;
    this.element.classList.add("webhook");
  }

  /** Show the status of the webhook of a link; null if it has none. */
  show(status) {
    this.#status = status;
    setAttribute(this.element, "hidden", status === null);
    if (status === null) return;
    const [mood, sign] = LOOKS[status.state];
    setAttribute(this.#badge, "data-mood", mood);
    setIcon(this.#sign, sign);
    setText(this.#state, t(`webhook.state.${status.state}`));
    setAttribute(this.#skip, "hidden", !status.stuck || !may("control"));
    this.#writeFacts(status);
  }

  #writeFacts({ url, backlog, oldest, last_delivered: delivered, last_error: error, stuck, next_at: next, skipped }) {
    const seconds = next ? Math.round((Date.parse(next) - now()) / 1000) : 0;
    this.#write("url", url);
    this.#write("backlog", oldest ? t("webhook.waiting", { count: backlog, age: since(oldest) }) : String(backlog));
    this.#write("last_delivered", delivered && `${moment(delivered)} (${t("ago", { time: since(delivered) })})`);
    setAttribute(this.#values.get("last_delivered"), "title", delivered && precisely(delivered));
    this.#write("last_error", error);
    this.#write("stuck", stuck && describe(stuck));
    this.#write("skipped", skipped ? String(skipped) : "");
    this.#write("next_at", seconds > 0 ? t("webhook.in", { seconds }) : "");
  }

  #write(key, text) {
    const value = this.#values.get(key);
    setText(value, text ?? "");
    setAttribute(value.parentElement, "hidden", !text);
  }

  async #skipEvent() {
    const { stuck } = this.#status;
    const what = { event: describe(stuck) };
    const question = { title: t("webhook.ask.skip.title", what), text: t("webhook.ask.skip"), action: t("webhook.skip") };
    if (!(await askToConfirm(question))) return;
    try {
      const link = await call("POST", ofLink(this.#name, "webhook", "skip"), { seq: stuck.seq });
      this.show(link.webhook);
      this.#say(t("webhook.done.skip", what), false);
    } catch (problem) {
      this.#say(refusalText(problem), true);
    }
    this.#answer.focus({ preventScroll: true }); // the button that was pressed may be gone
  }

  #say(text, isError) {
    setText(this.#answer, text);
    this.#answer.classList.toggle("error", isError);
  }
}

/** An event as a person recognizes it. */
function describe({ seq, type, room }) {
  return room === null ? t("webhook.event", { seq, type }) : t("webhook.event_of_room", { seq, type, room: visible(room) });
}
