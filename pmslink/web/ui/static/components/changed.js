// Marks what a live change has just altered.

/** Colour an element for a moment, unless the reader wants no motion. */
export function markChanged(element) {
  element.classList.add("told");
  element.addEventListener("animationend", () => element.classList.remove("told"), { once: true });
}
