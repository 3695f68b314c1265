// Where tokens are asked for: who has one signs in with it.

import { oneAtATime, signIn } from "./former_api.js";
import { el, setText } from "./core/dom.js";
import { t } from "./core/texts.js";

/** The form that asks for a token; `then` goes on once it was taken. */
export function signInForm(then) {
  const props = { type: "password", id: "token", autocomplete: "current-password", required: true };
  const token = el("input", { ...props, "aria-describedby": "token-error" });
  const error = el("p", { class: "error", id: "token-error", role: "alert" });
  const enter = oneAtATime(async () => {
    try {
      await signIn(token.value.trim());
    } catch (problem) {
      setText(error, t(`error.${problem.code}`));
      token.value = "";
      token.focus();
      return;
    }
    await then();
  });
  const onsubmit = (event) => {
    event.preventDefault();
    enter();
  };
  return el(
    "form",
    { class: "sign-in", onsubmit },
    el("h1", { id: "sign-in-title", text: t("sign_in.title") }),
    el("p", { text: t("sign_in.how") }),
    el("label", { for: "token", text: t("sign_in.token") }),
    token,
    error,
    el("button", { class: "primary", text: t("sign_in.submit") }),
  );
}
