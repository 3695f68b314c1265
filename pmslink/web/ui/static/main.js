// The page begins here: who is there, what is shown, and what the stream tells.

import { findSession, signedIn, signOut, whenDenied } from "./api_client.js";
import { now } from "./clock.js";
import { el, setAttribute, setText } from "./dom.js";
import { formView } from "./link_settings_form.js";
import { linkView } from "./link_view.js";
import { listView } from "./link_list.js";
import * as model from "./link_model.js";
import { button, choice } from "./common_elements.js";
import { roomsView } from "./rooms_view.js";
import { signInForm } from "./sign_in.js";
import { Stream } from "./event_stream.js";
import { chosenLanguage, languages, loadTexts, moment, t } from "./translations.js";
import { Toasts } from "./toasts.js";

const STATUS_INTERVAL = 15_000; // milliseconds
const RETRY = 2_000;
const GATHER = 500; // what several postings changed is asked for once
// Events of the hotel that change what a link says of itself:
const CHANGES_LINK = /^(resync\.(started|ended)|wake_up\.(done|not_understood))$/;
const $ = (id) => document.getElementById(id);
const toasts = new Toasts($("toasts"));
const notices = Object.fromEntries(["offline", "store", "version", "failed"].map((kind) => [kind, notice(kind)]));

let view = null;
let viewer = null; // whose it is
let stream = null;
let offline = null; // since when, and the code that the service refuses with, if it does
let beginnings = 0;

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
  [/^#\/links\/([^/]+)\/rooms$/, (name) => roomsView(name)],
  [/^#\/links\/([^/]+)\/settings(?:\?hint=(\w+))?$/, (name, hint) => formView(name, hint)],
  [/^#\/new$/, () => formView(null)],
];

function viewOf(hash) {
  for (const [pattern, made] of ROUTES) {
    const match = hash.match(pattern);
    if (match) return made(...match.slice(1).filter(Boolean).map(decoded));
  }
  return listView();
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // then it is the name of no link
  }
}

function show() {
  close();
  view = viewOf(location.hash);
  $("main").replaceChildren(view.element);
  showHeader();
}

/** Take away what is shown, and a question that belongs to it. */
function close() {
  view?.close?.();
  view = null;
  $("main").replaceChildren();
  if ($("dialog").open) $("dialog").close("");
}

function showHeader() {
  const right = el("div", { class: "right" });
  const who = signedIn();
  if (who?.tokens) {
    const text = t("header.who", { name: who.name, role: t(`role.${who.role}`) });
    right.append(el("span", { class: "who", text }), button(t("header.sign_out"), leave, { id: "sign-out" }));
  }
  const names = Object.fromEntries(languages());
  const language = choice(t("header.language"), Object.keys(names), (code) => names[code], () => speak(language.value));
  language.id = "language";
  language.value = chosenLanguage();
  right.append(language);
  $("header").replaceChildren(el("a", { class: "brand", href: "#/", text: "pmslink" }), right);
  setText(document.querySelector(".skip"), t("header.skip"));
}

async function speak(language) {
  try {
    await loadTexts(language);
  } catch (problem) {
    notices.failed(t("refused", { why: t("error.unreachable"), message: problem.message }));
    showHeader();
    return;
  }
  const kept = view?.kept?.();
  notices.failed("");
  toasts.clear();
  show();
  if (kept) view.keep?.(kept);
  showOffline();
  $("language").focus(); // it was there, and is another one now
}

// Who is there.

/** Find out who it is, and show to them what there is; again and again until the service answers. */
async function begin() {
  const mine = ++beginnings;
  stream?.stop();
  stream = null;
  model.clear();
  toasts.clear();
  close();
  while (!(await known())) {
    await new Promise((later) => setTimeout(later, RETRY));
    if (mine !== beginnings) return;
  }
  if (mine !== beginnings) return;
  $("starting").hidden = true;
  online();
  viewer = signedIn();
  showHeader();
  if (!viewer) return askToSignIn();
  show();
  view.reveal?.();
  stream = new Stream("api/v1/stream", listener);
  stream.run();
}

/** Whether all is known that the page needs to begin with. */
async function known() {
  try {
    if (!model.known) await Promise.all([loadTexts(), model.loadKnown()]);
    await findSession();
    return true;
  } catch (problem) {
    console.info(`the page cannot begin yet: ${problem.message}`);
    if (model.known) listener.down();
    else $("starting").hidden = false;
    return false;
  }
}

/** Over what is shown, which can be gone on with: it may be a form that is half filled in. */
function askToSignIn() {
  const asking = $("sign-in");
  asking.replaceChildren(signInForm(enter));
  if (!asking.open) asking.showModal();
}

async function enter() {
  $("sign-in").close();
  const { name, role } = signedIn();
  if (viewer?.name === name && viewer.role === role) stream.run();
  else await begin();
  $("main").focus({ preventScroll: true });
}

async function leave() {
  stream?.stop(); // rather than be cut off
  try {
    await signOut();
  } catch (problem) {
    if (problem.status !== 401) {
      notices.failed(t("sign_in.still", { message: problem.message }));
      stream?.run();
      return;
    }
  }
  notices.failed("");
  await begin();
}

// What happens.

const listener = {
  async up() {
    online();
    await showStatus();
  },
  down(code) {
    offline = { since: offline?.since ?? new Date(now()).toISOString(), code };
    showOffline();
  },
  denied() {
    stream?.stop();
    askToSignIn();
  },
  happened(kind, told) {
    model.happened(kind, told);
    if (kind === "reset") showStatus();
    if (kind === "posting" || (kind === "event" && CHANGES_LINK.test(told.type))) refreshSoon(told.link);
    if (kind === "link") {
      showWorst();
      if (told.transition?.from) toasts.show(told.link, told.transition);
      else toasts.colour(told.link);
    }
  },
};

function online() {
  offline = null;
  showOffline();
}

function showOffline() {
  document.body.classList.toggle("offline", offline !== null);
  const why = offline?.code && t("refused", { why: t("stream.refused"), message: t(`error.${offline.code}`) });
  notices.offline(offline && (why ?? t("offline", { since: moment(offline.since) })));
  showWorst();
}

async function showStatus() {
  try {
    const { store, version } = await model.forgetIfEmpty();
    notices.store(store.ok ? "" : t("store_fails", { reason: store.reason }));
    notices.version(version === model.known.version ? "" : t("newer", { version }));
  } catch (problem) {
    console.info(`the status is not known: ${problem.message}`); // that it is offline is said already
  }
}

function showWorst() {
  const down = [...model.links.values()].filter(model.isDown).length;
  const title = offline ? t("title.offline") : down ? t("title.down", { count: down }) : t("title.good");
  if (document.title !== title) document.title = title;
  setAttribute($("icon"), "href", `page/icons/${offline ? "off" : model.worstMood()}.svg`);
}

const changed = new Set();

function refreshSoon(name) {
  if (changed.size === 0) setTimeout(() => [...changed].forEach(refresh), GATHER);
  changed.add(name);
}

async function refresh(name) {
  changed.delete(name);
  try {
    await model.refresh(name);
  } catch (problem) {
    console.info(`how ${name ?? "all links"} are is not known: ${problem.message}`);
  }
}

addEventListener("hashchange", () => {
  if (!viewer) return;
  show();
  $("main").focus({ preventScroll: true });
  scrollTo(0, 0);
  view.reveal?.();
});
addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (key === "Escape" && !$("dialog").open) toasts.clear();
  const commands = event.ctrlKey || event.metaKey || event.altKey;
  if (key !== "/" || commands || target.matches("input, textarea, select")) return;
  $("search")?.focus();
  event.preventDefault();
});
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address names what is shown
  $("main").focus();
});
$("sign-in").addEventListener("cancel", (event) => event.preventDefault());
setInterval(() => {
  if (!stream || !signedIn()) return;
  showStatus();
  if (!offline && !document.hidden) refresh();
}, STATUS_INTERVAL);
whenDenied(listener.denied);

await begin();
