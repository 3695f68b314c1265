// The settings of a link, to make one or to change it: each field with its meaning, unit and default, and
// its error beside it. What is left empty is the default of the PMS's profile.

import { call, mayControl, oneAtATime, ofLink } from "./former_api.js";
import { el, setAttribute, setText } from "./core/dom.js";
import { inputOf, shown, valueOf, written } from "./inputs.js";
import { known, links, placeOf } from "./link_model.js";
import { button, refusal } from "./common_elements.js";
import { chosenLanguage, has, t } from "./core/texts.js";
import { trial } from "./connection_test.js";

const GROUPS = {
  pms: ["host", "port", "connect", "profile", "timezone", "charset", "enabled"],
  start: ["listen_time", "start_timeout", "describe", "sync_on", "sync_timeout", "end_timeout"],
  checks: ["alive_interval", "alive_timeout", "alive_on", "alive_by"],
  redial: ["retry_initial", "retry_max"],
  postings: [
    "answer_timeout",
    "unanswered",
    "late_charge",
    "send_limit",
    "posting_digits",
    "record_gap",
    "outbox_limit",
  ],
  wire: ["framing", "tls", "ca_file", "records", "store_budget_mb"],
  hotel: [
    "extensions",
    "extension_prefix",
    "extension_table",
    "status_codes",
    "wake_up_attempts",
    "wake_up_interval",
    "wake_up_late",
    "tariff",
    "currency",
  ],
  webhook: ["webhook_url", "webhook_secret", "webhook_batch"],
};
const NAME = { name: "name", kind: "text", unit: "", required: true, default: null, pattern: "[A-Za-z0-9_\\-]{1,64}" };

/** The view in which a link is made, or the one of this name is changed, as its hint with this code suggests. */
export function formView(name, hintCode) {
  const title = el("h1", { text: name ? t("form.change", { name }) : t("form.new") });
  const element = el("div", { class: "settings" }, title);
  const view = { element };
  const show = (link) => {
    const { kept, keep, suggest, element: made } = form(link);
    element.append(made);
    const hint = link?.hints.find(({ code }) => code === hintCode);
    const reveal = () => hint && suggest(hint.params);
    Object.assign(view, { kept, keep, reveal });
    if (element.isConnected) reveal();
  };
  const fail = (problem) => element.append(el("p", { class: "error", text: refusal(problem) }));
  if (!name) show(null);
  else if (links.has(name)) show(links.get(name));
  else call("GET", ofLink(name)).then(show, fail);
  return view;
}

/** The form; `suggest` puts a value into it that is not saved yet; `kept()` gives what was written in it, which `keep` puts into another one, in another language. */
function form(link) {
  const settings = new Map(known.settings.map((setting) => [setting.name, setting]));
  const named = Object.values(GROUPS).flat();
  const rest = [...settings.keys()].filter((key) => !named.includes(key));
  const fixed = !mayControl() || Boolean(link?.declared);
  const fields = new Map();
  const steps = trial(fixed ? null : suggest);
  const answer = el("p", { class: "answer", role: "status" });

  const group = (key, names) => {
    const made = names.map((one) => field(one === "name" ? NAME : settings.get(one)));
    return el("fieldset", { disabled: fixed }, el("legend", { text: t(`form.group.${key}`) }), ...made);
  };

  function field(setting) {
    const input = inputOf(setting);
    const id = `setting-${setting.name}`;
    const error = el("span", { class: "error", id: `${id}-error` });
    const meaning = el("span", { class: "meaning", id: `${id}-meaning`, text: t(`setting.${setting.name}`) });
    setAttribute(input, "id", id);
    setAttribute(input, "name", setting.name);
    setAttribute(input, "aria-describedby", `${id}-meaning ${id}-error`);
    const unit = setting.unit ? ` (${t(`unit.${setting.unit}`)})` : "";
    const label = el("label", { for: id, text: setting.name + unit });
    fields.set(setting.name, { setting, input, error, meaning, before: "" });
    const width = setting.kind === "tariff" ? "field wide" : "field"; // a rate is a long line
    return el("div", { class: width }, label, input, meaning, error);
  }

  /** What a setting is while nothing is said of it: the profile's preset, or else its own default. */
  function usual({ name, default: own }) {
    return known.profiles[fields.get("profile").input.value]?.[name] ?? own;
  }

  function example({ name }) {
    const key = `form.example.${name}`;
    return has(key) ? t("form.such_as", { value: t(key) }) : "";
  }

  function showDefaults() {
    for (const { setting, input } of fields.values()) {
      const value = usual(setting);
      const said = value === null ? example(setting) : t("form.default", { value: shown(setting, value) });
      if (input.matches("select")) setText(input.firstChild, setting.required ? t("form.choose") : said);
      else if (!setting.required) setAttribute(input, "placeholder", said);
    }
  }

  /** Host and port mean something else when the PMS connects by itself. */
  function showDirection() {
    const { setting, input } = fields.get("connect");
    const accepts = (input.value || usual(setting)) === "accept";
    for (const name of ["host", "port"]) {
      setText(fields.get(name).meaning, t(accepts ? `form.accept.${name}` : `form.dial.${name}`));
    }
  }

  function fill() {
    fields.get("profile").input.value = link.profile;
    const now = { ...link.settings, host: link.host, port: link.port, profile: link.profile };
    for (const one of fields.values()) {
      const value = now[one.setting.name];
      const said = one.setting.required || value !== usual(one.setting);
      one.input.value = said && value !== null ? written(one.setting, value) : "";
      one.before = one.input.value;
    }
  }

  /** What stands in the form, by name; of what was left empty, null. Shows what cannot be, and then gives null. */
  function given() {
    const values = {};
    let wrong = null;
    for (const { setting, input, error } of fields.values()) {
      const value = valueOf(setting, input);
      const missing = setting.required && value === null;
      const right = value !== undefined && !missing;
      mark(input, error, right ? "" : t("form.must", { right: t(`right.${setting.name}`) }));
      if (!right) wrong ??= input;
      values[setting.name] = value;
    }
    reveal(wrong);
    return wrong ? null : values;
  }

  function mark(input, error, text) {
    setText(error, text);
    setAttribute(input, "aria-invalid", text ? "true" : null);
  }

  function reveal(input) {
    const details = input?.closest("details");
    if (details) details.open = true;
    input?.scrollIntoView({ block: "center" }); // one that is disabled takes no focus
    input?.focus({ preventScroll: true });
  }

  /** Show the field of a setting, with the value that would help, if one would; it takes effect when it is saved. */
  function suggest({ setting: name, value }) {
    const one = fields.get(name);
    if (!one) return;
    const { setting, input, error } = one;
    if (value !== undefined && !fixed) {
      input.value = written(setting, value);
      mark(input, error, "");
    }
    const key = value === undefined ? "form.check" : fixed ? "form.would_help" : "form.suggested";
    note(input, t(key, { value: value === undefined ? "" : written(setting, value) }));
    reveal(input);
  }

  function note(input, text) {
    const parent = input.parentElement;
    const id = `${input.id}-note`;
    const old = parent.querySelector(".note");
    const said = old ?? parent.appendChild(el("span", { class: "note", id }));
    setText(said, text);
    parent.classList.add("suggested");
    if (!old) setAttribute(input, "aria-describedby", `${input.getAttribute("aria-describedby")} ${id}`);
  }

  function refused(problem) {
    const wrong = fields.get(problem.field?.split(".")[0]);
    if (wrong) {
      const right = t("form.must", { right: t(`right.${wrong.setting.name}`) });
      mark(wrong.input, wrong.error, chosenLanguage() === "en" ? problem.message : right);
      reveal(wrong.input);
    }
    setText(answer, wrong ? t(`error.${problem.code}`) : refusal(problem));
    answer.classList.add("error");
  }

  async function test() {
    const values = given();
    if (!values) return;
    const { name, enabled, ...settings } = values;
    try {
      await steps.run(settings);
      setText(answer, "");
    } catch (problem) {
      refused(problem);
    }
  }

  async function save() {
    const values = given();
    if (!values) return;
    try {
      if (link) await call("PATCH", ofLink(link.name), changed(values));
      else await call("POST", "links", values);
      location.hash = placeOf(link?.name ?? values.name);
    } catch (problem) {
      refused(problem);
    }
  }

  const differs = ({ input, before }) => input.value !== before;
  const changed = (values) =>
    Object.fromEntries(Object.entries(values).filter(([key]) => differs(fields.get(key))));

  const inputs = () => [...fields.values()].map(({ input }) => input);
  const kept = () => ({ values: inputs().map((input) => input.value), open: details.open });
  const keep = ({ values, open }) => {
    inputs().forEach((input, place) => (input.value = values[place]));
    details.open = open;
    showDefaults();
    showDirection();
  };

  // "enabled" says how a link begins, and the name is for good
  const first = group("pms", link ? GROUPS.pms.filter((one) => one !== "enabled") : ["name", ...GROUPS.pms]);
  const others = ["start", "checks", "redial", "postings", "hotel", "webhook", "wire"].map((key) => group(key, GROUPS[key]));
  others.push(group("rest", rest));
  const testing = button(t("form.test"), oneAtATime(test), { id: "test" });
  const submit = el("button", { class: "primary", text: t(link ? "form.save" : "form.create") });
  const whence = link ? placeOf(link.name) : "#/";
  const back = el("a", { class: "button", href: whence, text: t("form.cancel") });
  const why = link?.declared ? t("error.declared") : mayControl() ? "" : t("control.not_yours");
  const details = el("details", {}, el("summary", { text: t("form.more") }), ...others);
  fields.get("profile").input.addEventListener("change", showDefaults);
  fields.get("connect").input.addEventListener("change", showDirection);
  showDefaults();
  if (link) {
    fill();
    showDefaults();
  }
  showDirection();
  const buttons = fixed ? [back] : [submit, testing, back];
  const saving = oneAtATime(save);
  const onsubmit = (event) => {
    event.preventDefault();
    saving();
  };
  const element = el(
    "form",
    { novalidate: true, onsubmit },
    el("p", { class: "note", text: why }),
    first,
    details,
    el("div", { class: "buttons" }, ...buttons),
    answer,
    steps.element,
  );
  return { element, kept, keep, suggest };
}
