// The header: the way to the links, notices, language, and the reader's own menu.

import { session } from "../core/api.js";
import { el, icon, setAttribute, setText, svg } from "../core/dom.js";
import { readPreference, writePreference } from "../core/preferences.js";
import { chosenLanguage, languages, t } from "../core/texts.js";
import { menuButton } from "./menu.js";

const THEMES = ["system", "light", "dark"];

/** Build the header into `#header`. `actions` has `chooseLanguage(code)`, `signOut()` and `showKeys()`. */
export function showHeader(actions) {
  const brand = el("a", { class: "brand", href: "#/" }, logo(), el("span", { text: "pmslink" }));
  const links = el("a", { class: "nav", href: "#/", id: "nav-links" }, icon("links"), el("span", { text: t("nav.links") }));
  const nav = el("nav", { "aria-label": t("nav.menu") }, links);
  const right = [el("span", { class: "push" }), el("div", { id: "bell" }), languageMenu(actions), personMenu(actions)];
  document.getElementById("header").replaceChildren(brand, nav, ...(session() ? right : [right[0], right[2]]));
  setText(document.querySelector(".skip"), t("header.skip"));
}

/** Mark the way to the view that is shown. */
export function markNavigation(view) {
  const isInside = view === "links" || view === "link" || view === "new";
  const links = document.getElementById("nav-links");
  if (links) setAttribute(links, "aria-current", isInside ? (view === "links" ? "page" : "true") : null);
}

function languageMenu({ chooseLanguage }) {
  const items = () =>
    languages().map(([code, name]) => ({
      text: name,
      icon: "lang",
      checked: code === chosenLanguage(),
      action: () => chooseLanguage(code),
    }));
  const props = { class: "plain icon", id: "language", "aria-label": t("header.language"), title: t("header.language") };
  return menuButton([icon("lang")], items, props);
}

function personMenu({ signOut, showKeys }) {
  const { name, role, tokens } = session() ?? {};
  const theme = readPreference("theme") ?? "system";
  const items = () => [
    ...(tokens ? [{ text: name, note: t(`role.${role}`), icon: "user", disabled: true }, null] : []),
    ...THEMES.map((one) => ({
      text: t(`theme.${one}`),
      icon: "gear",
      checked: one === (readPreference("theme") ?? theme),
      action: () => chooseTheme(one),
    })),
    null,
    { text: t("header.keys"), icon: "info", action: showKeys },
    { text: t("header.api"), icon: "info", href: "openapi.json" },
    { text: t("header.about"), icon: "info", href: "#/about" },
    ...(tokens ? [null, { text: t("header.sign_out"), icon: "out", action: signOut }] : []),
  ];
  const label = tokens ? `${name}, ${t(`role.${role}`)}` : t("header.menu");
  const content = [icon("user"), el("span", { class: "hide-s", text: tokens ? name : "" })];
  return menuButton(content, items, { class: tokens ? "plain" : "plain icon", id: "person", "aria-label": label });
}

function chooseTheme(theme) {
  writePreference("theme", theme === "system" ? null : theme);
  dispatchEvent(new Event("themechange")); // theme.js applies it
}

/** The mark of the product. */
export function logo() {
  const line = { d: "M8 11.5h8.2a4.5 4.5 0 0 1 0 9H8", class: "logo-line" };
  return svg(
    "svg",
    { viewBox: "0 0 32 32", "aria-hidden": "true" },
    svg("rect", { width: 32, height: 32, rx: 8, class: "logo-ground" }),
    svg("path", line),
    svg("circle", { cx: 24, cy: 16, r: 2.7, class: "logo-dot" }),
  );
}
