// Runs a set-up once for each element that matches: those in the page now, and those htmx brings.

/** @param {string} selector @param {(element: Element) => void} setUp */
export function each(selector, setUp) {
  const done = new WeakSet();
  const visit = (root) => {
    const found = [...root.querySelectorAll(selector)];
    if (root.matches?.(selector)) found.push(root);
    for (const element of found) {
      if (done.has(element)) continue;
      done.add(element);
      setUp(element);
    }
  };
  visit(document);
  document.addEventListener("htmx:load", (event) => visit(event.target));
}
