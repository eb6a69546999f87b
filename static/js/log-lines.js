// Which log lines are new, which were seen, and where one is missing. Pure: tested without a
// browser. Every line carries its position in its container's log and the position of the line
// before it, so a line doubled by a reconnection is told apart from one that was never sent.

/**
 * @typedef {{c: string, s: string, n: number, p: number, q: number|null, t: number, o: string,
 *   x: string}} Line
 * @typedef {{kind: "line"|"gap", t: number, line?: Line, text?: string, c: string}} Entry
 */

export class LogLines {
  #containers = new Map();
  #waiting = [];
  #limit;
  received = 0;

  /** @param {number} limit how many entries are kept while nobody takes them */
  constructor(limit = 10_000) {
    this.#limit = limit;
  }

  /** The last position held of each container: what a "resume" message carries. */
  cursors() {
    return Object.fromEntries([...this.#containers].map(([id, state]) => [id, state.position]));
  }

  /**
   * Takes a batch. False if a line is missing before one of them: then the caller resumes from
   * cursors(), which has the missing line and all after it sent again.
   * @param {Line[]} lines
   */
  accept(lines) {
    const whole = lines.map((line) => this.#acceptOne(line)).every(Boolean);
    this.#shed();
    return whole;
  }

  /** Notes that the positions up to `to` can no longer be had, and goes on after them. */
  gap({ c, to, reason }) {
    const state = this.#containers.get(c);
    if (state && to <= state.position) return;
    this.#containers.set(c, { position: to, time: state?.time ?? 0, asked: null });
    this.#waiting.push({ kind: "gap", c, t: state?.time ?? 0, text: reason });
  }

  /** The entries that arrived since the last call, in order of time. */
  take() {
    const entries = this.#waiting.sort((a, b) => a.t - b.t).slice(-this.#limit);
    this.#waiting = [];
    return entries;
  }

  get waiting() {
    return this.#waiting.length;
  }

  #acceptOne(line) {
    const state = this.#containers.get(line.c);
    if (state && line.p <= state.position) return true;
    if (state && line.q !== null && line.q !== undefined && line.q > state.position) {
      return this.#missing(state, line);
    }
    this.#push(line, state);
    return true;
  }

  // Asked for once, a line that is still missing cannot be had: say so rather than ask for ever.
  #missing(state, line) {
    if (state.asked !== state.position) {
      state.asked = state.position;
      state.wanted = line.p;
      return false;
    }
    if (line.p !== state.wanted) return true;
    this.gap({ c: line.c, to: line.q, reason: "Lines are missing here" });
    this.#push(line, this.#containers.get(line.c));
    return true;
  }

  // A clock that was set back must not put a line before the one its container wrote earlier.
  #push(line, state) {
    const t = Math.max(line.t, state?.time ?? 0);
    this.#containers.set(line.c, { position: line.p, time: t, asked: null });
    this.#waiting.push({ kind: "line", c: line.c, t, line });
    this.received += 1;
  }

  #shed() {
    if (this.#waiting.length > 2 * this.#limit) this.#waiting = this.take();
  }
}
