// The view in which a link is added: what has to be filled in, all other settings, and the connection test.

import { call, may, oneAtATime, ofLink } from "../core/api.js";
import { el } from "../core/dom.js";
import { linkAddress } from "../core/router.js";
import { GROUPS, TESTED, loadSettings } from "../core/settings.js";
import { loadSettingTexts, t } from "../core/texts.js";
import { ConnectionTest } from "../components/connection_test.js";
import { button, refusalText } from "../components/elements.js";
import { askToLeave, groupCard, guardUnload, markRefused, settingValues, watchAddress } from "../components/setting_form.js";
import { SettingFields } from "../components/setting_fields.js";

const OPEN_GROUPS = ["pms", "hotel"];
const FIRST_FIELDS = ["name", "profile", "host", "port"];
const NOT_COPIED = ["port", "expires_at", "webhook_secret", "enabled"]; // each link has its own

export function view({ query }) {
  const form = new NewLink(query.get("copy"));
  form.begin();
  return {
    element: form.element,
    title: () => t("set.new"),
    update: (kind) => kind === "tick" && form.test?.tick(),
    close: () => form.close(),
    draft: () => form.draft(),
    restore: (draft) => form.restore(draft),
    mayLeave: () => form.mayLeave(),
  };
}

class NewLink {
  #copied;
  #fields = null;
  #address;
  #details;
  #draft = null; // what was written before the form was there
  #isSaved = false;
  #isClosed = false;
  #endGuard = guardUnload(() => this.#isChanged);
  #place = el("p", { class: "quiet", text: t("set.loading") });
  #saveOnly;
  #saveAndEnable;
  element = el("div", { class: "stack" });
  test = null;

  constructor(copied) {
    this.#copied = copied;
    const crumbs = el("nav", { class: "crumbs", "aria-label": t("nav.links") }, el("a", { href: "#/", text: t("nav.links") }));
    crumbs.append(el("span", { "aria-hidden": "true", text: "/" }), el("span", { text: t("set.new") }));
    this.element.append(el("div", {}, crumbs, el("h1", { text: t("set.new") })), this.#place);
  }

  async begin() {
    if (!may("control")) {
      this.#place.textContent = t("set.read_only");
      return;
    }
    try {
      const copied = this.#copied === null ? null : call("GET", ofLink(this.#copied));
      const [catalogue, link] = await Promise.all([loadSettings(), copied, loadSettingTexts()]);
      if (!this.#isClosed) this.#build(catalogue, link);
    } catch (problem) {
      this.#place.textContent = problem.code ? refusalText(problem) : problem.message;
    }
  }

  #build(catalogue, link) {
    this.#fields = new SettingFields(catalogue, { isNew: true, onChange: (name) => this.#onChange(name) });
    this.#address = watchAddress(this.#fields);
    this.#saveOnly = button(t("set.only"), oneAtATime(() => this.#save(false)), { id: "save" });
    this.#saveAndEnable = button(t("set.enable"), oneAtATime(() => this.#save(true)), { id: "save-and-enable", class: "primary" });
    const form = {
      testSettings: () => this.#fields.testSettings(),
      suggest: (suggestion) => this.#fields.suggest(suggestion, false),
      refuse: (problem) => markRefused(problem, this.#fields, this.#address),
    };
    const actions = (phase) => (phase === "good" ? [this.#saveAndEnable, this.#saveOnly] : [this.#saveOnly]);
    this.test = new ConnectionTest({ form, descriptions: catalogue.settings, actions, goodText: t("test.good") });
    this.#fields.load({});
    if (link) this.#fields.restore(this.#copy(link));
    this.#place.replaceWith(el("div", { class: "cols" }, this.#buildForm(), this.test.element));
    if (this.#draft) this.restore(this.#draft);
    else this.#fields.get("name").input.focus({ preventScroll: true });
  }

  #buildForm() {
    const others = Object.keys(GROUPS).filter((group) => !OPEN_GROUPS.includes(group));
    const cards = others.map((group) => groupCard(group, this.#fields));
    this.#details = el("details", { class: "all" }, el("summary", { text: t("set.all") }), el("div", { class: "stack" }, ...cards));
    cards[0].parentElement.prepend(el("div", { class: "fields" }, this.#fields.get("connect").element));
    const first = [groupCard("pms", this.#fields, FIRST_FIELDS), groupCard("hotel", this.#fields)];
    const onsubmit = (event) => event.preventDefault();
    return el("form", { class: "stack", novalidate: true, onsubmit }, ...first, this.#details);
  }

  /** The texts of another link's settings, as this form writes them. */
  #copy(link) {
    const values = Object.entries(settingValues(link)).filter(([name]) => !NOT_COPIED.includes(name));
    return this.#fields.write(Object.fromEntries(values));
  }

  #onChange(name) {
    if (name === null || TESTED.includes(name)) this.test?.reset();
    this.#address?.changed(name);
  }

  async #save(isEnabled) {
    const values = this.#fields.check();
    if (values === null) return this.test.say(t("set.bad"));
    try {
      await call("POST", "links", { ...this.#fields.withoutDefaults(values), enabled: isEnabled });
    } catch (problem) {
      return this.test.say(markRefused(problem, this.#fields, this.#address));
    }
    this.#isSaved = true;
    location.hash = linkAddress(values.name);
  }

  get #isChanged() {
    return !this.#isSaved && this.#fields !== null && this.#fields.changedNames().length > 0;
  }

  mayLeave() {
    return this.#isChanged ? askToLeave(this.#fields) : true;
  }

  close() {
    this.#isClosed = true;
    this.#endGuard();
    this.#address?.close();
    this.test?.close();
  }

  draft() {
    return this.#fields && { texts: this.#fields.draft(), isOpen: this.#details.open };
  }

  restore(draft) {
    this.#draft = draft;
    if (!this.#fields || !draft) return;
    this.#fields.restore(draft.texts);
    this.#details.open = draft.isOpen;
  }
}
