// Where tokens are asked for: who has one signs in with it.

import { signIn } from "./calls.js";
import { el, setText } from "./dom.js";
import { t } from "./texts.js";

/** The view that asks for a token; `then` goes on once it was taken. */
export function signInView(then) {
  const token = el("input", { type: "password", id: "token", autocomplete: "current-password", required: true, "aria-describedby": "token-error" });
  const error = el("p", { class: "error", id: "token-error", role: "alert" });
  const submit = async (event) => {
    event.preventDefault();
    try {
      await signIn(token.value.trim());
    } catch (problem) {
      setText(error, t(`error.${problem.code}`));
      token.value = "";
      token.focus();
      return;
    }
    await then();
  };
  const form = el("form", { class: "sign-in", onsubmit: submit }, el("h1", { text: t("sign_in.title") }), el("p", { text: t("sign_in.how") }), el("label", { for: "token", text: t("sign_in.token") }), token, error, el("button", { class: "primary", text: t("sign_in.submit") }));
  return { element: form };
}
