// All rooms of one link as they are now: who stays there, what the phone may do, and what is set for it.

import { CallError } from "./former_api.js";
import { arrange, el, setAttribute, setSign, setText, sign } from "./core/dom.js";
import { isResyncing, isUp, links, mood, placeOf, refresh, watch } from "./link_model.js";
import { choice, missingLink, namesCheck, refusal } from "./common_elements.js";
import { roomNews } from "./room_updates.js";
import { RoomRow } from "./room_row.js";
import { t } from "./core/texts.js";

const FILTERS = {
  all: () => true,
  occupied: ({ guests }) => guests.length > 0,
  vacant: ({ guests }) => guests.length === 0,
  lights: ({ do_not_disturb, message_light }) => do_not_disturb || message_light,
  wake_ups: ({ wake_ups }) => wake_ups.length > 0,
  unmapped: ({ extensions }) => extensions.length === 0,
};
const MINUTE = 60_000; // milliseconds

/** The view of the rooms of the link of this name; `element` shows it, `close` ends it. */
export function roomsView(name) {
  const rows = new Map(); // by room
  let inOrder = [];
  let isTold = false;
  let resyncing = false;
  const counts = countsOf();
  const head = headOf(name, counts.element);
  const search = el("input", { type: "search", id: "search", oninput: show });
  const filter = choice(t("rooms.filter"), Object.keys(FILTERS), (one) => t(`rooms.filter.${one}`), show);
  const names = namesCheck(mask);
  const found = el("p", { class: "count", role: "status" });
  const error = el("p", { class: "error", role: "status" });
  const note = el("p", { class: "note", role: "status" });
  const list = el("ul", { class: "rooms", "aria-label": t("rooms.list") });
  const empty = el("p", { class: "empty" });
  const bar = el("div", { class: "bar" }, search, filter, names.element, found);
  const element = el("div", { class: "list" }, head.element, bar, error, note, list, empty);

  const heard = {
    all(rooms) {
      const there = new Set(rooms.map(({ room }) => room));
      for (const room of rows.keys()) if (!there.has(room)) rows.delete(room);
      rooms.forEach(take);
      isTold = true;
      inOrder = sorted(rows.values());
      good();
    },
    one(room) {
      const known = rows.has(room.room);
      take(room);
      if (!known) inOrder = sorted(rows.values());
      good();
    },
    gone(room) {
      rows.delete(room);
      inOrder = sorted(rows.values());
      good();
    },
    resyncing(yes) {
      resyncing = yes;
      showNote();
    },
    failed(problem) {
      if (problem.code === "unknown_link") missing(problem);
      else setText(error, refusal(problem));
    },
  };

  function take(room) {
    if (!rows.has(room.room)) rows.set(room.room, new RoomRow());
    const row = rows.get(room.room);
    if (row.show(room, !names.asked()) && isTold) row.mark();
  }

  function good() {
    setText(error, "");
    show();
  }

  function mask() {
    rows.forEach((row) => row.mask(!names.asked()));
    showHint();
    show();
  }

  function show() {
    const wanted = search.value.trim().toLowerCase();
    const fits = FILTERS[filter.value];
    const shown = inOrder.filter((row) => fits(row.room) && row.says(wanted));
    arrange(list, shown.map((row) => row.element));
    setText(found, isTold ? t("rooms.found", { found: shown.length, all: rows.size }) : "");
    counts.show(inOrder.map((row) => row.room));
    empty.hidden = shown.length > 0;
    setText(empty, t(whyEmpty()));
  }

  function whyEmpty() {
    if (!isTold) return "link.looking";
    if (rows.size) return "rooms.nothing";
    const link = links.get(name);
    return link && !isUp(link) ? "rooms.none_yet" : "rooms.none";
  }

  function showHint() {
    const hint = t(names.asked() ? "rooms.search" : "rooms.search_masked");
    setAttribute(search, "placeholder", hint);
    setAttribute(search, "aria-label", hint);
  }

  function showNote() {
    const link = links.get(name);
    const stale = link && !isUp(link) && rows.size > 0;
    setText(note, stale ? t("rooms.stale") : resyncing ? t("rooms.resyncing") : "");
  }

  function showLink() {
    const link = links.get(name);
    if (!link) return;
    resyncing = isResyncing(link);
    head.show(link);
    if (!rows.size) show();
    showNote();
  }

  function missing(problem) {
    close();
    element.replaceChildren(...missingLink(name, problem));
  }

  const stop = watch((kind, told) => {
    if (kind === "link" && told.link.name === name) showLink();
    if (kind === "forgotten" && isTold && !links.has(name)) missing(new CallError(404, { code: "unknown_link" }));
  });
  const ticking = setInterval(() => rows.forEach((row) => row.tick()), MINUTE);
  const end = roomNews(name, heard);
  function close() {
    stop();
    end();
    clearInterval(ticking);
  }

  const kept = () => ({ searched: search.value, filtered: filter.value, named: names.asked() });
  function keep({ searched, filtered, named }) {
    search.value = searched;
    filter.value = filtered;
    names.ask(named);
    mask();
  }

  showHint();
  showLink();
  show();
  refresh(name).catch(() => {}); // what goes wrong with that, the rooms say
  return { element, close, kept, keep };
}

const order = new Intl.Collator(undefined, { numeric: true });

function sorted(rows) {
  return [...rows].sort((one, other) => order.compare(one.room.room, other.room.room));
}

/** Which link it is, and how that is. */
function headOf(name, more) {
  const drawing = sign("off");
  const marker = el("strong", { class: "marker" });
  const label = el("span", { class: "label" });
  const state = el("p", { class: "state", hidden: true }, drawing, marker, label);
  const back = el("a", { class: "back", href: placeOf(name), text: `← ${t("rooms.back", { name })}` });
  const title = el("h1", { text: t("rooms.title", { name }) });
  const element = el("section", { class: "head" }, back, title, state, more);

  function show(link) {
    state.hidden = false;
    setAttribute(element, "data-mood", mood(link));
    setSign(drawing, mood(link));
    setText(marker, link.state);
    setText(label, t(`label.${link.state}`));
  }

  return { element, show };
}

const COUNTS = {
  rooms: (rooms) => rooms.length,
  occupied: (rooms) => rooms.filter(FILTERS.occupied).length,
  guests: (rooms) => rooms.reduce((sum, { guests }) => sum + guests.length, 0),
  wake_ups: (rooms) => rooms.reduce((sum, { wake_ups }) => sum + wake_ups.length, 0),
  unmapped: (rooms) => rooms.filter(FILTERS.unmapped).length,
};

/** How many there are of what. */
function countsOf() {
  const values = new Map(Object.keys(COUNTS).map((key) => [key, el("dd")]));
  const facts = [...values].map(([key, value]) =>
    el("div", { "data-count": key }, el("dt", { text: t(`rooms.count.${key}`) }), value),
  );
  const element = el("dl", { class: "facts counts" }, ...facts);

  function show(rooms) {
    for (const [key, value] of values) setText(value, String(COUNTS[key](rooms)));
    const unmapped = values.get("unmapped");
    unmapped.parentElement.hidden = unmapped.textContent === "0";
  }

  return { element, show };
}
