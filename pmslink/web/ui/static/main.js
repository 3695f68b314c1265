// The page begins here: the session of the reader, the view of the address, and the stream of changes.

import { loadSession, session, signOut, whenDenied } from "./core/api.js";
import { now } from "./core/clock.js";
import { setAttribute } from "./core/dom.js";
import { installKeys } from "./core/keys.js";
import * as links from "./core/links.js";
import * as notices from "./core/notices.js";
import { isShown, noteShown, parseAddress, restoreAddress } from "./core/router.js";
import { Stream } from "./core/stream.js";
import { loadLinkTexts, loadTexts, moment, since, t } from "./core/texts.js";
import { showBell } from "./components/bell.js";
import { markNavigation, showHeader } from "./components/header.js";
import { clearStrips, setStrip } from "./components/strip.js";

const STATUS_INTERVAL_MS = 15_000;
const RETRY_DELAY_MS = 2_000;
const TICK_MS = 1_000;
/** @type {(id: string) => any} */
const $ = (id) => document.getElementById(id);

const VIEWS = {
  links: () => import("./views/links.js"),
  link: async () => (await Promise.all([import("./views/link.js"), loadLinkTexts()]))[0],
  new: () => import("./views/new_link.js"),
  notices: () => import("./views/notices.js"),
  about: () => import("./views/about.js"),
  missing: async () => (await Promise.all([import("./views/missing.js"), loadLinkTexts()]))[0],
};

let view = null;
let address = null; // of the view, as `parseAddress` gives it
let setAside = null; // {draft} of a view that was taken away because its language is another
let reader = null;
let stream = null;
let offline = null; // {since, code}: since when, and the code that the service refuses with, if it does
let version = null; // of the service when the page was loaded
let beginnings = 0;

// The view of the address.

/** Show the view of the address: build it, or give the present one its new parameters. */
async function show() {
  const next = parseAddress(location.hash);
  if (view && !(await mayLeave(next))) return;
  const hash = location.hash;
  noteShown(hash);
  if (view && address.key === next.key && view.change) {
    address = next;
    await view.change(next);
  } else {
    const { view: build } = await VIEWS[next.view]();
    if (location.hash !== hash) return; // the reader has gone on meanwhile
    closeView();
    address = next;
    view = build(next, { showTitle });
    $("main").replaceChildren(view.element);
  }
  markNavigation(next.view);
  showTitle();
}

/** Ask a view with unsaved changes whether it may be left; if not, its address stays. */
async function mayLeave(next) {
  if (!view.mayLeave || (await view.mayLeave(next))) return true;
  restoreAddress();
  return false;
}

function closeView() {
  if (!view) return;
  view.close?.();
  view = null;
  $("main").replaceChildren();
  if ($("dialog").open) $("dialog").close("");
}

function showTitle() {
  const count = notices.openCount();
  const marks = (offline ? `${t("title.offline")} ` : "") + (count ? `(${count}) ` : "");
  const title = `${marks}${view ? view.title() : t("sign.title")} – pmslink`;
  if (document.title !== title) document.title = title;
  const icon = offline ? "off" : links.worstSign();
  setAttribute($("icon"), "href", new URL(`icons/${icon}.svg`, import.meta.url).href);
}

async function chooseLanguage(language) {
  if (!(await changeTexts(language))) return;
  takeAside();
  await bringBack();
  $("language").focus(); // the former one is gone
}

/** Load the texts of another language. Returns whether they are there; if not, the strip says so. */
async function changeTexts(language) {
  try {
    await loadTexts(language);
    return true;
  } catch (problem) {
    setStrip("failed", t("refused", { why: t("error.unreachable"), message: problem.message }));
    return false;
  }
}

/** Take the view away, whose texts are of another language, and keep what was typed into it. */
function takeAside() {
  if (!view) return;
  setAside = { draft: view.draft?.() };
  view.close?.();
  view = null;
}

/** Build frame and view in the present language, with what was typed. */
async function bringBack() {
  const draft = setAside?.draft;
  setAside = null;
  clearStrips();
  header();
  showBell({ onChange: showTitle });
  const status = links.serviceStatus();
  if (status) showStrips(status);
  showOffline();
  await show();
  if (draft) view.restore?.(draft);
}

const header = () => showHeader({ chooseLanguage, signOut: leave, showKeys });

async function showKeys() {
  const { keysDialog } = await import("./components/keys_dialog.js");
  keysDialog();
}

// The session.

/** Find out who the reader is, and show the page; again and again until the service answers. */
async function begin() {
  const mine = ++beginnings;
  stream?.stop();
  stream = null;
  links.clear();
  notices.clear();
  closeView();
  setAside = null;
  while (!(await isReady())) {
    await new Promise((later) => setTimeout(later, RETRY_DELAY_MS));
    if (mine !== beginnings) return;
  }
  if (mine !== beginnings) return;
  online();
  reader = session();
  header();
  if (!reader) return askToSignIn();
  showBell({ onChange: showTitle });
  stream = new Stream("api/v1/stream?snapshot=none", listener);
  stream.run();
  await show();
}

/** Whether the texts and the session are loaded. */
async function isReady() {
  try {
    await Promise.all([loadFirstTexts(), loadSession()]);
    return true;
  } catch (problem) {
    console.info(`the page cannot begin yet: ${problem.message}`);
    if (document.documentElement.dataset.texts === "loaded") listener.onLost();
    return false;
  }
}

async function loadFirstTexts() {
  if (document.documentElement.dataset.texts === "loaded") return;
  await loadTexts();
  document.documentElement.dataset.texts = "loaded";
}

/** Ask over the view, which may be a form that is half filled in. */
async function askToSignIn() {
  if ($("sign-in").open) return; // the reader may be typing
  $("sign-in").showModal();
  await showSignIn();
}

async function showSignIn() {
  const { signInForm } = await import("./views/sign_in.js");
  $("sign-in").replaceChildren(signInForm({ onSignedIn: enter, chooseLanguage: chooseSignInLanguage }));
  if (view) return;
  $("main").replaceChildren();
  showTitle();
}

async function chooseSignInLanguage(language) {
  if (!(await changeTexts(language))) return;
  takeAside();
  await showSignIn();
}

async function enter() {
  $("sign-in").close();
  const { name, role } = session();
  if (reader?.name !== name || reader.role !== role) await begin();
  else {
    if (setAside) await bringBack();
    stream.run();
  }
  $("main").focus({ preventScroll: true });
}

async function leave() {
  if (view?.mayLeave && !(await view.mayLeave(null))) return;
  stream?.stop(); // rather than lose its connection
  try {
    await signOut();
  } catch (problem) {
    if (problem.status !== 401) {
      setStrip("failed", t("sign.still", { message: problem.message }));
      stream?.run();
      return;
    }
  }
  setStrip("failed", "");
  await begin();
}

// Changes.

const listener = {
  async onOpen() {
    online();
    notices.start(true);
    await showStatus();
  },
  onLost(code) {
    if (code) notices.start(false); // the service answers, but has no stream for this page
    offline = { since: offline?.since ?? new Date(now()).toISOString(), code };
    showOffline();
  },
  onDenied() {
    stream?.stop();
    askToSignIn();
  },
  onEvent(kind, data) {
    links.handle(kind, data);
    notices.handle(kind, data);
    view?.update?.(kind, data);
    if (kind === "link") showTitle();
  },
};

function online() {
  offline = null;
  showOffline();
}

function showOffline() {
  document.body.classList.toggle("offline", offline !== null && !offline.code);
  setStrip("refused", offline?.code ? t("stream.refused") : "");
  const time = () => ({ time: since(offline.since), at: moment(offline.since) });
  setStrip("offline", offline && !offline.code ? t("off.strip", time()) : "");
  if (view) showTitle();
}

async function showStatus() {
  try {
    const status = await links.loadStatus();
    version ??= status.version;
    showStrips(status);
    view?.update?.("status", status);
    showTitle();
  } catch (problem) {
    console.info(`the status cannot be loaded: ${problem.message}`); // the strip says already that it is offline
  }
}

function showStrips(status) {
  setStrip("store", status.store.ok ? "" : t("store_fails", { reason: status.store.reason }));
  setStrip("newer", status.version === version ? "" : t("strip.newer", { version: status.version }));
}

function focusSearch() {
  const search = $("search");
  search?.focus();
  return search !== null;
}

addEventListener("hashchange", async () => {
  if (!reader || isShown()) return;
  const before = view;
  await show();
  if (view === before) return;
  $("main").focus({ preventScroll: true });
  scrollTo(0, 0);
});
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address names the view
  $("main").focus();
});
$("sign-in").addEventListener("cancel", (event) => event.preventDefault());
setInterval(() => {
  if (stream && session()) showStatus();
}, STATUS_INTERVAL_MS);
setInterval(() => {
  if (document.hidden) return;
  view?.update?.("tick");
  if (offline) showOffline();
}, TICK_MS);
installKeys({
  "/": focusSearch,
  "g l": () => (location.hash = "#/"),
  "g n": () => (location.hash = "#/notices"),
  "?": showKeys,
});
addEventListener("keydown", (event) => view?.onKey?.(event));
whenDenied(listener.onDenied);

await begin();
