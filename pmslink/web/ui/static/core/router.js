// The address of a view stands behind "#": `#/links/NAME/rooms/214?q=21`.

/** The tabs of a link, in their order; the first one has no part of the address of its own. */
export const TABS = ["overview", "rooms", "outbox", "history", "records", "phones", "settings"];

/**
 * The view that an address stands for.
 *
 * `key` is equal for addresses of one view (all tabs of a link, all filters of the list): such a view is not
 * built anew, it gets the new parameters. An address of nothing is the view "missing".
 */
export function parseAddress(hash) {
  const [path, search = ""] = hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  const [first, name, tab, room] = path.split("/").map(decode);
  const query = new URLSearchParams(search);
  if (first === "links" && name) {
    return { view: "link", key: `link ${name}`, name, tab: TABS.includes(tab) ? tab : TABS[0], room, query };
  }
  if (["new", "notices", "about"].includes(first)) return { view: first, key: `${first} ${search}`, query };
  if (first === "" || (first === "links" && name === undefined)) return { view: "links", key: "links", query };
  return { view: "missing", key: `missing ${path}`, query };
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // not a name of a link or room
  }
}

/** The address of a link, of one of its tabs, or of a room. */
export function linkAddress(name, tab = TABS[0], room = null, query = {}) {
  const parts = ["#", "links", encodeURIComponent(name)];
  if (tab !== TABS[0]) parts.push(tab);
  if (room !== null) parts.push(encodeURIComponent(room));
  return parts.join("/") + serializeQuery(query);
}

let shown = ""; // the address, from "#" on, whose view is shown

/** Whether the view of the present address is shown. */
export const isShown = () => location.hash === shown;

/** Note that the view of this address is shown. */
export function noteShown(hash) {
  shown = hash;
}

/** Write the address of the view that is shown over another one that the reader has not gone to. */
export const restoreAddress = () => history.replaceState(null, "", shown || "#/");

/** Write filters into the address of the present view, which stays; empty ones are left out. */
export function replaceQuery(query) {
  const [path] = (location.hash || "#/").split("?");
  history.replaceState(null, "", path + serializeQuery(query));
  noteShown(location.hash);
}

function serializeQuery(query) {
  const present = Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  const search = new URLSearchParams(present).toString();
  return search && `?${search}`;
}
