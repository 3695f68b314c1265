// Marks what a live change has just altered.

const WASH_MS = 1_200; // as long as the animation of the class

/** Colour an element for a moment, unless the reader wants no motion. */
export function markChanged(element) {
  if (element.classList.contains("told") || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  element.classList.add("told");
  setTimeout(() => element.classList.remove("told"), WASH_MS);
}
