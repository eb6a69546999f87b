// What a search means, and marking what it found.

/**
 * A search as a regular expression: text as it is written, or /an expression/; case matters only
 * when the search has a capital. Null for an empty one or an expression that does not parse.
 */
export function toPattern(search) {
  const expression = /^\/(.+)\/$/.exec(search)?.[1];
  const source = expression ?? search.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  if (!source) return null;
  const flags = /[A-Z]/.test(source) ? "gu" : "giu";
  try {
    return new RegExp(source, flags);
  } catch {
    return null;
  }
}

function* ranges(element, pattern) {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    for (const match of node.data.matchAll(pattern)) {
      if (!match[0]) break;
      const [startOffset, endOffset] = [match.index, match.index + match[0].length];
      yield new StaticRange({ startContainer: node, startOffset, endContainer: node, endOffset });
    }
  }
}

/**
 * Marks matches with the highlight "log-search" without touching the page's nodes. Browsers that
 * have no custom highlights filter all the same.
 * @param {Iterable<HTMLElement>} elements @param {RegExp|null} pattern
 */
export function highlight(elements, pattern) {
  if (!globalThis.CSS?.highlights) return;
  const marks = new Highlight();
  if (pattern) {
    for (const element of elements) {
      for (const range of ranges(element, pattern)) marks.add(range);
    }
  }
  CSS.highlights.set("log-search", marks);
}
