// Keeps the rooms of one link up to date: all are asked for once, and then those in which something happened.
// A resync tells of room after room, so that all are asked for now and then instead, and once more at its end.

import { call, ofLink } from "./former_api.js";
import { links, watch } from "./link_model.js";

const FEW = 10; // rooms that are asked for one by one
// Milliseconds:
const GATHER = 200; // what happens together is asked for together
const RESYNCING = 3_000;
const AGAIN = 5_000; // after a call that failed
const SOMETIME = 300_000; // what is told by no event: names that are forgotten in time, a status from the PMS
const REST = 4; // looks at all take at most one part in so many of the time

/** What of the outbox changes a room, though no event of the hotel tells it. */
const isChange = ({ type, state }) => type === "status" && state === "pending";

/**
 * `heard.all(rooms)`, `heard.one(room)` and `heard.gone(name)` hear of rooms as they are, `heard.resyncing(yes)`
 * whether a resync runs, and `heard.failed(problem)` what goes wrong; it is tried again. Gives a way to end that.
 */
export function roomNews(link, heard) {
  const changed = new Set();
  let all = true;
  let looking = false;
  let timer = null;
  let due = Infinity; // when the next look is made
  let rested = 0; // before which it is not
  let wished = Infinity; // the delay that was asked for during a look
  let rules = rulesOf(link);
  let closed = false;

  function plan(delay) {
    if (looking) wished = Math.min(wished, delay);
    const wanted = Math.max(performance.now() + delay, rested);
    if (closed || looking || wanted >= due) return;
    clearTimeout(timer);
    due = wanted;
    timer = setTimeout(look, due - performance.now());
  }

  function everything(delay) {
    all = true;
    plan(delay);
  }

  async function look() {
    due = Infinity;
    if (document.hidden) return; // until it is seen
    looking = true;
    try {
      await (all || changed.size > FEW ? lookAtAll() : Promise.all(taken().map(lookAt)));
    } catch (problem) {
      all = true;
      rested = performance.now() + AGAIN;
      if (!closed) heard.failed(problem);
    }
    looking = false;
    const delay = Math.min(wished, RESYNCING);
    wished = Infinity;
    if (all || changed.size) plan(delay);
  }

  function taken() {
    const names = [...changed];
    all = false;
    changed.clear();
    return names;
  }

  async function lookAtAll() {
    const begun = performance.now();
    taken();
    const { rooms } = await call("GET", ofLink(link, "rooms"));
    if (!closed) heard.all(rooms);
    const ended = performance.now();
    rested = ended + (REST - 1) * (ended - begun);
  }

  async function lookAt(name) {
    try {
      const room = await call("GET", ofLink(link, "rooms", encodeURIComponent(name)));
      if (!closed) heard.one(room);
    } catch (problem) {
      if (problem.code !== "unknown_room") throw problem;
      if (!closed) heard.gone(name);
    }
  }

  function happened({ type, room, from_room: from, resync }) {
    const [subject, what] = type.split(".");
    if (subject === "resync") heard.resyncing(what === "started");
    if (subject === "resync" && what === "ended") everything(GATHER);
    if (!room) return;
    changed.add(room);
    if (from) changed.add(from);
    plan(resync ? RESYNCING : GATHER);
  }

  function told(kind, event) {
    if (kind === "forgotten") everything(0); // what happened before the stream began again was not told
    if (kind === "event" && event.link === link) happened(event);
    if (kind === "posting" && event.link === link && isChange(event.posting)) happened(event.posting);
    if (kind === "link" && event.link.name === link) {
      const before = rules;
      rules = rulesOf(link);
      if (before && rules !== before) everything(GATHER); // the extensions may be others
    }
  }

  const seen = () => document.hidden || ((all || changed.size) && plan(0));
  const stop = watch(told);
  const sometimes = setInterval(() => everything(0), SOMETIME);
  document.addEventListener("visibilitychange", seen);
  plan(0);
  return () => {
    closed = true;
    stop();
    clearTimeout(timer);
    clearInterval(sometimes);
    document.removeEventListener("visibilitychange", seen);
  };
}

const rulesOf = (link) => JSON.stringify(links.get(link)?.settings);
