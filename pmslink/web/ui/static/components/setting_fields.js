// The fields of a form for settings: what is saved, what is written, what differs, and what is wrong.

import { browserZone, dayOf, isZone, startOfDay } from "../core/hotel_days.js";
import { GROUPS, TESTED, defaultOf, settingsOf } from "../core/settings.js";
import { LINE_KINDS, REDACTED, describeValue, findContradiction, parseValue, writeValue } from "../core/setting_values.js";
import { has, minute, t } from "../core/texts.js";
import { Field } from "./field.js";

/** The name of a new link, which is no setting that can be changed later. */
const NAME_SETTING = { name: "name", kind: "text", unit: "", required: true, default: null, pattern: "[A-Za-z0-9_\\-]{1,64}" };

const FILES = ["extension_table", "ca_file"];

/** All fields of one form. `onChange(name)` is called when the text of a field has changed; null stands for several. */
export class SettingFields {
  #fields = new Map();
  #saved = {}; // texts by name
  #savedValues = {};
  #profiles;
  #onChange;
  #isNew;

  constructor({ settings, profiles }, { isFixed = false, isNew = false, onChange = (_name) => {} }) {
    this.#profiles = profiles;
    this.#onChange = onChange;
    this.#isNew = isNew;
    const described = Object.keys(GROUPS).flatMap((group) => settingsOf(group, settings));
    for (const setting of isNew ? [NAME_SETTING, ...described] : described) {
      const options = { isFixed, onInput: (field) => this.#onInput(field), onReset: (field) => this.reset(field.name) };
      this.#fields.set(setting.name, new Field(setting, options));
    }
  }

  /** The fields of these names, in their order. */
  of(names) {
    return names.map((name) => this.#fields.get(name)).filter(Boolean);
  }

  get(name) {
    return this.#fields.get(name);
  }

  /** Show what is saved. With `keepChanges`, a field that the reader has changed keeps its text. */
  load(values, { keepChanges = false } = {}) {
    const changed = keepChanges ? new Set(this.changedNames()) : new Set();
    this.#savedValues = values;
    for (const field of this.#fields.values()) {
      const value = values[field.name] ?? this.#default(field.setting, values.profile);
      this.#saved[field.name] = writeValue(field.setting, value, this.#zone(values.timezone));
      if (!changed.has(field.name)) field.text = this.#saved[field.name];
      this.#describeSaved(field);
    }
    this.refresh();
  }

  #describeSaved(field) {
    const { name, kind } = field.setting;
    const value = this.#savedValues[name];
    if (kind === "secret") field.help = t(`help.${name}`) + t("sentence.joint") + t(value ? "set.secret" : "set.secret.none");
    if (kind === "moment") field.showNote(this.#isMidnight(value) ? "" : t("set.ends_at", { at: minute(value) }));
    if (has(`example.${name}`)) field.placeholder = t("set.such_as", { value: t(`example.${name}`) });
  }

  /** Whether a date says all of a moment. */
  #isMidnight(value) {
    return !value || Date.parse(startOfDay(dayOf(value, this.#zone()), this.#zone())) === Date.parse(value);
  }

  #default(setting, profile = this.#fields.get("profile").text) {
    return setting.required ? null : defaultOf(setting, profile, this.#profiles); // what is required is chosen
  }

  #zone(zone = this.#fields.get("timezone").text.trim()) {
    return isZone(zone) ? zone : browserZone();
  }

  #onInput(field) {
    field.block(null);
    field.showError("");
    if (field.name === "profile") this.#followProfile();
    this.refresh();
    this.#onChange(field.name);
  }

  /** Fields that have the default of the former product get that of the chosen one. */
  #followProfile() {
    const presets = new Set(Object.values(this.#profiles).flatMap(Object.keys));
    for (const field of this.of([...presets])) {
      const isDefault = Object.keys(this.#profiles).some(
        (profile) => field.text === writeValue(field.setting, this.#default(field.setting, profile)),
      );
      if (isDefault) field.text = writeValue(field.setting, this.#default(field.setting));
    }
  }

  /** Go back to the product's default of a setting. */
  reset(name) {
    const field = this.#fields.get(name);
    field.text = writeValue(field.setting, this.#default(field.setting));
    this.#onInput(field);
    field.input.focus();
  }

  /** Show what differs from what is saved, and from the defaults. */
  refresh() {
    const accepts = this.#fields.get("connect").text === "accept";
    for (const field of this.#fields.values()) {
      const { kind, required } = field.setting;
      const value = this.#default(field.setting);
      const differs = !required && kind !== "secret" && field.text !== writeValue(field.setting, value);
      const usual = required || value === null ? "" : t("set.default", { value: describeValue(field.setting, value) });
      field.showDefault(usual, differs);
      field.markChanged(!this.#isNew && this.#isChanged(field));
    }
    for (const name of ["host", "port"]) this.#fields.get(name).help = t(accepts ? `accept.${name}` : `help.${name}`);
  }

  #isChanged({ name, text }) {
    return text !== this.#saved[name];
  }

  /** The names of the settings that differ from what is saved. */
  changedNames() {
    return [...this.#fields.values()].filter((field) => this.#isChanged(field)).map(({ name }) => name);
  }

  /** The value in a field: null if nothing is written there, undefined if it cannot be one. */
  value(name) {
    const field = this.#fields.get(name);
    const { kind } = field.setting;
    if (kind === "secret" && field.text === "") {
      const isNeeded = this.#fields.get("webhook_url").text.trim() !== "";
      return isNeeded && this.#savedValues[name] ? REDACTED : null;
    }
    if (kind === "moment" && !this.#isChanged(field)) return this.#savedValues[name] ?? null;
    return parseValue(field.setting, field.text, this.#zone());
  }

  /** All values by name; null if one is wrong, which is marked then and gets the focus. */
  check(names = [...this.#fields.keys()]) {
    const values = Object.fromEntries(names.map((name) => [name, this.value(name)]));
    const wrong = names.filter((name) => this.#markWrong(this.#fields.get(name), values[name]));
    if (wrong.length === 0) {
      const found = findContradiction(values);
      if (found) {
        this.#fields.get(found.name).showError(t(found.key, found.values));
        wrong.push(found.name);
      }
    }
    this.#fields.get(wrong[0])?.focus();
    return wrong.length ? null : values;
  }

  #markWrong(field, value) {
    const isMissing = value === null && field.setting.required;
    if (isMissing) field.showError(t("set.missing"));
    else if (value === undefined) field.showError(this.#whatIsRight(field));
    else if (!field.isBlocked) field.showError("");
    return field.isWrong;
  }

  #whatIsRight(field) {
    return t("set.must", { right: t(`right.${field.name}`) });
  }

  /** Values as the service takes them: null for what is the product's default. */
  withoutDefaults(values) {
    const entries = Object.entries(values).map(([name, value]) => {
      const { setting } = this.#fields.get(name);
      const isDefault = !setting.required && writeValue(setting, value) === writeValue(setting, this.#default(setting));
      return [name, isDefault && setting.kind !== "secret" ? null : value];
    });
    return Object.fromEntries(entries);
  }

  /** What a change of the link consists of: changed settings, and with another product those that it presets. */
  changes(values) {
    const names = new Set(this.changedNames());
    if (names.has("profile")) Object.values(this.#profiles).flatMap(Object.keys).forEach((name) => names.add(name));
    if (names.has("webhook_url") && values.webhook_url === null) names.add("webhook_secret");
    return this.withoutDefaults(Object.fromEntries([...names].map((name) => [name, values[name]])));
  }

  /** What a connection test needs. */
  testSettings() {
    return this.check(TESTED.filter((name) => this.#fields.has(name)));
  }

  /** Mark the setting that the service refuses. Returns whether there is a field of it. */
  refuse(problem) {
    const field = this.#fields.get(problem.field?.split(".")[0]);
    if (!field) return false;
    const right = problem.code === "name_taken" ? t("err.name_taken") : this.#whatIsRight(field);
    const { kind, name } = field.setting;
    const isDetailed = LINE_KINDS.includes(kind) || FILES.includes(name); // only the service knows what is in a file
    field.showError(isDetailed ? `${right} (${problem.message})` : right);
    field.focus();
    return true;
  }

  /** Fill in a value that would help; it takes effect when it is saved. With `isShown`, bring its field into sight. */
  suggest({ setting: name, value }, isShown = true) {
    const field = this.#fields.get(name);
    if (!field) return;
    const text = value === undefined ? "" : writeValue(field.setting, value, this.#zone());
    const isFilled = value !== undefined && !field.input.disabled;
    if (isFilled) field.text = text;
    const shown = value === undefined ? "" : describeValue(field.setting, value);
    field.showNote(value === undefined ? t("set.check") : t(isFilled ? "set.suggested" : "set.would_help", { value: shown }));
    field.showError("");
    this.refresh();
    this.#onChange(name);
    if (isShown) field.focus();
  }

  /** The groups with a field that is wrong. */
  wrongGroups() {
    return Object.keys(GROUPS).filter((group) => this.of(GROUPS[group]).some((field) => field.isWrong));
  }

  /** Values as the texts of their fields. */
  write(values) {
    const texts = Object.entries(values).map(([name, value]) => {
      const field = this.#fields.get(name);
      return [name, field ? writeValue(field.setting, value, this.#zone(values.timezone)) : ""];
    });
    return Object.fromEntries(texts);
  }

  /** What is written, to be kept over a change of the language. */
  draft() {
    return Object.fromEntries([...this.#fields.values()].map(({ name, text }) => [name, text]));
  }

  restore(texts) {
    for (const [name, text] of Object.entries(texts)) if (this.#fields.has(name)) this.#fields.get(name).text = text;
    this.refresh();
    this.#onChange(null);
  }
}
