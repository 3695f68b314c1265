// The frame around the tabs of one link: its name, what a person may do with it, the verdict, and the tab itself.

import { may } from "../core/api.js";
import { el, setText } from "../core/dom.js";
import { endpoint, words } from "../core/health.js";
import { isShortcut } from "../core/keys.js";
import { getLink, loadLink } from "../core/links.js";
import { linkAddress, TABS } from "../core/router.js";
import { t } from "../core/texts.js";
import { loadFailure, refusalText } from "../components/elements.js";
import { linkActions } from "../components/link_actions.js";
import { tabBar } from "../components/tabs.js";
import { verdictBox } from "../components/verdict.js";

const VIEWS = {
  overview: () => import("./overview.js"),
  rooms: () => import("./rooms.js"),
  outbox: () => import("./outbox.js"),
  history: () => import("./history.js"),
  records: () => import("./records.js"),
  phones: () => import("./phones.js"),
  settings: () => import("./settings.js"),
};

const GATHER_MS = 500; // what several events change is loaded once
const POLL_OVERVIEW_MS = 2_000; // the stream has neither link checks nor counts of the outbox
const POLL_MS = 10_000;

/** The view of one link. `page.showTitle()` is called when its title changes. */
export function view(params, page) {
  const frame = new LinkFrame(params, page);
  const shown = frame.begin();
  return {
    element: frame.element,
    shown,
    title: () => frame.title(),
    change: (next) => frame.change(next),
    update: (kind, data) => frame.update(kind, data),
    close: () => frame.close(),
    draft: () => ({ tab: frame.params.tab, draft: frame.tab?.draft?.() }),
    restore: (draft) => frame.restore(draft),
    mayLeave: (next) => frame.mayLeave(next),
    onKey: (event) => frame.onKey(event),
  };
}

class LinkFrame {
  #name;
  #page;
  #link;
  #isClosed = false;
  #isMissing = false;
  #isUnknown = false; // there is no such link: only an event can bring it
  #mountedTab = null;
  #mounts = 0; // a tab whose module arrives after the reader has gone on is not shown
  #changes = 0; // of the link: an answer that was requested before is older
  #loadedAt = 0;
  #gathering = null;
  #pendingDraft = null;
  #address = el("span", { class: "quiet" });
  #actions;
  #verdict;
  #tabs;
  #place = el("div", { class: "tab" });

  constructor(params, page) {
    this.params = params;
    this.tab = null;
    this.element = el("div", { class: "stack link" });
    this.#name = params.name;
    this.#page = page;
    this.#link = getLink(params.name);
    this.#actions = linkActions(this.#name);
    this.#verdict = verdictBox({ enable: () => this.#actions.enable() });
    this.#tabs = tabBar(this.#name);
  }

  async begin() {
    if (this.#link) this.#open();
    else this.element.replaceChildren(...this.#head(), el("p", { class: "quiet", "aria-busy": "true", text: t("state.starting") }));
    await this.#load();
  }

  #head(buttons = null) {
    const place = [el("a", { href: "#/", text: t("nav.links") }), el("span", { "aria-hidden": "true", text: "/" })];
    const crumbs = el("nav", { class: "crumbs", "aria-label": t("link.crumbs") }, ...place, el("span", { text: this.#name }));
    const who = el("div", { class: "who" }, el("h1", { text: this.#name }), this.#address);
    return [el("div", {}, crumbs, el("div", { class: "title" }, who, buttons))];
  }

  /** Build the frame, once the link is known. */
  #open() {
    this.#isMissing = false;
    const parts = [this.#actions.answer, this.#verdict.element, this.#tabs.element, this.#place];
    this.element.replaceChildren(...this.#head(this.#actions.buttons), ...parts);
    this.#write();
    this.#mount();
  }

  #write() {
    const link = this.#link;
    setText(this.#address, `${endpoint(link)} · ${t(`profile.${link.profile}`)}`);
    this.#actions.show(link);
    this.#verdict.show(link, this.params.tab !== "overview");
    this.#tabs.show(tabsOf(link), this.params.tab);
  }

  async #mount() {
    const mount = ++this.#mounts;
    const { tab } = this.params;
    let module = null;
    let problem = null;
    try {
      module = await VIEWS[tab]();
    } catch (error) {
      problem = error;
    }
    if (this.#isClosed || this.#isMissing || mount !== this.#mounts) return;
    this.tab?.close?.();
    this.tab = null;
    this.#scrollUp(tab);
    if (problem) return this.#showFailure(problem);
    const { room = null, query } = this.params;
    this.tab = module.view({ name: this.#name, link: this.#link, room, query });
    this.#place.replaceChildren(this.tab.element);
    this.#restorePending();
    return this.#page.showTitle();
  }

  /** Begin another tab at its beginning, unless that is in sight. */
  #scrollUp(tab) {
    if (this.#mountedTab !== null && tab !== this.#mountedTab && this.#tabs.element.getBoundingClientRect().top < 0) scrollTo(0, 0);
    this.#mountedTab = tab;
  }

  /** Say that the module of a tab cannot be loaded. */
  #showFailure({ message }) {
    const text = t("refused", { why: t("error.unreachable"), message });
    this.#place.replaceChildren(loadFailure(text, () => this.#mount()));
    this.#page.showTitle();
  }

  // The link.

  async #load() {
    const before = ++this.#changes;
    this.#loadedAt = Date.now();
    try {
      const link = await loadLink(this.#name);
      if (!this.#isClosed && before === this.#changes) this.#receive(link, null);
    } catch (problem) {
      if (this.#isClosed) return;
      if (problem.code === "unknown_link" || !this.#link) this.#showMissing(problem);
    }
  }

  #receive(link, transition) {
    const isFirst = !this.#link || this.#isMissing;
    const before = isFirst ? null : words(this.#link);
    this.#link = link;
    if (isFirst) return this.#open();
    this.#write();
    this.tab?.update?.("link", { link, transition });
    if (words(link) !== before) this.#page.showTitle();
    return undefined;
  }

  #showMissing(problem) {
    this.#isMissing = true;
    this.#isUnknown = problem.code === "unknown_link";
    this.tab?.close?.();
    this.tab = null;
    const text = this.#isUnknown ? t("link.missing") : refusalText(problem);
    const back = el("a", { class: "btn", href: "#/", text: t("link.to_all") });
    setText(this.#address, "");
    this.element.replaceChildren(...this.#head(), el("p", { class: "missing", text }), el("p", {}, back));
    this.#page.showTitle();
  }

  #loadSoon() {
    this.#gathering ??= setTimeout(() => {
      this.#gathering = null;
      this.#load();
    }, GATHER_MS);
  }

  #tick() {
    const isShown = this.#link && !this.#isMissing;
    if (isShown) {
      this.#write();
      this.tab?.update?.("tick");
    } else if (!this.#isMissing || this.#isUnknown) return; // it is being loaded, or there is none
    const interval = isShown && this.params.tab === "overview" ? POLL_OVERVIEW_MS : POLL_MS;
    if (Date.now() - this.#loadedAt >= interval) this.#load();
  }

  // What the frame of the page calls.

  title() {
    const { tab } = this.params;
    if (!this.#link || this.#isMissing) return this.#name;
    if (tab === "overview") return t("link.title", { name: this.#name, words: inSentence(words(this.#link)) });
    return this.tab?.title?.() ?? t("link.title_of_tab", { name: this.#name, tab: t(`tab.${tab}`) });
  }

  change(next) {
    const isSameTab = next.tab === this.params.tab;
    this.params = next;
    if (!this.#link || this.#isMissing) return undefined;
    this.#write();
    const { room = null, query } = next;
    if (isSameTab && this.tab?.change) return this.tab.change({ room, query });
    return this.#mount();
  }

  update(kind, data) {
    if (kind === "tick") return this.#tick();
    const name = kind === "link" ? data.link.name : data?.link;
    if (name !== this.#name && (kind === "link" || kind === "posting" || kind === "event")) return undefined;
    if (kind === "link") {
      this.#changes += 1;
      return this.#receive(data.link, data.transition);
    }
    if (["posting", "event", "reset"].includes(kind)) this.#loadSoon();
    return this.tab?.update?.(kind, data);
  }

  mayLeave(next) {
    const isStaying = next !== null && next.name === this.#name && next.tab === this.params.tab && next.view === "link";
    return isStaying || (this.tab?.mayLeave?.(next) ?? true);
  }

  onKey(event) {
    const tab = TABS[Number(event.key) - 1];
    if (!tab || this.#isMissing || !isShortcut(event)) return this.tab?.onKey?.(event);
    if (!mayOpen(tab, this.#link)) return undefined;
    event.preventDefault();
    location.hash = linkAddress(this.#name, tab);
    return undefined;
  }

  restore(draft) {
    this.#pendingDraft = draft.tab === this.params.tab ? draft.draft : null;
    this.#restorePending();
  }

  #restorePending() {
    if (!this.tab || !this.#pendingDraft) return;
    this.tab.restore?.(this.#pendingDraft);
    this.#pendingDraft = null;
  }

  close() {
    this.#isClosed = true;
    clearTimeout(this.#gathering);
    this.tab?.close?.();
  }
}

/** The words of a state inside a sentence: "link down", but "PMS …". */
const inSentence = (text) => (/^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text);

/** Whether the reader may open a tab of a link, which may not be loaded yet. */
function mayOpen(tab, link) {
  if (tab === "history" || tab === "records") return may(tab);
  return tab !== "phones" || Boolean(link?.webhook) || may("control");
}

/** The tabs of a link that the reader may open, with their counts. */
function tabsOf(link) {
  const pills = { outbox: outboxPills(link), records: recordPills(link) };
  return TABS.filter((tab) => mayOpen(tab, link)).map((key) => ({ key, pills: pills[key] ?? [] }));
}

function outboxPills({ outbox: { pending, unknown, refused } }) {
  const toDecide = unknown + refused;
  const waiting = { key: "waiting", count: pending, mood: "off", label: t("tab.waiting_n", { count: pending }) };
  const decide = { key: "decide", count: toDecide, mood: "bad", label: t("tab.decide_n", { count: toDecide }) };
  return [waiting, decide].filter(({ count }) => count > 0);
}

function recordPills({ not_understood: { records } }) {
  return records ? [{ key: "odd", count: records, mood: "wait", label: t("tab.odd_n", { count: records }) }] : [];
}
