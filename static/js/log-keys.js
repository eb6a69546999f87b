// Keys of the log viewer: / searches, f follows, g and G go to the first and the last line, Enter in
// the search box goes to the next match, Escape leaves it.

const typing = (target) => target.closest?.("input, textarea, select, [contenteditable], dialog[open]");

function inSearch(viewer, event) {
  if (event.key === "Escape") {
    viewer.parts.search.value = "";
    viewer.parts.search.dispatchEvent(new Event("input"));
    viewer.parts.pane.focus();
  } else if (event.key === "Enter") toNextMatch(viewer, event.shiftKey);
}

function toNextMatch(viewer, back) {
  if (!viewer.filter.searching) return;
  const matching = viewer.shown().filter((entry) => entry.kind === "line" && viewer.filter.matches(entry));
  if (!matching.length) return;
  const index = matching.indexOf(viewer.current);
  const next = index < 0 ? (back ? matching.length - 1 : 0) : index + (back ? -1 : 1);
  viewer.current?.element.classList.remove("log-current");
  viewer.current = matching.at(next % matching.length);
  viewer.follow.set(false);
  viewer.current.element.classList.add("log-current");
  viewer.current.element.scrollIntoView({ block: "center" });
}

const KEYS = {
  "/": (viewer) => viewer.parts.search.focus(),
  f: (viewer) => viewer.follow.set(!viewer.follow.on),
  g: (viewer) => {
    viewer.follow.set(false);
    viewer.parts.pane.scrollTop = 0;
  },
  G: (viewer) => viewer.follow.set(true),
};

/** @param {AbortSignal} signal ends the keys with the viewer */
export function bindKeys(viewer, signal) {
  viewer.parts.search.addEventListener("keydown", (event) => inSearch(viewer, event));
  const pressed = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (!KEYS[event.key] || !viewer.checkVisibility()) return;
    event.preventDefault();
    KEYS[event.key](viewer);
  };
  document.addEventListener("keydown", pressed, { signal });
}
