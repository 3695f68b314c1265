// One step of a connection test in words: what is waited for, what was seen, what it means, and what would help.

import { el } from "../core/dom.js";
import { causeRemedy, causeText } from "../core/health.js";
import { describeValue } from "../core/setting_values.js";
import { chosenLanguage, decimal, has, t } from "../core/texts.js";
import { button, visible } from "./elements.js";

/** What a step that runs waits for. */
export function waitingText({ step, limit }, settings) {
  const key = step === "connect" && settings.connect === "accept" ? "call" : step;
  return t(`test.wait.${key}`, { limit: decimal(limit) });
}

/** Why a step has failed. */
export function reasonText(result, settings) {
  return visible(result.cause ? causeText("WAIT_LS", result.cause, settings, result.reason) : result.reason);
}

/** The elements under a step that has ended. `onSuggestion(suggestion)` fills in what would help, and tests again. */
export function stepDetails(result, settings, descriptions, onSuggestion) {
  const elements = result.ok ? passed(result) : failed(result, settings);
  const { suggest: suggestion } = result;
  if (!suggestion) return elements;
  const setting = descriptions.find(({ name }) => name === suggestion.setting);
  const type = result.ok ? "" : "primary";
  const use = button(suggestionText(suggestion, setting), () => onSuggestion(suggestion), { class: `btn-s ${type}` });
  return setting ? [...elements, el("p", { class: "do" }, use)] : elements;
}

const isLineBreaks = ({ seen, suggest }) => Boolean(seen) && suggest?.setting === "framing" && suggest.value === "crlf";

function passed({ reason, advice }) {
  const elements = chosenLanguage() === "en" ? [el("p", { text: visible(reason) })] : [];
  return advice ? [...elements, el("p", { text: visible(advice) })] : elements;
}

function failed(result, settings) {
  const { seen } = result;
  const elements = [el("p", { class: "why", text: seen ? seenText(result) : reasonText(result, settings) })];
  if (seen) elements.push(...seenBytes(seen));
  return [...elements, el("p", { text: meaning(result, settings) })];
}

function seenText(result) {
  const { bytes } = result.seen;
  if (isLineBreaks(result)) return t(bytes === 1 ? "test.junk_one" : "test.junk", { bytes });
  return t(bytes === 1 ? "test.seen_one" : "test.seen", { bytes });
}

/** What it means, the most exact that there is: of these bytes, of this cause, of this step. */
function meaning(result, settings) {
  if (isLineBreaks(result)) return t("test.junk.do");
  const remedy = result.cause && causeRemedy({ ...settings, state: "WAIT_LS", cause: result.cause });
  if (remedy) return remedy;
  return t(`test.meaning.${result.step === "connect" && settings.connect === "accept" ? "call" : result.step}`);
}

function suggestionText({ setting: name, value }, setting) {
  if (name === "framing" && value === "crlf") return t("test.junk.fix");
  const label = has(`setting.${name}`) ? t(`setting.${name}`) : name;
  return t("test.use", { setting: label, value: setting ? describeValue(setting, value) : String(value) });
}

/** The first bytes that came, in hexadecimal, and as text where they are. */
function seenBytes({ hex }) {
  const pairs = hex.match(/../g) ?? [];
  const text = pairs.map(asCharacter).join("");
  return [el("p", { class: "hex" }, pairs.join(" "), el("br"), text)];
}

function asCharacter(pair) {
  if (pair === "0a") return "↵";
  const code = parseInt(pair, 16);
  return code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : "·";
}
