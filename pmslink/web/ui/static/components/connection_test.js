// The connection test beside a form: what it does, its steps while it runs, and what to do then.

import { arrange, el, icon, setText } from "../core/dom.js";
import { STEPS, testLink } from "../core/link_test.js";
import { decimal, t } from "../core/texts.js";
import { button } from "./elements.js";
import { stepList } from "./steps.js";
import { reasonText, stepDetails, waitingText } from "./test_step.js";

/**
 * The card of the connection test.
 *
 * `form` has `testSettings()`, the settings or null if one is wrong; `suggest(suggestion)`, which fills in one that
 * would help; and `refuse(problem)`, which marks a setting that the service refuses, and returns a sentence. `descriptions` are the settings as the service describes them. `actions(phase)` are further buttons while the
 * test is `idle`, `running`, `failed` or `good`; `goodText` is said after a good test.
 */
export class ConnectionTest {
  #form;
  #descriptions;
  #actions;
  #goodText;
  #phase = "idle";
  #steps = new Map(); // by name: {line, startedAt, details}
  #settings = null;
  #stopping = null;
  #list = stepList("steps");
  #note = el("p", { class: "quiet" });
  #verdict = el("div", { class: "hint", "data-mood": "good", hidden: true });
  #announcement = el("p", { class: "sr", role: "status" });
  #pill = el("span", { class: "pill", "data-mood": "bad", hidden: true });
  #stop = button(t("test.stop"), () => this.#stopping?.abort(), { class: "btn-s", id: "stop-test", hidden: true });
  #start = button(t("set.test"), () => this.run(), { id: "test" });
  #buttons = el("div", { class: "row" });

  constructor({ form, descriptions, actions, goodText }) {
    this.#form = form;
    this.#descriptions = descriptions;
    this.#actions = actions;
    this.#goodText = goodText;
    const header = el("header", {}, el("h2", { text: t("test.title") }), el("span", { class: "push" }, this.#pill, this.#stop));
    this.#verdict.append(icon("good"), el("div", {}, el("b", { text: goodText })));
    const body = el("div", { class: "in" }, this.#note, this.#list.element, this.#verdict, this.#buttons, this.#announcement);
    this.element = el("section", { class: "card test", "aria-label": t("test.title") }, header, body);
    setText(this.#note, t("test.idle"));
    this.#show();
  }

  get phase() {
    return this.#phase;
  }

  /** Test what is written in the form. */
  async run() {
    const settings = this.#phase === "running" ? null : this.#form.testSettings();
    if (settings === null) return;
    this.#settings = settings;
    this.#steps.clear();
    this.#stopping = new AbortController();
    this.#enter("running", "");
    const { signal } = this.#stopping;
    try {
      await testLink(settings, (line) => signal.aborted || this.#take(line), signal);
      if (!signal.aborted) this.#finish();
    } catch (problem) {
      this.#refused(problem, signal.aborted);
    }
  }

  #take(line) {
    const { step } = line;
    if (line.started) {
      const details = [el("p", { text: waitingText(line, this.#settings) })];
      this.#steps.set(step, { line, startedAt: performance.now(), details });
    } else {
      const details = stepDetails(line, this.#settings, this.#descriptions, (suggestion) => this.#use(suggestion));
      this.#steps.set(step, { line, details });
      const words = line.ok ? t("step.done") : reasonText(line, this.#settings);
      setText(this.#announcement, `${t(`test.step.${step}`)}: ${words}`);
    }
    this.#show();
  }

  #use(suggestion) {
    this.#form.suggest(suggestion);
    this.run();
  }

  #finish() {
    const last = this.#steps.get("confirmation")?.line;
    const failed = STEPS.find((step) => this.#steps.get(step)?.line.ok === false);
    if (last?.ok) this.#enter("good", "", this.#goodText);
    else if (failed) this.#enter("failed", "");
    else this.#enter("failed", t("test.broken"), t("test.broken"));
  }

  #refused(problem, isStopped) {
    if (this.#phase !== "running") return; // its results were taken away
    this.#steps.clear();
    const words = isStopped ? t("test.stopped") : this.#form.refuse(problem);
    this.#enter("idle", words, words);
  }

  /** Take the results away: they are of settings that have changed. */
  reset() {
    if (this.#phase === "idle" && this.#steps.size === 0) return;
    const words = t(this.#phase === "running" ? "test.stopped" : "test.stale");
    this.#steps.clear();
    this.#enter("idle", words, words);
    this.#stopping?.abort();
  }

  /** Stop a test that runs, because the form is left. */
  close() {
    this.#stopping?.abort();
  }

  #enter(phase, note, announcement = null) {
    const hadFocus = this.element.contains(document.activeElement);
    this.#phase = phase;
    setText(this.#note, note);
    if (announcement !== null) setText(this.#announcement, announcement);
    this.#show();
    if (hadFocus) this.#focusNext();
  }

  /** Move the focus from a button that is gone to the one that is wanted next. */
  #focusNext() {
    const next = this.#phase === "running" ? this.#stop : (this.element.querySelector(".primary") ?? this.#start);
    next.focus({ preventScroll: true });
  }

  /** Say something about a call that was made with another button of this card. */
  say(text) {
    setText(this.#note, text);
    setText(this.#announcement, text);
    this.#show();
  }

  /** Show the state; once a second, too, for the seconds of the step that runs. */
  #show() {
    const phase = this.#phase;
    const isRunning = phase === "running";
    this.#note.hidden = this.#note.textContent === "";
    this.#list.show(isRunning || this.#steps.size ? STEPS.map((step) => this.#describe(step)) : []);
    this.#verdict.hidden = phase !== "good";
    this.#stop.hidden = !isRunning;
    const failedAt = STEPS.findIndex((step) => this.#steps.get(step)?.line.ok === false);
    const hasFailed = phase === "failed" && failedAt >= 0;
    this.#pill.hidden = !hasFailed;
    setText(this.#pill, hasFailed ? t("test.failed", { step: failedAt + 1 }) : "");
    setText(this.#start, t(phase === "failed" || phase === "good" ? "set.again" : "set.test"));
    const isFirst = phase === "idle" || (phase === "failed" && !this.#suggests(failedAt));
    this.#start.className = isFirst ? "primary" : "";
    const actions = this.#actions(phase);
    const start = isRunning ? [] : [this.#start];
    arrange(this.#buttons, phase === "good" ? [...actions, ...start] : [...start, ...actions]);
  }

  #suggests(failedAt) {
    return Boolean(this.#steps.get(STEPS[failedAt])?.line.suggest);
  }

  /** Show the seconds of the step that runs. */
  tick() {
    if (this.#phase === "running") this.#show();
  }

  #describe(step) {
    const { line, startedAt, details } = this.#steps.get(step) ?? {};
    const title = t(`test.step.${step}`);
    if (!line) return { key: step, state: "ahead", title };
    if (!line.started) {
      const note = t("test.took", { seconds: line.seconds.toFixed(2) });
      return { key: step, state: line.ok ? "done" : "failed", title, note, details };
    }
    const seconds = Math.floor((performance.now() - startedAt) / 1000);
    const note = t("test.seconds", { seconds, limit: decimal(line.limit) });
    return { key: step, state: "running", title, note, details };
  }
}
