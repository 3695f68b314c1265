// Chips, segments and switches: buttons that stay pressed.

import { el, setAttribute, setText } from "../core/dom.js";

/**
 * Make a row of chips, of which one is pressed.
 *
 * @param {string} name what the chips choose, for who cannot see them
 * @param {{key: string, text: string, rare?: boolean}[]} choices a rare one is shown only while it counts something
 * @param {(key: string) => void} onChoose
 * @returns {{element: HTMLElement, press(key: string): void, count(counts: Record<string, number | null>): void}}
 */
export function chips(name, choices, onChoose) {
  const made = choices.map(({ key, text, rare = false }) => {
    const number = el("b", { hidden: true });
    const props = { type: "button", class: "chip", "data-chip": key, hidden: rare, onclick: () => onChoose(key) };
    return { key, rare, number, button: el("button", props, text, number) };
  });
  const element = el("div", { class: "row chips", role: "group", "aria-label": name }, ...made.map((one) => one.button));

  function press(key) {
    for (const one of made) setAttribute(one.button, "aria-pressed", String(one.key === key));
  }

  function count(counts) {
    for (const { key, rare, number, button } of made) {
      const some = counts[key] ?? null;
      setAttribute(number, "hidden", some === null);
      setText(number, some === null ? "" : String(some));
      if (rare) setAttribute(button, "hidden", !some && button.getAttribute("aria-pressed") !== "true");
    }
  }

  return { element, press, count };
}

/**
 * Make a button of several parts, of which one is pressed.
 *
 * @param {string} name
 * @param {{key: string, text: string}[]} choices
 * @param {(key: string) => void} onChoose
 */
export function segments(name, choices, onChoose) {
  const buttons = new Map(
    choices.map(({ key, text }) => [key, el("button", { type: "button", text, onclick: () => onChoose(key) })]),
  );
  const element = el("span", { class: "seg", role: "group", "aria-label": name }, ...buttons.values());

  function press(pressed) {
    for (const [key, button] of buttons) setAttribute(button, "aria-pressed", String(key === pressed));
  }

  return { element, buttons, press };
}

/**
 * Make a switch with its label.
 *
 * @param {string} text
 * @param {(on: boolean) => void} onChange
 */
export function switchField(text, onChange, props = {}) {
  const input = /** @type {HTMLInputElement} */ (
    el("input", { class: "switch", type: "checkbox", role: "switch", onchange: () => onChange(input.checked), ...props })
  );
  return { element: el("label", { class: "row" }, el("span", { text }), input), input };
}
