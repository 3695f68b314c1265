// The form that asks for a token, over any view.

import { oneAtATime, signIn } from "../core/api.js";
import { el, icon, setAttribute, setText } from "../core/dom.js";
import { chosenLanguage, languages, t } from "../core/texts.js";
import { button } from "../components/elements.js";
import { logo } from "../components/header.js";

/** The form. `onSignedIn()` is called once the token was accepted, `chooseLanguage(language)` for another language. */
export function signInForm({ onSignedIn, chooseLanguage }) {
  const form = new SignIn(onSignedIn);
  const others = languages().filter(([language]) => language !== chosenLanguage());
  const choices = others.map(([language, name]) => {
    const choose = () => chooseLanguage(language);
    return el("button", { type: "button", class: "plain btn-s", lang: language, onclick: choose }, icon("lang"), name);
  });
  const brand = el("p", { class: "brand" }, logo(), el("span", { text: "pmslink" }));
  return el("div", { class: "door" }, brand, form.element, el("p", { class: "languages" }, ...choices));
}

class SignIn {
  #name = el("input", { id: "token-name", name: "username", autocomplete: "username", autocapitalize: "none", spellcheck: "false", required: true });
  #token = el("input", {
    id: "token",
    name: "password",
    type: "password",
    autocomplete: "current-password",
    required: true,
    "aria-describedby": "token-error",
  });
  #error = el("p", { class: "err", id: "token-error", role: "alert", hidden: true }, icon("bad"), el("span"));
  #show = button(t("sign.show"), () => this.#toggle(), { class: "plain btn-s show", "aria-controls": "token", "aria-pressed": "false" });
  #onSignedIn;

  constructor(onSignedIn) {
    this.#onSignedIn = onSignedIn;
    const enter = oneAtATime(() => this.#enter());
    const onsubmit = (event) => {
      event.preventDefault();
      enter();
    };
    const name = el("div", { class: "field" }, el("label", { for: "token-name", text: t("sign.name") }), this.#name);
    const secret = el("div", { class: "secret" }, this.#token, this.#show);
    const token = el("div", { class: "field" }, el("label", { for: "token", text: t("sign.token") }), secret, this.#error);
    const submit = el("button", { class: "primary", text: t("sign.title") });
    const how = el("p", { class: "small quiet", text: t("sign.how") });
    const body = el("div", { class: "in stack" }, el("h1", { id: "sign-in-title", text: t("sign.title") }), name, token, submit, how);
    this.element = el("form", { class: "card sign-in", onsubmit }, body);
  }

  #toggle() {
    const isShown = this.#token.type === "text";
    this.#token.type = isShown ? "password" : "text";
    setText(this.#show, t(isShown ? "sign.show" : "sign.hide"));
    setAttribute(this.#show, "aria-pressed", String(!isShown));
  }

  async #enter() {
    try {
      await signIn(this.#token.value.trim(), this.#name.value.trim());
    } catch (problem) {
      return this.#refused(problem);
    }
    this.#token.value = "";
    await this.#onSignedIn();
  }

  #refused(problem) {
    this.#error.hidden = false;
    setText(this.#error.lastElementChild, sentenceOf(problem));
    setAttribute(this.#token, "aria-invalid", "true");
    this.#token.focus();
    this.#token.select();
  }
}

function sentenceOf({ code, attemptsLeft }) {
  if (code !== "unauthorized" || attemptsLeft === null) return t(`error.${code}`);
  if (attemptsLeft === 0) return t("sign.wrong.none");
  return attemptsLeft === 1 ? t("sign.wrong.one") : t("sign.wrong", { count: attemptsLeft });
}
