// The elements of a component's markup, by their data-part.

/** @returns {Record<string, HTMLElement>} */
export function partsOf(root) {
  const parts = [...root.querySelectorAll("[data-part]")];
  return Object.fromEntries(parts.map((element) => [element.dataset.part, element]));
}
