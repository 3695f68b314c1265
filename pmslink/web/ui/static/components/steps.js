// The steps on the way to a link, in the overview of a link and in the connection test.

import { arrange, el, icon, keyed, part, setAttribute, setIcon, setText } from "../core/dom.js";
import { t } from "../core/texts.js";

const SIGNS = { done: "good", failed: "bad", waiting: "wait", running: "sync", ahead: "off" };
const MOODS = { done: "good", failed: "bad", waiting: "wait", running: "wait", ahead: null };

/**
 * A list of steps: `{element, show(steps)}`.
 *
 * `layout` is `path` (side by side where there is room) or `steps` (one below the other). A step is `{key, state,
 * title, note, details}`: `state` is `done`, `failed`, `waiting`, `running` (the sign turns) or `ahead`; `note` is a
 * few words beside the title; `details` are elements below it.
 */
export function stepList(layout) {
  const element = el("ol", { class: layout });
  return { element, show: (steps) => keyed(element, steps, ({ key }) => key, makeStep) };
}

const makeStep = part(buildStep, writeStep);

function buildStep() {
  const sign = icon("off");
  const state = el("span", { class: "sr" });
  const title = el("span");
  const note = el("span", { class: "tiny" });
  const details = el("div", { class: "details" });
  return { element: el("li", {}, sign, el("b", {}, title, state), note, details), sign, state, title, note, details };
}

function writeStep({ element, sign, state, title, note, details }, step) {
  setAttribute(element, "data-mood", MOODS[step.state]);
  setAttribute(element, "data-state", step.state);
  setIcon(sign, SIGNS[step.state]);
  setAttribute(sign, "class", step.state === "running" ? "i spin" : "i");
  setText(title, step.title);
  setText(state, ` (${t(`step.${step.state}`)})`);
  setText(note, step.note ?? "");
  arrange(details, step.details ?? []);
  setAttribute(details, "hidden", details.childElementCount === 0);
}
