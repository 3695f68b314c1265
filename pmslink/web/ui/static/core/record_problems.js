// What is not understood of a record, in the language of the reader: the service says it in English.

import { has, t } from "./texts.js";

const PATTERNS = [
  [/^unknown record id(?: (?<id>\w+))?$/, "problem.id"],
  [/^(?<code>..) \(.+\) is missing$/, "problem.missing"],
  [/^(?<code>..) \(.+\) must have 1 to (?<count>\d+) characters, and no control characters inside$/, "problem.room_name"],
  [/^(?<code>..) \(.+\) (?<value>['"].*['"]) is not (?<expected>.+)$/, "problem.value"],
  [/^our own record, sent back$/, "problem.echo"],
  [/^the hotel has (?<count>\d+) (?<what>rooms|guests) already$/, "problem.hotel_full"],
  [/^the room has 1 guests already$/, "problem.room_full_one"],
  [/^the room has (?<count>\d+) guests already$/, "problem.room_full"],
];
const EXPECTED = {
  "one digit": "problem.expected.digit",
  "Y or N": "problem.expected.flag",
  "a number": "problem.expected.number",
  "a number of one or two digits": "problem.expected.short_number",
  "a date YYMMDD": "problem.expected.date",
  "a time HHMMSS or HHMM": "problem.expected.time",
};

/** What the service says of a record, in words of the reader's language; in English where there are none. */
export const problemText = (problem) => problem.split("; ").map(translated).join(t("problem.joint"));

function translated(problem) {
  for (const [pattern, key] of PATTERNS) {
    const match = problem.match(pattern);
    if (match) return t(key === "problem.id" && !match.groups.id ? "problem.no_id" : key, named(match.groups ?? {}));
  }
  return problem;
}

function named({ code, expected, what, ...values }) {
  const field = `field.${code}`;
  return {
    ...values,
    field: code && has(field) ? `${code} (${t(field)})` : code,
    expected: expected && (EXPECTED[expected] ? t(EXPECTED[expected]) : expected),
    what: what && t(`problem.${what}`),
  };
}
