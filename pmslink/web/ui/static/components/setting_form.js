// What the forms for a new link and for the settings of one have in common: groups, the address that another link has,
// what the service refuses, and leaving without saving.

import { findLinkAt } from "../core/address_use.js";
import { el } from "../core/dom.js";
import { linkAddress } from "../core/router.js";
import { GROUPS } from "../core/settings.js";
import { t } from "../core/texts.js";
import { askToConfirm } from "./dialog.js";
import { card, refusalText } from "./elements.js";

const TYPING_MS = 400; // milliseconds without a key after which an address is looked up

/** The card of a group of settings, with fields of these names. */
export function groupCard(group, fields, names = GROUPS[group]) {
  const grid = el("div", { class: "fields" }, ...fields.of(names).map(({ element }) => element));
  const { element, heading } = card(t(`set.${group}`), grid);
  element.dataset.group = group;
  heading.tabIndex = -1; // a link to the group leads there
  return element;
}

/** The values of a link's settings, by name. */
export const settingValues = (link) => ({ ...link.settings, host: link.host, port: link.port, profile: link.profile });

/**
 * Say at the host which other link has the address in the form.
 *
 * `ownName` is the link that the form is of. Returns `{changed(name), look(), close()}`: `changed` is called for each
 * field that changes, `look` looks at once.
 */
export function watchAddress(fields, ownName = null) {
  let timer = null;
  let looks = 0;
  const look = async () => {
    const mine = ++looks;
    const { host, port } = { host: fields.value("host"), port: fields.value("port") };
    const isComplete = host && port && fields.value("connect") === "dial";
    const link = isComplete ? await findLinkAt(host, port, ownName).catch(() => null) : null;
    if (mine === looks) showUse(fields.get("host"), link, `${host}:${port}`);
  };
  const close = () => clearTimeout(timer);
  const changed = (name) => {
    if (!["host", "port", "connect", null].includes(name)) return;
    close();
    timer = setTimeout(look, TYPING_MS);
  };
  return { changed, look, close };
}

function showUse(field, link, address) {
  if (link === null) return field.block(null);
  const place = el("a", { href: linkAddress(link), text: link });
  return field.block(t("err.in_use", { link, address }), place);
}

/** Mark the setting that the service refuses; returns a sentence for the reader. */
export function markRefused(problem, fields, address) {
  if (problem.code === "in_use") address.look();
  else if (problem.code === "name_taken") fields.refuse({ ...problem, field: "name" });
  else if (fields.refuse(problem)) return t("set.bad");
  return refusalText(problem);
}

/** Ask whether the form may be left although it has changes. */
export function askToLeave(fields) {
  const names = fields.changedNames();
  if (names.length === 0) return true;
  const what = names.map((name) => t(`setting.${name}`)).join(t("set.joint"));
  return askToConfirm({ title: t("set.leave"), text: t("set.leave.text", { what }), action: t("set.leave.do") });
}

/** Have the browser ask, too, before the page is closed or loaded anew. Returns what ends that. */
export function guardUnload(isChanged) {
  const onUnload = (event) => isChanged() && event.preventDefault();
  addEventListener("beforeunload", onUnload);
  return () => removeEventListener("beforeunload", onUnload);
}
