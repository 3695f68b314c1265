// What the page knows of links, and the status of the service.
//
// A service may have 10 000 links. So the page never loads all of them: a list asks for the part that it shows,
// the counts of the groups come from the status, and a single link is loaded by its name.

import { call, ofLink } from "./api.js";
import { GROUPS, health } from "./health.js";

const FIRST_PAGE = 200; // links that are loaded at once, if there are no more
const PAGE = 100; // of more links

const links = new Map(); // the links that were loaded by name
let status = null;

/** The last status of the service; null before the first one. */
export const serviceStatus = () => status;

/** Load the status of the service: its store, and how many links there are of each group. Throws CallError. */
export async function loadStatus() {
  status = await call("GET", "status");
  return status;
}

/** The link of this name as it was last received, or undefined if it was not loaded. */
export const getLink = (name) => links.get(name);

/** Load a link. Throws CallError. */
export async function loadLink(name) {
  const link = await call("GET", ofLink(name));
  links.set(name, link);
  return link;
}

/** Apply an event of the stream to the links that were loaded. */
export function handle(kind, data) {
  if (kind === "link" && links.has(data.link.name)) links.set(data.link.name, data.link);
}

/** Forget all links, as when somebody else signs in. */
export function clear() {
  links.clear();
  status = null;
}

/** The sign of all links together: the worst of those that are wanted. */
export function worstSign() {
  const found = GROUPS.find(([group]) => group !== "off" && status?.groups?.[group]);
  return found ? found[2] : "off";
}

/** How many links the service has, as far as the status says; null before it is known. */
export const linkCount = () => status && Object.values(status.groups).reduce((sum, count) => sum + count, 0);

/**
 * The links that pass a filter, in an order, of which only parts are loaded.
 *
 * `query` has `order` (`attention`, `name`, `changed`), `group` (empty: all) and `q`, the search.
 */
export class LinkList {
  #names = []; // by position; holes where links are not loaded
  #links = new Map();
  #requests = new Set(); // each with the names that events have changed since it was sent
  #generation = 0;
  query = {};
  /** How many links pass the filter; null until the first answer. */
  total = null;

  /** The link at a position, or undefined if it is not loaded. */
  linkAt = (position) => this.#links.get(this.#names[position]);

  /** The link of this name, or undefined if it is not loaded. */
  linkOf = (name) => this.#links.get(name);

  /** The position of a link, -1 if it is not loaded. */
  positionOf = (name) => this.#names.indexOf(name);

  /** Load the first links of another query. What was loaded stays until they have come. Throws CallError. */
  async open(query) {
    this.query = query;
    const generation = ++this.#generation;
    const pages = [await this.#load(0, linkCount() > FIRST_PAGE ? PAGE : FIRST_PAGE)];
    const [{ total, links: loaded }] = pages;
    if (loaded.length < total && total <= FIRST_PAGE) pages.push(await this.#load(loaded.length, FIRST_PAGE));
    if (generation !== this.#generation) return false;
    this.#names = [];
    this.#links.clear();
    pages.forEach((page) => this.#place(page));
    return true;
  }

  /** Load what is missing of the positions from `first` up to `end`. Returns whether there was any. Throws CallError. */
  async fill(first, end) {
    const missing = [];
    for (let position = first; position < Math.min(end, this.total); position++) {
      if (!this.linkAt(position)) missing.push(position);
    }
    if (!missing.length) return false;
    const begin = Math.floor(missing[0] / PAGE) * PAGE;
    const generation = this.#generation;
    const page = await this.#load(begin, Math.min(Math.max(missing.at(-1) + 1 - begin, PAGE), FIRST_PAGE));
    if (generation !== this.#generation) return false;
    this.#place(page);
    return true;
  }

  /**
   * Load the positions from `first` up to `end` anew, with everything that has changed. Throws CallError.
   *
   * Unless `mayMove()` says so once they have come, links that are shown stay where they are, and are only updated.
   * Returns whether the order is up to date.
   */
  async refresh(first, end, mayMove) {
    const isWhole = this.total === null || this.total <= FIRST_PAGE;
    const begin = isWhole ? 0 : first;
    const generation = this.#generation;
    const page = await this.#load(begin, isWhole ? FIRST_PAGE : Math.min(Math.max(end - first, PAGE), FIRST_PAGE));
    if (generation !== this.#generation) return true;
    if (this.#hasOrder(page)) this.#update(page);
    else if (!mayMove()) {
      this.#update(page);
      return false;
    } else {
      this.#names = [];
      this.#place(page);
      this.#forgetOthers();
    }
    return true;
  }

  /** Apply a link of the stream. Returns how it was in the list before; undefined if it is not loaded. */
  apply(link) {
    for (const request of this.#requests) request.changed.add(link.name);
    const before = this.#links.get(link.name);
    if (before) this.#links.set(link.name, { ...link, hours: laterHours(before.hours, link) });
    return before;
  }

  async #load(offset, limit) {
    const request = { changed: new Set() };
    this.#requests.add(request);
    const { order, group, q } = this.query;
    const query = new URLSearchParams({ fields: "brief", order, limit });
    if (offset) query.set("offset", offset);
    if (group) query.set("group", group);
    if (q) query.set("q", q);
    try {
      const { links: loaded, total } = await call("GET", `links?${query}`);
      return { offset, total, links: loaded, changed: request.changed };
    } finally {
      this.#requests.delete(request);
    }
  }

  #hasOrder({ offset, total, links: loaded }) {
    return total === this.total && loaded.every((link, index) => this.#names[offset + index] === link.name);
  }

  #place(page) {
    this.total = page.total;
    this.#names.length = page.total;
    page.links.forEach((link, index) => (this.#names[page.offset + index] = link.name));
    for (const link of page.links) if (!this.#isNewer(page, link)) this.#links.set(link.name, link);
  }

  #update(page) {
    for (const link of page.links) {
      if (this.#links.has(link.name) && !this.#isNewer(page, link)) this.#links.set(link.name, link);
    }
  }

  /** Whether an event was newer than this answer. */
  #isNewer(page, link) {
    return page.changed.has(link.name) && this.#links.has(link.name);
  }

  #forgetOthers() {
    const placed = new Set(this.#names);
    for (const name of this.#links.keys()) if (!placed.has(name)) this.#links.delete(name);
  }
}

const HOUR_OF_GROUP = { down: "b", look: "g", connecting: "w", connected: "g", off: "o" };
const WORST_HOURS = "bwgo-";

/** The hours of a link after a change, which the stream tells without them: the present hour has its worst state. */
function laterHours(hours, link) {
  const letter = HOUR_OF_GROUP[health(link).group];
  const last = hours.at(-1);
  const isWorse = WORST_HOURS.indexOf(letter) < WORST_HOURS.indexOf(last);
  return hours.slice(0, -1) + (isWorse && letter !== "w" ? letter : last); // short waits do not count
}
