// The buttons of the log viewer's bar.
import { download } from "./log-download.js";

/** Turns a button with aria-pressed over; true if it is pressed now. */
function toggle(button) {
  const pressed = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", String(pressed));
  return pressed;
}

/** @param {HTMLElement} viewer a <log-viewer> whose parts, follow, filter, times and list are made */
export function bindControls(viewer) {
  const { parts, follow, filter, times, list, ring } = viewer;
  parts.follow.addEventListener("click", () => follow.set(!follow.on));
  parts.pill.addEventListener("click", () => follow.set(true));
  parts.download.addEventListener("click", () => download(ring.entries, viewer.dataset.name));
  parts.wrap.addEventListener("click", () => {
    parts.lines.classList.toggle("log-wrap", toggle(parts.wrap));
    follow.keep();
  });
  parts.only.addEventListener("click", () => {
    filter.onlyMatching = toggle(parts.only);
    viewer.refilter();
  });
  times.addEventListener("change", () => list.retime(ring.entries));
}
