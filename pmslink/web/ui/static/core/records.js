// Records of a link: what is shown of them, and what is hidden.

/** What stands in place of a guest's data that is not shown. */
export const MASK = "•••";
const MAX_BYTES = 64;

/** Whether a record was not understood, or has an id that FIAS does not know. */
export const isOdd = (record, catalogue) => record.problem !== null || !catalogue.records.includes(record.type);

/** Whether a field tells who a guest is, or could. The text of an answer is the PMS's own word. */
function isPersonal({ type }, code, { answers, personal, fields }) {
  if (code === "CT" && answers.includes(type)) return false;
  return personal.includes(code) || !fields.includes(code);
}

/** The fields of a record as `[code, value]`, with what is personal hidden where `isMasked`. */
export function shownFields(record, isMasked, catalogue) {
  const shown = ([code, value]) => [code, isMasked && value && isPersonal(record, code, catalogue) ? MASK : value];
  return record.fields.map(shown);
}

/**
 * The first bytes of a record, in hexadecimal; null where they are not known. The service has the text of a record,
 * which equals its bytes only while it is ASCII.
 */
export function hexOf(text) {
  const start = text.slice(0, MAX_BYTES);
  if (/\P{ASCII}/u.test(start)) return null;
  return [...start].map((character) => character.charCodeAt(0).toString(16).padStart(2, "0")).join(" ");
}

/** The start of the text of a record, as long as `hexOf` shows it. */
export const startOf = (text) => text.slice(0, MAX_BYTES);

/** The line of a record in a file: what `pmslink trace` writes, with what is personal hidden where `isMasked`. */
export function recordLine(record, isMasked, catalogue) {
  const isKnown = catalogue.records.includes(record.type);
  const fields = shownFields(record, isMasked, catalogue).map(([code, value]) => `${code}${value}|`);
  const text = isKnown ? `${record.type}|${fields.join("")}` : isMasked ? MASK : record.text;
  const arrow = record.direction === "in" ? "<" : ">";
  return `${record.at} ${arrow} ${text}${record.problem ? `  # ${record.problem}` : ""}`;
}

/**
 * Records in order, newest first, without repeats: `newer` are the newest of the service, `records` those that are
 * known; at most `limit` of them. If none of `newer` is known, there may be a gap, and the older ones are dropped.
 */
export function mergeRecords(records, newer, limit) {
  if (newer.length === 0) return [];
  const oldest = newer[newer.length - 1].id;
  const older = records.filter(({ id }) => id < oldest);
  const isContinuous = records.length === 0 || records[0].id >= oldest;
  return [...newer, ...(isContinuous ? older : [])].slice(0, limit);
}
