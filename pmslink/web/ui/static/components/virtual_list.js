// A list of which only the rows in sight, and some above and below, are in the document. The page scrolls, not the list.

import { arrange, setAttribute } from "../core/dom.js";

const MARGIN_ROWS = 12; // above and below what is in sight

/**
 * Shows the rows of a long list; all have one height.
 *
 * `options`: `rowHeight()` in rem; `itemAt(position)`, undefined for a row that is not loaded;
 * `key(item)` identifies an item; `make(item)` makes an instance (see `part` in `dom.js`), also of undefined;
 * `onRange(first, end)` is called when other positions are in the document.
 * A row that has the focus stays in the document, wherever the page is scrolled.
 */
export class VirtualList {
  #rows = new Map(); // by key: {element, update, position}
  #count = 0;
  #range = [0, 0];
  #scrolled = () => this.draw();

  constructor(element, options) {
    this.element = element;
    this.options = options;
    addEventListener("scroll", this.#scrolled, { passive: true });
    addEventListener("resize", this.#scrolled);
  }

  /** Stop following the page. */
  close() {
    removeEventListener("scroll", this.#scrolled);
    removeEventListener("resize", this.#scrolled);
  }

  /** The positions in the document: the first one, and the one after the last. */
  get range() {
    return this.#range;
  }

  /** The height of a row in pixels. */
  #rowHeight() {
    return this.options.rowHeight() * parseFloat(getComputedStyle(document.documentElement).fontSize);
  }

  /** Show this many rows. */
  setCount(count) {
    this.#count = count;
    this.draw();
  }

  /** Show the rows in sight as they are now. */
  draw() {
    const height = this.#rowHeight();
    const total = `${this.#count * height}px`;
    if (this.element.style.height !== total) this.element.style.height = total;
    const above = -this.element.getBoundingClientRect().top;
    const first = Math.min(Math.max(0, Math.floor(above / height) - MARGIN_ROWS), this.#count);
    const rows = Math.ceil(innerHeight / height) + 2 * MARGIN_ROWS;
    const end = Math.min(first + rows, this.#count);
    this.#place(first, end, height);
    if (this.#range[0] === first && this.#range[1] === end) return;
    this.#range = [first, end];
    this.options.onRange?.(first, end);
  }

  #place(first, end, height) {
    const rows = new Map();
    for (let position = first; position < end; position++) this.#take(rows, position);
    for (const [key, row] of this.#rows) {
      if (!rows.has(key) && row.element.contains(document.activeElement)) rows.set(key, row);
    }
    this.#rows = rows;
    const ordered = [...rows.values()].sort((one, other) => one.position - other.position);
    for (const { element, position } of ordered) {
      const top = `${position * height}px`;
      if (element.style.top !== top) element.style.top = top;
      setAttribute(element, "aria-rowindex", position + 2); // the first row has the headings
    }
    arrange(this.element, ordered.map(({ element }) => element));
  }

  #take(rows, position) {
    const item = this.options.itemAt(position);
    const wanted = item === undefined ? position : this.options.key(item);
    const key = rows.has(wanted) ? `${wanted} ${position}` : wanted; // while parts of the list are of different ages
    const row = this.#rows.get(key) ?? this.options.make(item);
    row.update(item);
    row.position = position;
    rows.set(key, row);
  }

  /** The rows in the document. */
  rows = () => this.#rows.values();

  /** The row at a position, if it is in the document. */
  rowAt(position) {
    return [...this.#rows.values()].find((row) => row.position === position);
  }

  /** Scroll the page so that the row at a position is in sight, below what sticks to the upper edge. */
  reveal(position, stickyHeight) {
    const height = this.#rowHeight();
    const top = this.element.getBoundingClientRect().top + position * height;
    if (top < stickyHeight) scrollBy(0, top - stickyHeight);
    else if (top + height > innerHeight) scrollBy(0, top + height - innerHeight);
    this.draw();
  }
}
