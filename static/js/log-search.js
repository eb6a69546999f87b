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

/** The places of an element's text that the pattern matches, at most `limit`. */
function ranges(element, pattern, limit) {
  const found = [];
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  while (walker.nextNode() && found.length < limit) {
    for (const match of walker.currentNode.data.matchAll(pattern)) {
      if (!match[0]) break;
      const place = new StaticRange({
        startContainer: walker.currentNode,
        startOffset: match.index,
        endContainer: walker.currentNode,
        endOffset: match.index + match[0].length,
      });
      found.push(place);
    }
  }
  return found;
}

/**
 * Marks matches with the highlight "log-search" without touching the page's nodes. Browsers that
 * have no custom highlights filter all the same.
 * @param {HTMLElement[]} elements
 */
export function highlight(elements, pattern, limit = 2_000) {
  if (!globalThis.CSS?.highlights) return;
  CSS.highlights.delete("log-search");
  if (!pattern) return;
  const marks = new Highlight();
  for (const element of elements) {
    for (const range of ranges(element, pattern, limit - marks.size)) marks.add(range);
    if (marks.size >= limit) break;
  }
  CSS.highlights.set("log-search", marks);
}
