// One setting in a form: its label, input, help, default and key, and what is wrong with it.

import { el, icon, setAttribute, setText } from "../core/dom.js";
import { t } from "../core/texts.js";
import { button } from "./elements.js";
import { settingInput } from "./setting_input.js";

const WIDTHS = {
  name: "w12",
  profile: "w4",
  host: "w5",
  port: "w3",
  charset: "w3",
  currency: "w3",
  expires_at: "w3",
  connect: "w5",
  webhook_url: "w9",
  ca_file: "w8",
  extension_table: "w8",
};
const WIDTHS_BY_KIND = { number: "w4", whole: "w4", yes_or_no: "w4", records: "w12", codes: "w12", tariff: "w12" };

/** A field. `onInput(field)` is called when the reader writes in it, `onReset(field)` for "Back to the default". */
export class Field {
  #box;
  #help = el("span");
  #usual = el("span");
  #error;
  #note;
  #reset;
  #isBlocked = false;

  constructor(setting, { isFixed, onInput, onReset }) {
    this.setting = setting;
    const id = `setting-${setting.name}`;
    const described = `${id}-help ${id}-error ${id}-note`;
    const required = Boolean(setting.required);
    this.#box = settingInput(setting, { id, name: setting.name, required, disabled: isFixed, "aria-describedby": described });
    this.#box.input.addEventListener("input", () => onInput(this));
    this.#error = el("p", { class: "err", id: `${id}-error`, hidden: true }, icon("bad"), el("span"));
    this.#note = el("p", { class: "suggestion", id: `${id}-note`, hidden: true });
    this.#reset = button(t("set.back"), () => onReset(this), { class: "btn-s plain", hidden: true });
    this.element = this.#build(id, required);
    this.help = t(`help.${setting.name}`);
  }

  #build(id, required) {
    const { name, kind } = this.setting;
    const star = required && el("span", { class: "req", "aria-hidden": "true", title: t("set.required"), text: " *" });
    const label = el("label", { for: id, text: t(`setting.${name}`) }, ...(star ? [star] : []));
    const key = el("code", { class: "key", text: name });
    const help = el("p", { class: "help", id: `${id}-help` }, this.#help, t("sentence.joint"), this.#usual, " ", key);
    const width = WIDTHS[name] ?? WIDTHS_BY_KIND[kind] ?? "";
    const head = el("div", { class: "lab" }, label, this.#reset);
    return el("div", { class: `field ${width}`, "data-setting": name }, head, this.#box.element, this.#error, this.#note, help);
  }

  get name() {
    return this.setting.name;
  }

  get input() {
    return this.#box.input;
  }

  get text() {
    return this.#box.read();
  }

  set text(text) {
    this.#box.write(text);
  }

  /** The sentence under the field. */
  set help(text) {
    setText(this.#help, text);
  }

  /** What is in the field while nothing is written there. */
  set placeholder(text) {
    if (this.input.matches("input, textarea")) setAttribute(this.input, "placeholder", text || null);
  }

  /** Show the product's default, and whether it can be gone back to. */
  showDefault(sentence, differs) {
    setText(this.#usual, sentence);
    this.#reset.hidden = !differs || this.input.disabled;
  }

  /** Mark the field if it differs from what is saved. */
  markChanged(isChanged) {
    this.element.classList.toggle("changed", isChanged);
  }

  /** Say what would be right, or with "" that nothing is wrong; `link` is an element after the sentence. */
  showError(text, link = null) {
    this.#error.hidden = text === "";
    this.#error.lastElementChild.replaceChildren(text, ...(link ? [" ", link] : []));
    setAttribute(this.input, "aria-invalid", text === "" ? null : "true");
  }

  /** Say what is wrong although the text may be right, such as an address that is in use; null withdraws it. */
  block(text, link = null) {
    if (text !== null || this.#isBlocked) this.showError(text ?? "", link);
    this.#isBlocked = text !== null;
  }

  get isBlocked() {
    return this.#isBlocked;
  }

  get isWrong() {
    return !this.#error.hidden;
  }

  /** Say something else about the field, such as why a value is suggested. */
  showNote(text) {
    setText(this.#note, text);
    this.#note.hidden = text === "";
  }

  /** Bring the field into sight and the focus into it. */
  focus() {
    for (let fold = this.element.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    this.element.scrollIntoView({ block: "center" }); // a field that is read-only takes no focus
    this.input.focus({ preventScroll: true });
  }
}
