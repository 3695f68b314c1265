// The settings of one link, in groups: what is saved, what was changed, and a connection test before saving.

import { may, oneAtATime, ofLink, refusal, send } from "../core/api.js";
import { el, icon } from "../core/dom.js";
import { linkAddress, replaceQuery } from "../core/router.js";
import { GROUPS, RECONNECTING, TESTED, loadSettings, settingsOf } from "../core/settings.js";
import { loadSettingTexts, t } from "../core/texts.js";
import { ConnectionTest } from "../components/connection_test.js";
import { button, loadFailure, refusalText } from "../components/elements.js";
import { groupNavigation } from "../components/group_navigation.js";
import { SaveBar } from "../components/save_bar.js";
import { askToLeave, groupCard, guardUnload, markRefused, settingValues, watchAddress } from "../components/setting_form.js";
import { SettingFields } from "../components/setting_fields.js";

export function view({ name, query }) {
  const form = new Settings(name, query);
  form.begin();
  return {
    element: form.element,
    change: ({ query: next }) => form.show(next),
    update: (kind, data) => form.update(kind, data),
    close: () => form.close(),
    draft: () => form.draft(),
    restore: (draft) => form.restore(draft),
    mayLeave: () => form.mayLeave(),
  };
}

class Settings {
  #name;
  #query;
  #link = null;
  #etag = null;
  #values; // of the settings, as they were loaded
  #fields = null;
  #isFixed;
  #navigation;
  #bar;
  #test;
  #address;
  #draft = null;
  #isSaving = false;
  #isClosed = false;
  #endGuard = guardUnload(() => this.#isChanged);
  #others; // says that somebody else has changed the settings
  #loading = el("div", { class: "quiet", text: t("set.loading") });
  element = el("div", { class: "settings-view" }, this.#loading);

  constructor(name, query) {
    this.#name = name;
    this.#query = query;
  }

  async begin() {
    try {
      const [catalogue, answer] = await Promise.all([loadSettings(), request("GET", this.#name), loadSettingTexts()]);
      if (!this.#isClosed) this.#build(catalogue, answer);
    } catch (problem) {
      const text = problem.code ? refusalText(problem) : t("refused", { why: t("error.unreachable"), message: problem.message });
      this.#loading.replaceChildren(loadFailure(text, () => this.begin()));
    }
  }

  #build(catalogue, { link, etag }) {
    this.#isFixed = !may("control") || link.declared;
    this.#fields = new SettingFields(catalogue, { isFixed: this.#isFixed, onChange: (name) => this.#onChange(name) });
    this.#address = watchAddress(this.#fields, this.#name);
    this.#bar = new SaveBar({ discard: () => this.#discard(), test: () => this.#startTest(), save: oneAtATime(() => this.#save()) });
    this.#test = this.#buildTest(catalogue.settings);
    this.#load(link, etag);
    const groups = Object.keys(GROUPS).filter((group) => settingsOf(group, catalogue.settings).length);
    const cards = groups.map((group) => groupCard(group, this.#fields));
    const address = (group) => linkAddress(this.#name, "settings", null, { group });
    this.#navigation = groupNavigation(cards, address, (group) => replaceQuery({ group }));
    const form = el("form", { class: "stack", novalidate: true, onsubmit: (event) => this.#onSubmit(event) });
    form.append(...this.#noteAbove(), ...cards, ...(this.#isFixed ? [] : [this.#test.element, this.#others, this.#bar.element]));
    this.#loading.replaceWith(el("div", { class: "settings" }, this.#navigation.element, form));
    if (this.#draft) this.restore(this.#draft);
    else this.show(this.#query); // a draft is newer than the suggestion of the address
  }

  #noteAbove() {
    if (!this.#isFixed) return [];
    const why = t(this.#link.declared ? "set.declared" : "set.read_only");
    return [el("div", { class: "hint", "data-mood": "off" }, icon("info"), el("p", { text: why }))];
  }

  #buildTest(descriptions) {
    const form = {
      testSettings: () => this.#fields.testSettings(),
      suggest: (suggestion) => this.#fields.suggest(suggestion, false),
      refuse: (problem) => this.#refuse(problem),
    };
    const test = new ConnectionTest({ form, descriptions, actions: () => [], goodText: t("test.good.saved") });
    test.element.hidden = true;
    const load = button(t("set.others.load"), oneAtATime(() => this.#loadTheirs()), { class: "btn-s", id: "load-theirs" });
    this.#others = el("div", { class: "hint", "data-mood": "wait", role: "alert", hidden: true }, icon("warn"), el("b", { text: t("set.others") }), load);
    return test;
  }

  #load(link, etag, options) {
    this.#link = link;
    this.#etag = etag;
    this.#values = settingValues(link);
    this.#fields.load(this.#values, options);
    this.#showBar();
  }

  /** Show the group or the suggestion that the address names. */
  show(query) {
    this.#query = query;
    if (!this.#fields) return;
    const hint = this.#link.hints.find(({ code }) => code === query.get("hint"));
    const [setting, ...rest] = (query.get("set") ?? "").split(":");
    if (hint?.params.setting) this.#fields.suggest(hint.params);
    else if (setting) this.#fields.suggest({ setting, value: valueIn(rest.join(":")) });
    else if (query.get("group")) this.#navigation.show(query.get("group"));
  }

  #onChange(name) {
    if (name === null || TESTED.includes(name)) this.#test.reset();
    this.#address.changed(name);
    this.#showBar();
  }

  #showBar(sentence = "") {
    const names = this.#fields.changedNames();
    const closing = this.#link.intent === "enabled" ? names.filter((name) => RECONNECTING.includes(name)) : [];
    const labels = closing.map((name) => t(`setting.${name}`)).join(t("set.joint"));
    this.#bar.show(names.length, closing.length ? t("set.closes", { what: labels }) : "", sentence);
    this.#navigation?.mark(this.#fields.wrongGroups());
  }

  get #isChanged() {
    return this.#fields !== null && !this.#isFixed && this.#fields.changedNames().length > 0;
  }

  #discard() {
    this.#fields.load(this.#values);
    for (const name of Object.values(GROUPS).flat()) this.#fields.get(name)?.block(null);
    for (const name of Object.values(GROUPS).flat()) this.#fields.get(name)?.showError("");
    this.#onChange(null);
  }

  #startTest() {
    this.#test.element.hidden = false;
    this.#test.element.scrollIntoView({ block: "nearest" });
    this.#test.run();
    this.#showBar();
  }

  #onSubmit(event) {
    event.preventDefault();
    this.#bar.save();
  }

  async #save() {
    const values = this.#fields.check();
    if (values === null) return this.#showBar(t("set.bad"));
    this.#isSaving = true;
    this.#showBar(t("set.saving"));
    try {
      const { link, etag } = await request("PATCH", this.#name, this.#fields.changes(values), this.#etag);
      this.#load(link, etag);
      this.#showBar(t("set.saved"));
    } catch (problem) {
      const isChanged = problem.code === "changed";
      this.#others.hidden = !isChanged;
      this.#showBar(isChanged ? "" : this.#refuse(problem));
    } finally {
      this.#isSaving = false;
    }
  }

  async #loadTheirs() {
    try {
      const { link, etag } = await request("GET", this.#name);
      this.#load(link, etag, { keepChanges: true });
      this.#others.hidden = true;
      this.#showBar(t("set.others.loaded"));
    } catch (problem) {
      this.#showBar(refusalText(problem));
    }
  }

  #refuse(problem) {
    const isOwn = problem.code === "in_use" && !["host", "port"].some((name) => this.#fields.changedNames().includes(name));
    const sentence = isOwn ? t("test.own") : markRefused(problem, this.#fields, this.#address);
    this.#showBar();
    return sentence;
  }

  update(kind, data) {
    if (kind === "tick") this.#test?.tick();
    if (kind !== "link" || data.link.name !== this.#name || !this.#fields || this.#isSaving) return;
    const theirs = settingValues(data.link);
    if (JSON.stringify(theirs) === JSON.stringify(this.#values)) return;
    if (this.#isFixed) this.#load(data.link, null);
    else this.#others.hidden = false;
  }

  mayLeave() {
    return this.#isChanged ? askToLeave(this.#fields) : true;
  }

  close() {
    this.#isClosed = true;
    this.#endGuard();
    this.#address?.close();
    this.#test?.close();
    this.#navigation?.close();
  }

  draft() {
    return this.#isChanged ? this.#fields.draft() : null;
  }

  restore(draft) {
    this.#draft = draft;
    if (this.#fields && draft) this.#fields.restore(draft);
  }
}

/** Make a call about a link; returns the link and its entity tag. `etag` is that of the settings that are changed. */
async function request(method, name, body = undefined, etag = null) {
  const answer = await send(method, ofLink(name), body, { headers: etag ? { "If-Match": etag } : {} });
  if (!answer.ok) throw await refusal(answer);
  return { link: await answer.json(), etag: answer.headers.get("ETag") };
}

/** A value in an address: JSON where it is, as a number, or else text. */
function valueIn(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
