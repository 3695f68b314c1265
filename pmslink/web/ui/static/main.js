// The page begins here: the session of the reader, the view of the address, and then the frame around it.

import { loadSession, session, signOut, whenDenied } from "./core/api.js";
import { setAttribute } from "./core/dom.js";
import * as links from "./core/links.js";
import { isShown, noteShown, parseAddress, restoreAddress } from "./core/router.js";
import { loadLinkTexts, loadTexts, t } from "./core/texts.js";

const RETRY_DELAY_MS = 2_000;
const FIRST_ROWS_MS = 3_000; // for which the frame waits for the first rows, once the view is there
const TICK_MS = 1_000;
/** @type {(id: string) => any} */
const $ = (id) => document.getElementById(id);
const later = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

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
let frame = null; // null until it is loaded
let frameLoading = null;
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
  frame?.markNavigation();
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
  const title = `${frame?.titleMarks() ?? ""}${view ? view.title() : t("sign.title")} – pmslink`;
  if (document.title !== title) document.title = title;
  const sign = frame?.sign() ?? links.worstSign();
  setAttribute($("icon"), "href", new URL(`icons/${sign}.svg`, import.meta.url).href);
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
    frame?.showFailure(t("refused", { why: t("error.unreachable"), message: problem.message }));
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
  frame?.redraw();
  await show();
  if (draft) view.restore?.(draft);
}

// The session.

/** Find out who the reader is, and show the page; again and again until the service answers. */
async function begin() {
  const mine = ++beginnings;
  frame?.end();
  links.clear();
  closeView();
  setAside = null;
  while (!(await isReady())) {
    await later(RETRY_DELAY_MS);
    if (mine !== beginnings) return;
  }
  if (mine !== beginnings) return;
  reader = session();
  let failure = null;
  if (reader) await showFirstRows().catch((problem) => (failure = problem));
  while (!(await loadFrame())) await later(RETRY_DELAY_MS);
  if (mine !== beginnings) return;
  frame.begin();
  if (failure) throw failure; // the frame looks into it
  if (!reader) await askToSignIn();
}

/** Show the view of the address, and wait a while for its rows. */
async function showFirstRows() {
  loadStatus();
  await show();
  await Promise.race([view?.shown, later(FIRST_ROWS_MS)]);
}

/** Whether the texts and the session are loaded. */
async function isReady() {
  try {
    await Promise.all([loadFirstTexts(), loadSession()]);
    return true;
  } catch (problem) {
    console.info(`the page cannot begin yet: ${problem.message}`);
    if (document.documentElement.dataset.texts === "loaded" && (await loadFrame())) frame.onLost();
    return false;
  }
}

async function loadFirstTexts() {
  if (document.documentElement.dataset.texts === "loaded") return;
  await loadTexts();
  document.documentElement.dataset.texts = "loaded";
}

/** Load the frame, once. Returns whether it is loaded; if the service has other files by now, the page is loaded anew. */
async function loadFrame() {
  try {
    const { Frame } = await (frameLoading ??= import("./frame.js"));
    const actions = { showTitle, loadStatus, isOutdated, askToSignIn, chooseLanguage, signOut: leave };
    frame ??= new Frame({ view: () => view, viewName: () => address?.view, ...actions });
    return true;
  } catch (problem) {
    console.info(`the frame of the page cannot be loaded: ${problem.message}`);
    frameLoading = null;
    if (await isOutdated()) location.reload();
    return false;
  }
}

/** Whether the service has no such files of the page any more, as after an update. */
async function isOutdated() {
  try {
    return (await fetch(import.meta.url, { cache: "no-store" })).status === 404;
  } catch {
    return false; // it does not answer
  }
}

/** Ask over the view, which may be a form that is half filled in. */
async function askToSignIn() {
  frame?.pause();
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
    frame?.resume();
  }
  $("main").focus({ preventScroll: true });
}

async function leave() {
  if (view?.mayLeave && !(await view.mayLeave(null))) return;
  frame.pause(); // rather than lose its connection
  try {
    await signOut();
  } catch (problem) {
    if (problem.status !== 401) {
      frame.showFailure(t("sign.still", { message: problem.message }));
      frame.resume();
      return;
    }
  }
  frame.showFailure("");
  await begin();
}

async function loadStatus() {
  try {
    const status = await links.loadStatus();
    frame?.showStatus(status);
    view?.update?.("status", status);
    showTitle();
  } catch (problem) {
    console.info(`the status cannot be loaded: ${problem.message}`); // the strip says already that it is offline
  }
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
  if (!document.hidden) view?.update?.("tick");
}, TICK_MS);
whenDenied(askToSignIn);

begin();
