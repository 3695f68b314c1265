// Elements are made here, and changed only where they differ: what did not change stays untouched.

/** An element. `props` are attributes, listeners (`onclick`), and `text`; children that are null are left out. */
export function el(tag, props = {}, ...children) {
  return filled(document.createElement(tag), props, children);
}

/** The same for a drawing. */
export function svg(tag, props = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), props, children);
}

function filled(element, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (name === "text") element.textContent = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else setAttribute(element, name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Set, or with false, null or undefined remove, an attribute. */
export function setAttribute(element, name, value) {
  const absent = value === false || value === null || value === undefined;
  const wanted = value === true ? "" : String(value);
  if (absent) element.removeAttribute(name);
  else if (element.getAttribute(name) !== wanted) element.setAttribute(name, wanted);
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Put `wanted` into `parent` in this order; only those that stand elsewhere are moved, and focus stays. */
export function arrange(parent, wanted) {
  const focused = /** @type {HTMLElement} */ (document.activeElement);
  const staying = new Set(wanted);
  for (const element of [...parent.children]) if (!staying.has(element)) element.remove();
  let place = parent.firstChild;
  for (const element of wanted) {
    if (place && element === place.nextSibling) {
      place.remove(); // it goes further down, where its turn will come
      place = element;
    }
    if (element === place) place = place.nextSibling;
    else parent.insertBefore(element, place);
  }
  if (focused !== document.activeElement && parent.contains(focused)) focused.focus({ preventScroll: true });
}

const SIGNS = new URL("../icons/signs.svg", import.meta.url).href;

/** The sign of this name. Without `label` it is decoration beside words; with one it is an image of that name. */
export function icon(name, label = null) {
  const named = label === null ? { "aria-hidden": "true" } : { role: "img", "aria-label": label };
  return svg("svg", { class: "i", viewBox: "0 0 20 20", ...named }, svg("use", { href: `${SIGNS}#${name}` }));
}

/** Show another sign in an element that `icon` made. */
export function setIcon(drawing, name) {
  setAttribute(drawing.firstElementChild, "href", `${SIGNS}#${name}`);
}

/**
 * Make a component that is built once, and afterwards written only where it differs.
 *
 * `build(value)` returns its elements by name, the outermost one as `element`. `update(elements, value)` writes
 * texts and attributes with `setText` and `setAttribute`. The result makes one instance of the component:
 * `{element, update(value)}`.
 */
export function part(build, update) {
  return (value) => {
    const elements = build(value);
    update(elements, value);
    return { element: elements.element, update: (next) => update(elements, next) };
  };
}

const instancesByContainer = new WeakMap();

/**
 * Show these items in `container`, each by an instance of `make` (see `part`).
 *
 * `key(item)` identifies an item: its instance stays, with its focus, and is updated. Instances of other items are
 * removed. Returns the instances by key.
 */
export function keyed(container, items, key, make) {
  const before = instancesByContainer.get(container) ?? new Map();
  const instances = new Map();
  for (const item of items) {
    const instance = before.get(key(item));
    if (instance) instance.update(item);
    instances.set(key(item), instance ?? make(item));
  }
  instancesByContainer.set(container, instances);
  arrange(container, [...instances.values()].map(({ element }) => element));
  return instances;
}
