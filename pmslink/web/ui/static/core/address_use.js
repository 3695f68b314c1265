// Which link uses an address already: a PMS takes one client per port.

import { call } from "./api.js";
import { address } from "./health.js";

const LIMIT = 100;

/** The link of another name that dials this host and port, or null. Throws CallError. */
export async function findLinkAt(host, port, exceptName) {
  const query = new URLSearchParams({ q: address({ host, port }), limit: String(LIMIT), fields: "brief" });
  const { links } = await call("GET", `links?${query}`);
  const found = links.find((link) => isUsedBy(link, host, port) && link.name !== exceptName);
  return found?.name ?? null;
}

const isUsedBy = (link, host, port) =>
  link.settings.connect === "dial" && link.port === port && plain(link.host) === plain(host);

const plain = (host) => host.toLowerCase().replace(/\.$/, "");
