// A tariff as a person writes it: a line for each rate, such as "0043: price = 15, interval = 60". All numbers
// that no other rate is for begin with "*". What amounts are rounded to has a line of its own.

const USUAL = { connection: 0, free: 0, call_type: null };
const OTHERS = "*";

/** The tariff of these lines; undefined if they cannot be one. */
export function tariffOf(text) {
  const tariff = { rates: [] };
  for (const line of text.split("\n").map((one) => one.trim()).filter(Boolean)) {
    const [, prefix, told] = line.match(/^(?:([^:=]*):)?(.*)$/);
    const parts = partsOf(told);
    if (!parts) return undefined;
    if (prefix !== undefined) tariff.rates.push({ prefix: digitsOf(prefix.trim()), ...parts });
    else if ("rounding" in tariff || Object.keys(parts).join() !== "rounding") return undefined;
    else Object.assign(tariff, parts);
  }
  return tariff;
}

function partsOf(text) {
  const pairs = text.split(",").map((part) => part.split("=").map((one) => one.trim()));
  const names = new Set(pairs.map(([name]) => name));
  if (names.size < pairs.length || pairs.some((pair) => pair.length !== 2)) return undefined;
  return Object.fromEntries(pairs.map(([name, value]) => [name, numberOf(value)]));
}

const digitsOf = (prefix) => (prefix === OTHERS ? "" : prefix);

/** What is no number is left as it is: the service tells what is wrong with it. */
export const numberOf = (text) => (/^\d{1,15}$/.test(text) ? Number(text) : text);

/** The lines of a tariff. */
export function rateLines({ rounding, rates }) {
  const lines = rates.map(({ prefix, price, interval, ...more }) => {
    const told = Object.entries(more).filter(([name, value]) => value !== USUAL[name]);
    const parts = [["price", price], ["interval", interval], ...told].map((pair) => pair.join(" = "));
    return `${prefix || OTHERS}: ${parts.join(", ")}`;
  });
  return [...(rounding === 1 ? [] : [`rounding = ${rounding}`]), ...lines].join("\n");
}
