// The frame around the views: header, bell, strips, shortcuts, and the stream of changes.
//
// It is loaded once the first view has its rows: on a slow line, they come some seconds earlier without it.

import { session } from "./core/api.js";
import { now } from "./core/clock.js";
import { installKeys } from "./core/keys.js";
import * as links from "./core/links.js";
import * as notices from "./core/notices.js";
import { Stream } from "./core/stream.js";
import { moment, since, t } from "./core/texts.js";
import { showBell } from "./components/bell.js";
import { markNavigation, showHeader } from "./components/header.js";
import { clearStrips, setStrip } from "./components/strip.js";

const STATUS_INTERVAL_MS = 15_000;
const TICK_MS = 1_000;

/**
 * The frame of a page, which gives it: `view()`, the view that is shown; `viewName()`; `showTitle()`;
 * `loadStatus()`; `isOutdated()`, whether the service has other files by now; `askToSignIn()`;
 * `chooseLanguage(code)` and `signOut()`.
 */
export class Frame {
  #page;
  #stream = null;
  #offline = null; // {since, code}: since when, and the code that the service refuses with, if it does
  #version = null; // of the service when the page was loaded
  #isOutdated = false; // a file of the page was not there any more

  constructor(page) {
    this.#page = page;
    setInterval(() => this.#stream && session() && page.loadStatus(), STATUS_INTERVAL_MS);
    setInterval(() => this.#offline && !document.hidden && this.#showOffline(), TICK_MS);
    addEventListener("unhandledrejection", () => this.checkFiles());
    installKeys({
      "/": focusSearch,
      "g l": () => (location.hash = "#/"),
      "g n": () => (location.hash = "#/notices"),
      "?": showKeys,
    });
    addEventListener("keydown", (event) => page.view()?.onKey?.(event)); // of what is no shortcut of the page
  }

  /** Show the header, and for a reader who is signed in what the stream tells from now on. */
  begin() {
    this.#setOnline();
    this.#showHeader();
    if (!session()) return;
    this.#stream = new Stream("api/v1/stream?snapshot=none", this);
    this.#stream.run();
  }

  /** Forget the reader. */
  end() {
    this.pause();
    this.#stream = null;
    notices.clear();
  }

  /** Leave the stream until `resume`. */
  pause() {
    this.#stream?.stop();
  }

  /** Go on with the stream, of a reader who has signed in again. */
  resume() {
    if (this.#stream) this.#stream.run();
    else this.begin();
  }

  /** Build everything anew, in another language. */
  redraw() {
    clearStrips();
    this.#showHeader();
    const status = links.serviceStatus();
    if (status) this.showStatus(status);
    this.#showOffline();
  }

  /** Say what a request of the reader failed of; "" says nothing any more. */
  showFailure(text) {
    setStrip("failed", text);
  }

  /** What the title of the document has before that of the view. */
  titleMarks() {
    const count = notices.openCount();
    return (this.#offline ? `${t("title.offline")} ` : "") + (count ? `(${count}) ` : "");
  }

  /** The sign of the tab. */
  sign() {
    return this.#offline ? "off" : links.worstSign();
  }

  markNavigation() {
    markNavigation(this.#page.viewName());
  }

  #showHeader() {
    const { chooseLanguage, signOut } = this.#page;
    showHeader({ chooseLanguage, signOut, showKeys });
    if (session()) showBell({ onChange: this.#page.showTitle });
    this.markNavigation();
  }

  // What is the matter.

  /** Show what the status of the service says about its store and its version. */
  showStatus(status) {
    this.#version ??= status.version;
    const isNewer = this.#isOutdated || status.version !== this.#version;
    setStrip("store", status.store.ok ? "" : t("store_fails", { reason: status.store.reason }));
    setStrip("newer", isNewer ? t("strip.newer", { version: status.version }) : "");
  }

  /** After something could not be loaded: if the service has other files since an update, say so. */
  async checkFiles() {
    if (this.#isOutdated || !(await this.#page.isOutdated())) return;
    this.#isOutdated = true;
    await this.#page.loadStatus();
  }

  #setOnline() {
    this.#offline = null;
    this.#showOffline();
  }

  #showOffline() {
    const offline = this.#offline;
    document.body.classList.toggle("offline", offline !== null && !offline.code);
    setStrip("refused", offline?.code ? t("stream.refused") : "");
    const time = () => ({ time: since(offline.since), at: moment(offline.since) });
    setStrip("offline", offline && !offline.code ? t("off.strip", time()) : "");
    if (this.#page.view()) this.#page.showTitle();
  }

  // What the stream calls.

  onOpen(since) {
    document.documentElement.dataset.stream = "open";
    this.#setOnline();
    notices.onStream(since);
    return this.#page.loadStatus();
  }

  onLost(code) {
    document.documentElement.dataset.stream = "lost";
    if (code) notices.start(false); // the service answers, but has no stream for this page
    this.#offline = { since: this.#offline?.since ?? new Date(now()).toISOString(), code };
    this.#showOffline();
  }

  onDenied() {
    this.#page.askToSignIn();
  }

  onEvent(kind, data) {
    links.handle(kind, data);
    notices.handle(kind, data);
    this.#page.view()?.update?.(kind, data);
    if (kind === "link") this.#page.showTitle();
  }
}

async function showKeys() {
  const { keysDialog } = await import("./components/keys_dialog.js");
  keysDialog();
}

function focusSearch() {
  const search = document.getElementById("search");
  search?.focus();
  return search !== null;
}
