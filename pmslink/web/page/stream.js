// The stream of what happens (Server-Sent Events), read with fetch rather than EventSource: that one gives
// up for good when a proxy answers in place of a service that restarts, cannot say what it was refused for,
// and after it gave up cannot be told where to go on.

const SILENCE = 40_000; // milliseconds; the service sends something every 15 seconds
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 5_000;

/**
 * Reads until `stop`, and comes back after each loss to where it was. Calls `up()` when it is connected,
 * `down()` when it no longer is, `denied()` and nothing more when nobody is signed in, and `happened(kind,
 * told)` for each event.
 */
export class Stream {
  #last = null;
  #stopped = false;
  #connection = null;
  #wake = () => {};

  constructor(url, listener) {
    this.url = url;
    this.listener = listener;
    addEventListener("offline", this.#lost);
    addEventListener("online", this.#retry);
  }

  stop() {
    this.#stopped = true;
    removeEventListener("offline", this.#lost);
    removeEventListener("online", this.#retry);
    this.#lost();
    this.#retry();
  }

  #lost = () => this.#connection?.abort();
  #retry = () => this.#wake();

  async run() {
    let pause = FIRST_PAUSE;
    while (!this.#stopped) {
      try {
        await this.#read(() => (pause = FIRST_PAUSE));
      } catch (problem) {
        if (problem.name !== "AbortError") console.info(`the stream was lost: ${problem.message}`);
      }
      if (this.#stopped) return;
      this.listener.down();
      await new Promise((wake) => {
        this.#wake = wake;
        setTimeout(wake, pause);
      });
      pause = Math.min(pause * 1.7, LONGEST_PAUSE);
    }
  }

  async #read(connected) {
    this.#connection = new AbortController();
    let silence = setTimeout(this.#lost, SILENCE);
    try {
      const headers = this.#last === null ? {} : { "Last-Event-ID": this.#last };
      const answer = await fetch(this.url, { headers, signal: this.#connection.signal, cache: "no-store" });
      if (answer.status === 401) {
        this.#stopped = true;
        return this.listener.denied();
      }
      if (!answer.ok) throw new Error(`it was answered with ${answer.status}`);
      connected();
      this.listener.up();
      const text = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let unread = "";
      for (;;) {
        const { done, value } = await text.read();
        if (done) return;
        clearTimeout(silence);
        silence = setTimeout(this.#lost, SILENCE);
        const events = (unread + value).split("\n\n");
        unread = events.pop();
        events.forEach((event) => this.#take(event));
      }
    } finally {
      clearTimeout(silence);
      this.#connection.abort();
    }
  }

  #take(event) {
    const fields = Object.fromEntries(event.split("\n").map((line) => line.split(/: ?(.*)/s, 2)));
    if (fields.data === undefined) return;
    this.#last = fields.id;
    this.listener.happened(fields.event, JSON.parse(fields.data));
  }
}
