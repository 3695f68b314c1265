// The page begins here: who is there, what is shown, and what the stream tells.

import { findSession, mayControl, signedIn, signOut, whenDenied } from "./calls.js";
import { el, setAttribute, setText } from "./dom.js";
import { formView } from "./form.js";
import { linkView } from "./link.js";
import { listView } from "./list.js";
import * as model from "./model.js";
import { signInView } from "./signin.js";
import { Stream } from "./stream.js";
import { chosenLanguage, languages, loadTexts, moment, t } from "./texts.js";
import { Toasts } from "./toasts.js";

const STATUS_INTERVAL = 15_000; // milliseconds
const RETRY = 2_000;
const GATHER = 500; // what several postings changed is asked for once
const $ = (id) => document.getElementById(id);
const toasts = new Toasts($("toasts"));
const notices = { offline: notice("offline"), store: notice("store"), version: notice("version") };

let view = null;
let stream = null;
let offlineSince = null;

function notice(kind) {
  const element = el("p", { class: `notice ${kind}`, hidden: true });
  $("notices").append(element);
  return (text) => {
    element.hidden = !text;
    setText(element, text);
  };
}

// What is shown: by what stands behind "#" in the address.

const ROUTES = [
  [/^#\/links\/([^/]+)$/, (name) => linkView(name)],
  [/^#\/links\/([^/]+)\/settings$/, (name) => formView(name)],
  [/^#\/new$/, () => formView(null)],
  [/^/, () => listView()],
];

function viewOf(hash) {
  if (!signedIn()) return signInView(begin);
  for (const [pattern, made] of ROUTES) {
    const match = hash.match(pattern);
    if (match) return made(...match.slice(1).map(decodeURIComponent));
  }
}

function show() {
  view?.close?.();
  view = viewOf(location.hash);
  $("main").replaceChildren(view.element);
  showHeader();
}

function showHeader() {
  const who = signedIn();
  const language = el("select", { id: "language", "aria-label": t("header.language"), onchange: (event) => speak(event.target.value) });
  for (const [code, name] of languages()) {
    language.append(el("option", { value: code, lang: code, selected: code === chosenLanguage(), text: name }));
  }
  const signedAs = who?.tokens ? el("span", { class: "who", text: t("header.who", { name: who.name, role: t(`role.${who.role}`) }) }) : null;
  const out = who?.tokens ? el("button", { id: "sign-out", text: t("header.sign_out"), onclick: leave }) : null;
  $("header").replaceChildren(el("a", { class: "brand", href: "#/", text: "pmslink" }), el("div", { class: "right" }, signedAs, out, language));
  setText(document.querySelector(".skip"), t("header.skip"));
  document.body.classList.toggle("may-control", mayControl());
}

async function speak(language) {
  await loadTexts(language);
  toasts.clear();
  show();
  showWorst();
  showOffline();
  $("language").focus(); // it was there, and is another one now
}

async function leave() {
  await signOut();
  await begin();
}

// What happens.

const listener = {
  async up() {
    offlineSince = null;
    showOffline();
    await showStatus();
  },
  down() {
    offlineSince ??= new Date().toISOString();
    showOffline();
  },
  denied: () => begin(),
  happened(kind, told) {
    model.happened(kind, told);
    if (kind === "reset") showStatus();
    if (kind === "posting") refreshSoon(told.link);
    if (kind === "link") {
      showWorst();
      if (told.transition?.from) toasts.show(told.link, told.transition);
      else toasts.colour(told.link);
    }
  },
};

const changed = new Set();

function refreshSoon(name) {
  if (changed.size === 0) setTimeout(() => [...changed].forEach(refresh), GATHER);
  changed.add(name);
}

async function refresh(name) {
  changed.delete(name);
  try {
    await model.refresh(name);
  } catch (error) {
    console.info(`how ${name ?? "all links"} are is not known: ${error.message}`);
  }
}

function showOffline() {
  document.body.classList.toggle("offline", offlineSince !== null);
  notices.offline(offlineSince && t("offline", { since: moment(offlineSince) }));
  showWorst();
}

async function showStatus() {
  try {
    const { store, version } = await model.forgetIfEmpty();
    notices.store(store.ok ? "" : t("store_fails", { reason: store.reason }));
    notices.version(version === model.known.version ? "" : t("newer", { version }));
  } catch (error) {
    console.info(`the status is not known: ${error.message}`); // that it is offline is said already
  }
}

function showWorst() {
  const down = [...model.links.values()].filter(model.isDown).length;
  const known = offlineSince === null;
  const title = !known ? t("title.offline") : down ? t("title.down", { count: down }) : t("title.good");
  if (document.title !== title) document.title = title;
  setAttribute($("icon"), "href", `page/icons/${known ? model.worstMood() : "off"}.svg`);
}

/** Find out who is there, and show to them what there is; again and again until the service answers. */
async function begin() {
  stream?.stop();
  stream = null;
  model.clear();
  toasts.clear();
  try {
    await findSession();
  } catch {
    listener.down();
    setTimeout(begin, RETRY);
    return;
  }
  show();
  offlineSince = null;
  showOffline();
  if (!signedIn()) return;
  stream = new Stream("api/v1/stream", listener);
  stream.run();
}

addEventListener("hashchange", () => {
  show();
  $("main").focus({ preventScroll: true });
  scrollTo(0, 0);
});
addEventListener("keydown", (event) => {
  if (event.key === "/" && !event.target.matches("input, textarea, select")) {
    $("search")?.focus();
    event.preventDefault();
  }
});
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address names what is shown
  $("main").focus();
});
setInterval(() => {
  if (!stream) return;
  showStatus();
  if (offlineSince === null && !document.hidden) refresh();
}, STATUS_INTERVAL);
whenDenied(begin);

await Promise.all([loadTexts(), model.loadKnown()]);
await begin();
