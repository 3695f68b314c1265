// The stream of changes (Server-Sent Events), read with fetch rather than EventSource: that one gives up for good
// when a proxy answers in place of a service that restarts, does not say why it was refused, and cannot go on from
// an id after it gave up.

import { now } from "./clock.js";

const SILENCE_MS = 40_000; // then the connection is lost: the service sends something every 15 seconds
const FIRST_DELAY_MS = 500; // before the first reconnect …
const LONGEST_DELAY_MS = 5_000; // … growing up to this
const DELAY_FACTOR = 1.7;
const CHECK_INTERVAL_MS = 1_000;

// A browser holds six connections to one host. So a tab that has been hidden for a while gives its connection back:
// it connects for what has changed, rests, and connects again.
const HIDDEN_MS = 60_000;
const REST_MS = 15_000;

/**
 * Reads the stream until `stop`, and resumes after each loss where it was.
 *
 * Calls `listener.onOpen(since)` when it is connected, with the service's time when it was asked for; `onLost(code)`
 * when it is not any more (`code` is why the service refuses, if it does); `onDenied()` and nothing more when nobody
 * is signed in; and `onEvent(kind, data)` for each event.
 */
export class Stream {
  #lastId = null;
  #isRunning = false;
  #isResting = false;
  #wasAnswered = false;
  #receivedAt = 0;
  #hiddenSince = null;
  #connection = null;
  /** @type {(value?: unknown) => void} */
  #wake = () => {};

  constructor(url, listener) {
    this.url = url;
    this.listener = listener;
    /** @type {Array<[EventTarget, string, () => void]>} */
    this.subscriptions = [
      [window, "offline", () => this.#connection?.abort()],
      [window, "online", () => this.#wake()],
      [document, "visibilitychange", () => this.#visibilityChanged()],
    ];
  }

  stop() {
    this.#isRunning = false;
    this.#connection?.abort();
    this.#wake();
  }

  async run() {
    this.#isRunning = true;
    for (const [target, event, handler] of this.subscriptions) target.addEventListener(event, handler);
    let delay = FIRST_DELAY_MS;
    while (this.#isRunning) {
      const code = await this.#read(() => (delay = FIRST_DELAY_MS));
      if (!this.#isRunning) break;
      if (!this.#isResting) this.listener.onLost(code);
      await this.#sleep(this.#isResting ? REST_MS : delay);
      delay = Math.min(delay * DELAY_FACTOR, LONGEST_DELAY_MS);
    }
    for (const [target, event, handler] of this.subscriptions) target.removeEventListener(event, handler);
  }

  /** Read until the connection ends. Returns the error code if it was refused. */
  async #read(connected) {
    this.#connection = new AbortController();
    this.#isResting = false;
    this.#wasAnswered = false;
    this.#receivedAt = Date.now();
    const checks = setInterval(() => this.#check(), CHECK_INTERVAL_MS);
    const since = now();
    try {
      const headers = this.#lastId === null ? {} : { "Last-Event-ID": this.#lastId };
      const answer = await fetch(this.url, { headers, signal: this.#connection.signal, cache: "no-store" });
      if (!answer.ok) return await this.#refused(answer);
      this.#wasAnswered = true;
      this.#receivedAt = Date.now();
      connected();
      this.listener.onOpen(since);
      await this.#readEvents(answer.body.pipeThrough(new TextDecoderStream()).getReader());
    } catch (problem) {
      if (problem.name !== "AbortError") console.info(`the stream was lost: ${problem.message}`);
    } finally {
      clearInterval(checks);
      this.#connection.abort();
    }
    return undefined;
  }

  async #refused(answer) {
    if (answer.status !== 401) return (await answer.json().catch(() => null))?.error?.code;
    this.#isRunning = false;
    this.listener.onDenied();
    return undefined;
  }

  async #readEvents(reader) {
    let unread = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      this.#receivedAt = Date.now();
      const events = (unread + value).split("\n\n");
      unread = events.pop();
      events.forEach((event) => this.#dispatch(event));
    }
  }

  #dispatch(event) {
    const fields = Object.fromEntries(event.split("\n").map((line) => line.split(/: ?(.*)/s, 2)));
    if (fields.data === undefined) return;
    this.#lastId = fields.id;
    this.listener.onEvent(fields.event, JSON.parse(fields.data));
  }

  // By the time of day: timers stand still while a computer sleeps.
  #check() {
    const silence = Date.now() - this.#receivedAt;
    const isUnseen = this.#hiddenSince !== null && Date.now() - this.#hiddenSince > HIDDEN_MS;
    this.#isResting = isUnseen && this.#wasAnswered && silence > CHECK_INTERVAL_MS;
    if (this.#isResting || silence > SILENCE_MS) this.#connection.abort();
  }

  #visibilityChanged() {
    this.#hiddenSince = document.hidden ? Date.now() : null;
    if (!document.hidden) this.#wake();
  }

  #sleep(milliseconds) {
    return new Promise((wake) => {
      this.#wake = wake;
      setTimeout(wake, milliseconds);
    });
  }
}
