// The counts of a log viewer and the marks of its search. Both look at many lines, so they are made
// a few times a second and not with every line.

const EVERY_MS = 150;

export class LogSummary {
  #timer = null;

  /** @param {HTMLElement} viewer a <log-viewer> */
  constructor(viewer) {
    this.viewer = viewer;
    viewer.parts.pane.addEventListener("scroll", () => this.soon(), { passive: true });
  }

  soon() {
    this.#timer ??= setTimeout(() => this.now(), EVERY_MS);
  }

  now() {
    this.stop();
    const { filter, list, parts } = this.viewer;
    filter.mark(filter.searching ? list.inSight(parts.pane) : []);
    this.#count(this.viewer);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#timer = null;
  }

  #count({ parts, ring, lines, follow, filter, shown }) {
    parts.follow.setAttribute("aria-pressed", String(follow.on));
    parts.pill.hidden = follow.on || lines.waiting === 0;
    parts.new.textContent = lines.waiting.toLocaleString();
    const some = filter.active ? `${shown().length.toLocaleString()} of ` : "";
    const older = ring.trimmed ? `, ${ring.trimmed.toLocaleString()} older left out` : "";
    parts.count.textContent = `${some}${ring.entries.length.toLocaleString()} lines${older}`;
    parts.empty.hidden = ring.entries.length > 0;
  }
}
