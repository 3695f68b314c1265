// The stream of what happens (Server-Sent Events), read with fetch rather than EventSource: that one gives
// up for good when a proxy answers in place of a service that restarts, cannot say what it was refused for,
// and after it gave up cannot be told where to go on.

// Milliseconds:
const SILENCE = 40_000; // after which it is lost; the service sends something every 15 seconds
const FIRST_PAUSE = 500; // before it is asked for again …
const LONGEST_PAUSE = 5_000; // … growing up to this
const LOOK = 1_000; // between two looks at the time

// A browser holds six connections to one host. So a tab that nobody has seen for a while gives its own back:
// it looks for what happened meanwhile, rests, and looks again.
const UNSEEN = 60_000;
const REST = 15_000;

/**
 * Reads until `stop`, and comes back after each loss to where it was. Calls `up()` when it is connected,
 * `down(code)` when it no longer is, `denied()` and nothing more when nobody is signed in, and
 * `happened(kind, told)` for each event. `code` tells why the service refuses, if it does.
 */
export class Stream {
  #last = null;
  #running = false;
  #resting = false;
  #answered = false;
  #heard = 0;
  #unseenSince = null;
  #connection = null;
  #wake = () => {};

  constructor(url, listener) {
    this.url = url;
    this.listener = listener;
    this.events = [
      [window, "offline", () => this.#connection?.abort()],
      [window, "online", () => this.#wake()],
      [document, "visibilitychange", () => this.#seen()],
    ];
  }

  stop() {
    this.#running = false;
    this.#connection?.abort();
    this.#wake();
  }

  async run() {
    this.#running = true;
    for (const [target, event, then] of this.events) target.addEventListener(event, then);
    let pause = FIRST_PAUSE;
    while (this.#running) {
      const refused = await this.#read(() => (pause = FIRST_PAUSE));
      if (!this.#running) break;
      if (!this.#resting) this.listener.down(refused);
      await this.#woken(this.#resting ? REST : pause);
      pause = Math.min(pause * 1.7, LONGEST_PAUSE);
    }
    for (const [target, event, then] of this.events) target.removeEventListener(event, then);
  }

  /** Read until the connection ends; gives the code if it was refused. */
  async #read(connected) {
    this.#connection = new AbortController();
    this.#resting = false;
    this.#answered = false;
    this.#heard = Date.now();
    const looks = setInterval(() => this.#look(), LOOK);
    try {
      const headers = this.#last === null ? {} : { "Last-Event-ID": this.#last };
      const answer = await fetch(this.url, { headers, signal: this.#connection.signal, cache: "no-store" });
      if (!answer.ok) return await this.#refused(answer);
      this.#answered = true;
      this.#heard = Date.now();
      connected();
      this.listener.up();
      await this.#take(answer.body.pipeThrough(new TextDecoderStream()).getReader());
    } catch (problem) {
      if (problem.name !== "AbortError") console.info(`the stream was lost: ${problem.message}`);
    } finally {
      clearInterval(looks);
      this.#connection.abort();
    }
  }

  async #refused(answer) {
    if (answer.status !== 401) return (await answer.json().catch(() => null))?.error?.code;
    this.#running = false;
    this.listener.denied();
  }

  async #take(text) {
    let unread = "";
    for (;;) {
      const { done, value } = await text.read();
      if (done) return;
      this.#heard = Date.now();
      const events = (unread + value).split("\n\n");
      unread = events.pop();
      events.forEach((event) => this.#tell(event));
    }
  }

  #tell(event) {
    const fields = Object.fromEntries(event.split("\n").map((line) => line.split(/: ?(.*)/s, 2)));
    if (fields.data === undefined) return;
    this.#last = fields.id;
    this.listener.happened(fields.event, JSON.parse(fields.data));
  }

  // By the time of day: timers stand still while a computer sleeps.
  #look() {
    const silent = Date.now() - this.#heard;
    const unseen = this.#unseenSince !== null && Date.now() - this.#unseenSince > UNSEEN;
    this.#resting = unseen && this.#answered && silent > LOOK;
    if (this.#resting || silent > SILENCE) this.#connection.abort();
  }

  #seen() {
    this.#unseenSince = document.hidden ? Date.now() : null;
    if (!document.hidden) this.#wake();
  }

  #woken(most) {
    return new Promise((woken) => {
      this.#wake = woken;
      setTimeout(woken, most);
    });
  }
}
