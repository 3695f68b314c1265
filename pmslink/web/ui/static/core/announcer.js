// What a screen reader says by itself: at most one message in a few seconds, further ones are counted.

import { setText } from "./dom.js";
import { t } from "./texts.js";

const PAUSE_MS = 5_000;

let lastAt = -Infinity;
let waiting = []; // messages of the present pause
let timer = null;

/** Let a screen reader say a message, when it has nothing more urgent to say; "" is none. */
export function announce(message) {
  if (!message) return;
  waiting.push(message);
  if (timer !== null) return;
  timer = setTimeout(say, Math.max(0, lastAt + PAUSE_MS - performance.now()));
}

function say() {
  timer = null;
  lastAt = performance.now();
  const message = waiting.length === 1 ? waiting[0] : moreNotices(waiting.length);
  waiting = [];
  setText(document.getElementById("announcer"), message);
}

/** The words for this many further notices. */
export const moreNotices = (count) => t(count === 1 ? "note.more_one" : "note.more", { count });
