// Keeps the rooms of one link up to date: all are loaded once, and then those in which something happened.
// A resync tells of room after room, so that all are loaded now and then instead, and once more at its end.

import { call, ofLink } from "./api.js";

const FEW = 10; // rooms that are loaded one by one
// Milliseconds:
const GATHER_MS = 200; // what happens together is loaded together
const RESYNC_MS = 3_000;
const RETRY_MS = 5_000; // after a call that failed
const FULL_MS = 300_000; // for what no event reports: names that are deleted in time, a status from the PMS
const REST_FACTOR = 4; // loading all rooms takes at most one part in so many of the time

/** Types of outbox rows that change a room without an event of the hotel, once they are accepted. */
const isSilentChange = ({ type, state }) => ["status", "make_up_room"].includes(type) && state === "pending";

/**
 * Loads the rooms of a `link`, and again what an event of the stream concerns, until `stop`.
 *
 * Calls `listener.onAll(rooms)`, `onRoom(room)`, `onGone(name)` with rooms as they are, `onResync(isRunning)`, and
 * `onFailed(error)` with a CallError; the call is tried again.
 */
export class RoomFeed {
  #changed = new Set();
  #wanted = new Set(); // rooms that are loaded by themselves, also when all are
  #isAllDue = true;
  #isLoading = false;
  #timer = null;
  #dueAt = Infinity; // when the next load begins
  #restedAt = 0; // before which it does not
  #wishedDelay = Infinity; // that was asked for during a load
  #settings;
  #isStopped = false;

  constructor(link, listener) {
    this.link = link.name;
    this.#settings = JSON.stringify(link.settings);
    this.listener = listener;
    this.fullTimer = setInterval(() => this.loadAll(), FULL_MS);
    this.onVisible = () => document.hidden || ((this.#isAllDue || this.#changed.size) && this.#plan(0));
    document.addEventListener("visibilitychange", this.onVisible);
    this.#plan(0);
  }

  stop() {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    clearInterval(this.fullTimer);
    document.removeEventListener("visibilitychange", this.onVisible);
  }

  /** Load one room by itself: then it is told who set what in it last. */
  loadRoom(name) {
    this.#wanted.add(name);
    this.#plan(0);
  }

  /** Load all rooms, after this many milliseconds. */
  loadAll(delay = 0) {
    this.#isAllDue = true;
    this.#plan(delay);
  }

  /** Apply an event of the stream. */
  handle(kind, data) {
    if (kind === "reset") this.loadAll(GATHER_MS); // what happened before the stream began again was not reported
    if (kind === "event" && data.link === this.link) this.#onHotelEvent(data);
    if (kind === "posting" && data.link === this.link && isSilentChange(data.posting)) {
      this.#changed.add(data.posting.room);
      this.#plan(GATHER_MS);
    }
    if (kind === "link" && data.link.name === this.link) this.#onSettings(JSON.stringify(data.link.settings));
  }

  #onSettings(settings) {
    const before = this.#settings;
    this.#settings = settings;
    if (settings !== before) this.loadAll(GATHER_MS); // the extensions may be others
  }

  #onHotelEvent({ type, room, from_room: from, resync }) {
    const [subject, what] = type.split(".");
    if (subject === "resync") this.listener.onResync(what === "started");
    if (subject === "resync" && what === "ended") this.loadAll(GATHER_MS);
    if (!room) return;
    this.#changed.add(room);
    if (from) this.#changed.add(from);
    this.#plan(resync ? RESYNC_MS : GATHER_MS);
  }

  #plan(delay) {
    if (this.#isLoading) this.#wishedDelay = Math.min(this.#wishedDelay, delay);
    const wanted = Math.max(performance.now() + delay, this.#restedAt);
    if (this.#isStopped || this.#isLoading || wanted >= this.#dueAt) return;
    clearTimeout(this.#timer);
    this.#dueAt = wanted;
    this.#timer = setTimeout(() => this.#load(), wanted - performance.now());
  }

  async #load() {
    this.#dueAt = Infinity;
    if (document.hidden) return; // until it is seen
    this.#isLoading = true;
    const wanted = [...this.#wanted];
    this.#wanted.clear();
    try {
      if (this.#isAllDue || this.#changed.size > FEW) await this.#fetchAll();
      else wanted.push(...this.#takeChanged());
      await Promise.all([...new Set(wanted)].map((name) => this.#fetchRoom(name)));
    } catch (error) {
      this.#isAllDue = true;
      this.#restedAt = performance.now() + RETRY_MS;
      if (!this.#isStopped) this.listener.onFailed(error);
    }
    this.#isLoading = false;
    const delay = Math.min(this.#wishedDelay, RESYNC_MS);
    this.#wishedDelay = Infinity;
    if (this.#isAllDue || this.#changed.size || this.#wanted.size) this.#plan(delay);
  }

  #takeChanged() {
    const names = [...this.#changed];
    this.#isAllDue = false;
    this.#changed.clear();
    return names;
  }

  async #fetchAll() {
    const begun = performance.now();
    this.#takeChanged();
    const { rooms } = await call("GET", ofLink(this.link, "rooms"));
    if (!this.#isStopped) this.listener.onAll(rooms);
    const ended = performance.now();
    this.#restedAt = ended + (REST_FACTOR - 1) * (ended - begun);
  }

  async #fetchRoom(name) {
    try {
      const room = await call("GET", ofLink(this.link, "rooms", name));
      if (!this.#isStopped) this.listener.onRoom(room);
    } catch (error) {
      if (error.code !== "unknown_room") throw error;
      if (!this.#isStopped) this.listener.onGone(name);
    }
  }
}
