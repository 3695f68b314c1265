// Work by hand while the PMS is away: check in, check out, move. The phones follow at once.

import { call, oneAtATime, ofLink } from "../core/api.js";
import { now } from "../core/clock.js";
import { el, icon, setAttribute } from "../core/dom.js";
import { departureDate } from "../core/hotel_time.js";
import { t } from "../core/texts.js";
import { askToConfirm } from "./dialog.js";
import { visible } from "./elements.js";
import { outcome } from "./outcome.js";
import { CLASSES, className, languageChoices } from "./room_labels.js";

const MOST_NIGHTS = 365;

/**
 * Make the forms of work by hand in one room. `update(room, {isOffered, zone, vacant})` shows what fits the room, and
 * proposes the `vacant` rooms to move to; `onChanged(name)` is called with each room that changed.
 */
export function byHandForm(link, onChanged) {
  const result = outcome();
  const submit = oneAtATime(send);
  const checkIn = checkInFields((body) => submit("check-in", body, t("room.done_checkin")), closeForms);
  const move = moveFields((to) => submit("move", { to }, t("room.done_move", { room: to }), to), closeForms);
  const actions = actionButtons({ checkIn: () => openForm(checkIn), checkOut: askToCheckOut, move: () => openForm(move) });
  const parts = [actions.element, checkIn.element, move.element, result.element];
  const element = el("div", { class: "act" }, ...parts, el("p", { class: "tiny", text: t("room.compared") }));
  let room = null;
  let zone = null;

  function update(shown, { isOffered, zone: hotelZone, vacant }) {
    room = shown;
    zone = hotelZone;
    setAttribute(element, "hidden", !isOffered);
    actions.fit(room.guests.length === 0);
    move.propose(vacant.filter((name) => name !== room.room));
  }

  function openForm(form) {
    closeForms();
    replace(actions.element, form.element);
    form.focus();
  }

  function closeForms() {
    const wasOpen = actions.element.hidden;
    for (const form of [checkIn, move]) setAttribute(form.element, "hidden", true);
    setAttribute(actions.element, "hidden", false);
    if (wasOpen) actions.focus();
  }

  async function askToCheckOut() {
    if (await confirmCheckOut(room)) await submit("check-out", undefined, t("room.done_checkout"));
  }

  async function send(path, body, done, other = null) {
    const request = () => call("POST", ofLink(link, "rooms", room.room, path), withDeparture(body, zone));
    if (!(await result.attempt(request, (why) => t("room.failed_hand", { why })))) return;
    result.show(done);
    closeForms();
    for (const form of [checkIn, move]) form.clear();
    for (const name of [room.room, other]) if (name !== null) onChanged(name);
  }

  const draft = () => (checkIn.element.hidden ? null : checkIn.values());
  function restore(values) {
    if (values === null) return;
    openForm(checkIn);
    checkIn.fill(values);
  }

  return { element, update, draft, restore };
}

/** The buttons that begin each kind of work. `fit(isVacant)` shows those that fit the room. */
function actionButtons({ checkIn, checkOut, move }) {
  const forVacant = [action("in", "room.checkin", checkIn, { class: "primary" })];
  const forOccupied = [action("out", "room.checkout", checkOut), action("arrow", "room.move", move)];
  const all = [...forVacant, ...forOccupied];
  const element = el("div", { class: "row start" }, ...all);
  const focus = () => all.find((button) => !button.hidden).focus();

  function fit(isVacant) {
    const focused = all.find((button) => button === document.activeElement);
    for (const button of forVacant) setAttribute(button, "hidden", !isVacant);
    for (const button of forOccupied) setAttribute(button, "hidden", isVacant);
    if (focused?.hidden) focus(); // the focus stays on one of them
  }

  return { element, fit, focus };
}

function replace(shown, hidden) {
  setAttribute(shown, "hidden", true);
  setAttribute(hidden, "hidden", false);
}

function confirmCheckOut({ room }) {
  const title = t("room.ask_checkout", { room: visible(room) });
  return askToConfirm({ title, text: t("room.ask_checkout.text"), action: t("room.do_checkout") });
}

/** The body of a check-in with the departure for its nights, which count from the date in the hotel. */
function withDeparture(body, zone) {
  if (body?.nights === undefined) return body;
  const { nights, ...rest } = body;
  return { ...rest, departure: departureDate(nights, now(), zone) };
}

const action = (sign, key, onclick, props = {}) => el("button", { type: "button", onclick, ...props }, icon(sign), t(key));

/** A form with a button that repeats the verb, and one that goes back. */
function form(children, verb, onSubmit, onCancel) {
  const cancel = el("button", { type: "button", class: "plain", text: t("room.cancel"), onclick: onCancel });
  const buttons = el("div", { class: "row end" }, cancel, el("button", { type: "submit", class: "primary", text: verb }));
  const submit = (event) => {
    event.preventDefault();
    onSubmit();
  };
  return el("form", { class: "by-hand", hidden: true, onsubmit: submit }, el("div", { class: "fields" }, ...children), buttons);
}

function field(key, width, control) {
  const id = `by-hand-${key}`;
  setAttribute(control, "id", id);
  return el("div", { class: `field ${width}` }, el("label", { for: id, text: t(`room.${key}`) }), control);
}

const choice = (values) => el("select", {}, ...values.map(([value, text]) => el("option", { value, text })));

function checkInFields(onSubmit, onCancel) {
  const classes = CLASSES.map((number) => [String(number), className(number)]);
  const controls = {
    name: el("input", { autocomplete: "off", required: true }),
    first: el("input", { autocomplete: "off" }),
    language: choice([["", t("room.language.unknown")], ...languageChoices()]),
    nights: el("input", { type: "number", min: "1", max: String(MOST_NIGHTS), required: true }),
    class: choice([["", t("room.class.default")], ...classes]),
  };
  const widths = { name: "half", first: "half", language: "half", nights: "half", class: "w12" };
  const fields = Object.entries(controls).map(([key, control]) => field(key, widths[key], control));
  const element = form(fields, t("room.do_checkin"), submit, onCancel);

  function submit() {
    const { name, first, language, nights, class: service } = values();
    onSubmit({
      name,
      ...(first && { first_name: first }),
      ...(language && { language }),
      nights: Number(nights),
      ...(service && { class_of_service: Number(service) }),
    });
  }

  const values = () => Object.fromEntries(Object.entries(controls).map(([key, control]) => [key, control.value.trim()]));
  function fill(given) {
    for (const [key, value] of Object.entries(given)) controls[key].value = value;
  }

  const clear = () => fill({ name: "", first: "", language: "", nights: "1", class: "" });
  clear();
  return { element, values, fill, clear, focus: () => controls.name.focus() };
}

function moveFields(onSubmit, onCancel) {
  const rooms = el("datalist", { id: "vacant-rooms" });
  const to = /** @type {HTMLInputElement} */ (el("input", { list: "vacant-rooms", autocomplete: "off", required: true }));
  const element = form([field("move_to", "w12", to), rooms], t("room.do_move"), () => onSubmit(to.value.trim()), onCancel);

  /** Propose these rooms, in their order. */
  function propose(names) {
    if (names.join("\n") === [...rooms.children].map((one) => one.getAttribute("value")).join("\n")) return;
    rooms.replaceChildren(...names.map((value) => el("option", { value })));
  }

  const clear = () => (to.value = "");
  return { element, propose, clear, focus: () => to.focus() };
}
