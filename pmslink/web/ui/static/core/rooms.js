// Facts about rooms, without a document: which chips a room belongs to, on which floor it is, what its codes mean.

/**
 * @typedef {object} Guest
 * @property {string} number the reservation (G#), empty if the PMS identifies guests by room
 * @property {string | null} name
 * @property {string | null} first_name
 * @property {string | null} title
 * @property {string | null} language a code of FIAS
 * @property {string | null} vip
 * @property {string | null} arrival a date in ISO 8601
 * @property {string | null} departure a date in ISO 8601
 * @property {boolean | null} no_post
 * @property {Record<string, string>} fields
 *
 * @typedef {object} WakeUp
 * @property {string} at the hotel's local time in ISO 8601, without a zone
 * @property {number} attempts
 *
 * @typedef {object} ByHand what a person did while the PMS was away
 * @property {string} what `check_in`, `check_out` or `move`
 * @property {string} by the name of the token
 * @property {string} at
 *
 * @typedef {object} Room
 * @property {string} room
 * @property {string[]} extensions
 * @property {Guest[]} guests
 * @property {number | null} class_of_service
 * @property {boolean} do_not_disturb
 * @property {boolean} [make_up_room]
 * @property {boolean} message_light
 * @property {number | null} status
 * @property {WakeUp[]} wake_ups
 * @property {string | null} changed
 * @property {ByHand | null} [by_hand]
 */

/** The conditions of a room for housekeeping, and the statuses of FIAS for a vacant and for an occupied room. */
const STATUSES = { dirty: [1, 2], clean: [3, 4], ok: [5, 6] };

export const CONDITIONS = Object.keys(STATUSES);

/** Return the condition that a status means; null for none and for a hotel's own status. */
export const conditionOf = (status) =>
  CONDITIONS.find((condition) => STATUSES[condition].includes(status)) ?? null;

/** Return the status of FIAS for a condition of this room. */
export const statusOf = (condition, { guests }) => STATUSES[condition][guests.length > 0 ? 1 : 0];

/**
 * Return what a request must name for a status: the status itself, or what the hotel's phones dial for it.
 * Null if the hotel's codes lack it.
 *
 * @param {number} status
 * @param {Record<string, number>} codes the statuses by what phones dial; empty if they dial the status itself
 */
export function requestedStatus(status, codes) {
  if (Object.keys(codes).length === 0) return status;
  return Object.keys(codes).find((dialled) => codes[dialled] === status) ?? null;
}

/** The chips above the rooms, in this order, with the rooms that each shows. */
export const CHIPS = {
  all: () => true,
  occupied: ({ guests }) => guests.length > 0,
  vacant: ({ guests }) => guests.length === 0,
  dnd: (room) => room.do_not_disturb,
  message: (room) => room.message_light,
  wake: (room) => room.wake_ups.length > 0,
  dirty: (room) => conditionOf(room.status) === "dirty",
  hand: (room) => Boolean(room.by_hand),
  unmapped: (room) => room.extensions.length === 0,
};

/** The chips that are shown only while a room belongs to them. */
export const RARE_CHIPS = ["hand", "unmapped"];

/** Return how many rooms belong to each chip. */
export function chipCounts(rooms) {
  return Object.fromEntries(
    Object.entries(CHIPS).map(([chip, belongs]) => [chip, rooms.filter(belongs).length]),
  );
}

const numerically = new Intl.Collator("en", { numeric: true });

/** Compare two rooms by number. */
export const byNumber = (one, other) => numerically.compare(one.room, other.room);

const FLOOR_AND_DOOR = /^(\D*\d+)\d\d$/;
/** The least share of rooms whose numbers must name a floor, for a view by floors to make sense. */
const LEAST_SHARE = 0.6;

/** Return the floor that a room's number names: all but its last two digits; null if it names none. */
export const floorOf = (name) => FLOOR_AND_DOOR.exec(name)?.[1] ?? null;

/** Check whether enough of the rooms have numbers that name a floor. */
export function haveFloors(rooms) {
  const named = rooms.filter(({ room }) => floorOf(room) !== null).length;
  return named > 0 && named >= LEAST_SHARE * rooms.length;
}

/** Return the rooms by floor, the highest floor first and rooms without a floor last. */
export function groupByFloor(rooms) {
  const floors = new Map();
  for (const room of [...rooms].sort(byNumber)) {
    const floor = floorOf(room.room);
    if (!floors.has(floor)) floors.set(floor, []);
    floors.get(floor).push(room);
  }
  /** @type {(one: [string | null, any], other: [string | null, any]) => number} */
  const highestFirst = ([one], [other]) =>
    Number(one === null) - Number(other === null) || numerically.compare(other ?? "", one ?? "");
  return [...floors].sort(highestFirst).map(([floor, some]) => ({ floor, rooms: some }));
}

/** Return the name of a guest in one line; empty if the PMS has sent none. */
export const guestName = ({ name, first_name: first, title }) =>
  [name, first, title].filter(Boolean).join(", ");

/** Return what a search looks at: guests only if their names are shown. */
export function searchedText({ room, extensions, guests }, areNamesShown) {
  const ofGuests = areNamesShown
    ? guests.flatMap((guest) => [guestName(guest), ...Object.values(guest.fields)])
    : [];
  return [room, ...extensions, ...ofGuests].join("\n").toLowerCase();
}

/** Return the wake-up that rings next; null if there is none. */
export function nextWakeUp({ wake_ups: wakeUps }) {
  return wakeUps.reduce((next, one) => (next === null || one.at < next.at ? one : next), null);
}
