// The rooms of a link, for the front desk: floors or list, filters, and the panel of one room.

import { may } from "../core/api.js";
import { awaySince, isOffered } from "../core/by_hand.js";
import { now } from "../core/clock.js";
import { el, setAttribute } from "../core/dom.js";
import { pressedStep } from "../core/keys.js";
import { RoomFeed } from "../core/room_feed.js";
import { CHIPS, byNumber, haveFloors, searchedText } from "../core/rooms.js";
import { isPosting } from "../core/postings.js";
import { linkAddress, replaceQuery } from "../core/router.js";
import { loadFieldNames, minute, t } from "../core/texts.js";
import { comparedCard } from "../components/compared.js";
import { failureLine, refusalText } from "../components/elements.js";
import { floorView } from "../components/floors.js";
import { roomTable } from "../components/room_table.js";
import { roomsBar } from "../components/rooms_bar.js";
import { byHandBanner, emptyRooms } from "../components/rooms_notes.js";
import { roomPanel } from "./room.js";

class RoomsTab {
  #name;
  #link;
  #opened; // the name of the room in the panel, or null
  #isOpenedHere = false; // the panel was opened by an action on this page, so that Back closes it
  #rooms = null; // by name; null until they are loaded
  #isResyncing = false;
  #areFieldsNamed = false;
  #lastSet = {}; // in the opened room: who set what last
  #wasOffered = false; // work by hand, when it was last shown
  #feed;
  #bar;
  #banner;
  #compared = comparedCard(({ room, to }) => [room, to].filter(Boolean).forEach((one) => this.#feed.loadRoom(one)));
  #floors = floorView();
  #table = roomTable();
  #panel;
  #empty;
  #failure = failureLine();
  #printed = el("section", { class: "print-only" });

  constructor({ name, link, query, room }) {
    this.#name = name;
    this.#link = link;
    this.#opened = room ?? null;
    this.#bar = roomsBar(filterOf(query), { onFilter: () => replaceQuery(this.#query()), onChange: () => this.#onChange() });
    this.#banner = byHandBanner(() => this.#bar.change({ chip: "hand" }));
    this.#empty = emptyRooms(name, () => this.#bar.clear());
    this.#panel = roomPanel({ link: name, onClose: () => this.#closePanel(), onChanged: (one) => this.#feed.loadRoom(one) });
    const shown = el("div", { class: "in" }, this.#floors.element);
    const card = el("section", { class: "card rooms", "aria-label": t("rooms.region") }, shown, this.#table.element, this.#empty.element);
    this.sides = el("div", { class: "no-print" }, card, this.#panel.element);
    const notes = [this.#compared.element, this.#banner.element];
    this.element = el("div", { class: "stack" }, ...notes, this.#bar.element, this.#failure.element, this.sides, this.#printed);
    this.#compared.update(link);
    this.#feed = new RoomFeed(link, this.#listener());
    if (this.#opened !== null) this.#feed.loadRoom(this.#opened);
    addEventListener("beforeprint", this.#print);
    this.#show();
    this.#showPanel();
  }

  // What a view offers to the frame.

  title() {
    if (this.#opened === null) return `${this.#name} · ${t("rooms.region")}`;
    return `${t("room.title", { room: this.#opened })} · ${this.#name}`;
  }

  update(kind, data) {
    if (kind === "tick") return this.#tick();
    if (kind === "link" && data.link.name === this.#name) this.#onLink(data.link);
    if (kind === "posting" && !isPosting(data.posting) && data.posting.room === this.#opened) {
      this.#feed.loadRoom(this.#opened); // what was set in it has reached the PMS, or has not
    }
    return this.#feed.handle(kind, data);
  }

  change({ room, query }) {
    const before = this.#opened;
    this.#opened = room ?? null;
    this.#bar.set(filterOf(query));
    if (before === this.#opened) return;
    this.#lastSet = {};
    if (this.#opened !== null) this.#feed.loadRoom(this.#opened);
    this.#show();
    this.#showPanel();
    if (this.#opened === null) this.#focusRoom(before);
  }

  close() {
    this.#feed.stop();
    this.#panel.stop();
    this.#table.stop();
    removeEventListener("beforeprint", this.#print);
  }

  draft() {
    return { query: this.#bar.filter.query, areNamesShown: this.#bar.areNamesShown(), panel: this.#panel.draft() };
  }

  restore({ panel, ...bar }) {
    this.#bar.fill(bar);
    if (panel) this.#panel.restore(panel);
  }

  onKey(event) {
    const step = this.#table.element.hidden ? null : pressedStep(event, this.#table.element);
    if (step !== null) {
      event.preventDefault();
      this.#table.moveFocus(step);
      return;
    }
    const isTaken = event.defaultPrevented || document.querySelector("dialog:modal, [popover]:popover-open");
    if (event.key !== "Escape" || this.#opened === null || isTaken) return;
    event.preventDefault();
    this.#closePanel();
  }

  // Rooms.

  #listener() {
    const changed = (change) => (value) => {
      change(value);
      this.#failure.show("");
      this.#show();
      this.#showPanel();
    };
    return {
      onAll: changed((rooms) => (this.#rooms = new Map(rooms.map((room) => [room.room, this.#known(room)])))),
      onRoom: changed(({ set, ...room }) => {
        this.#rooms?.set(room.room, this.#known(room));
        if (room.room === this.#opened) this.#lastSet = set;
      }),
      onGone: changed((name) => this.#rooms?.delete(name)),
      onResync: (isRunning) => {
        this.#isResyncing = isRunning;
        this.#show();
      },
      onFailed: (error) => this.#failure.show(refusalText(error)),
    };
  }

  /** Return the room as it is known already if nothing about it has changed: then nothing is drawn anew. */
  #known(room) {
    const before = this.#rooms?.get(room.room);
    return JSON.stringify(before) === JSON.stringify(room) ? before : room;
  }

  #onLink(link) {
    this.#link = link;
    this.#isResyncing = link.held?.by === "resync";
    this.#compared.update(link);
    this.#show();
    this.#showPanel();
  }

  #tick() {
    this.#panel.tick();
    if (this.#isOffered() === this.#wasOffered) return;
    this.#show();
    this.#showPanel();
  }

  #isOffered = () => may("desk") && isOffered(this.#link, now());

  #all = () => (this.#rooms === null ? [] : [...this.#rooms.values()].sort(byNumber));

  /** Return the rooms that pass the filters. */
  #found() {
    const { query, chip } = this.#bar.filter;
    const wanted = query.toLowerCase();
    const areNamesShown = this.#bar.areNamesShown();
    return this.#all().filter((room) => CHIPS[chip](room) && searchedText(room, areNamesShown).includes(wanted));
  }

  #look() {
    const query = this.#query();
    return {
      areNamesShown: this.#bar.areNamesShown(),
      opened: this.#opened,
      zone: this.#link.settings.timezone,
      open: (room) => this.#openPanel(room),
      address: (room) => linkAddress(this.#name, "rooms", room, query),
    };
  }

  #show() {
    const rooms = this.#all();
    const found = this.#found();
    const floors = haveFloors(rooms);
    const shape = floors && this.#bar.filter.shape !== "list" ? "floors" : "list";
    this.#bar.show(this.#rooms && rooms, found.length, { shape, haveFloors: floors });
    setAttribute(this.#floors.element.parentElement, "hidden", shape !== "floors" || found.length === 0);
    setAttribute(this.#table.element, "hidden", shape !== "list" || found.length === 0);
    if (shape === "floors") this.#floors.show(found, this.#look());
    else this.#table.show(found, this.#look());
    this.#empty.show(found.length ? null : this.#whyNone());
    this.#showBanner();
  }

  #whyNone() {
    if (this.#rooms === null) return "loading";
    if (this.#rooms.size > 0) return "nothing";
    if (this.#isResyncing) return "resyncing";
    return this.#link.in_sync ? "none" : "none_yet";
  }

  #showBanner() {
    this.#wasOffered = this.#isOffered();
    if (!this.#wasOffered) return this.#banner.hide();
    const count = this.#link.by_hand.open;
    return this.#banner.show({ since: awaySince(this.#link), isOff: this.#link.intent !== "enabled", count });
  }

  // Filters in the address.

  #query() {
    const { query, chip, shape } = this.#bar.filter;
    return { q: query, show: chip === "all" ? "" : chip, view: shape };
  }

  #onChange() {
    this.#compared.showNames(this.#bar.areNamesShown());
    this.#show();
    this.#showPanel();
  }

  // The panel of a room.

  #showPanel() {
    setAttribute(this.sides, "class", `no-print${this.#opened === null ? "" : " with-side"}`);
    if (this.#opened === null) return this.#panel.hide();
    const room = this.#rooms === null ? undefined : (this.#rooms.get(this.#opened) ?? null);
    if (room?.guests.some(({ fields }) => Object.keys(fields).length > 0)) this.#nameFields();
    const vacant = this.#all().filter(CHIPS.vacant).map((one) => one.room);
    return this.#panel.show(this.#opened, room, {
      areNamesShown: this.#bar.areNamesShown(),
      isAllowed: may("rooms"),
      lastSet: this.#lastSet,
      isOffered: this.#isOffered(),
      isWaiting: may("rooms") && !this.#link.in_sync,
      zone: this.#link.settings.timezone,
      codes: this.#link.settings.status_codes,
      vacant,
    });
  }

  /** Load the names of the fields of guests that the PMS sends beyond the usual ones. */
  async #nameFields() {
    if (this.#areFieldsNamed) return;
    this.#areFieldsNamed = true;
    await loadFieldNames();
    this.#showPanel();
  }

  #openPanel(room) {
    const address = linkAddress(this.#name, "rooms", room, this.#query());
    if (this.#opened !== null) return location.replace(address);
    this.#isOpenedHere = true;
    location.hash = address;
    return undefined;
  }

  #closePanel() {
    const address = linkAddress(this.#name, "rooms", null, this.#query());
    if (this.#isOpenedHere) history.back();
    else location.replace(address);
    this.#isOpenedHere = false;
  }

  /** Put the focus on a room, after its panel was closed. */
  #focusRoom(name) {
    if (this.#floors.focusRoom(name)) return;
    this.#table.focusRoom(name);
  }

  // Paper.

  /** Print the rooms that pass the filters as a list with their wake-ups. */
  #print = () => {
    const table = roomTable(true);
    table.show(this.#found(), { ...this.#look(), opened: null });
    const at = minute(new Date(now()).toISOString());
    this.#printed.replaceChildren(el("h2", { text: t("rooms.printed", { name: this.#name, at }) }), table.element);
  };
}

/** Return the filter that the query of an address stands for. */
function filterOf(query) {
  const chip = query.get("show") ?? "all";
  return { query: query.get("q") ?? "", chip: chip in CHIPS ? chip : "all", shape: query.get("view") ?? "" };
}

/** The tab "Rooms" of a link. */
export const view = (params) => new RoomsTab(params);
