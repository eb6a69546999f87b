// Which log lines are new, which were seen, and where one is missing. Pure: tested without a
// browser. Every line carries its position in its container's log and the position of the line
// before it, so a line doubled by a reconnection is told apart from one that was never sent.

/**
 * @typedef {{c: string, s: string, n: number, p: number, q: number|null, t: number, o: string,
 *   x: string}} Line
 * @typedef {{kind: "line"|"gap", t: number, line?: Line, text?: string, c: string}} Entry
 */

const TRIES = 3;
const CURSORS = 900;

export class LogLines {
  #containers = new Map();
  #waiting = [];
  #limit;
  received = 0;

  get waiting() {
    return this.#waiting.length;
  }

  /** @param {number} limit how many entries are kept while nobody takes them */
  constructor(limit = 10_000) {
    this.#limit = limit;
  }

  /**
   * The last position held of each container: what the "resume" message of a new connection
   * carries, to have all lines after it sent. Of very many containers, the latest.
   */
  resume() {
    for (const state of this.#containers.values()) state.asked = false;
    const latest = [...this.#containers].sort(([, a], [, b]) => b.time - a.time).slice(0, CURSORS);
    return Object.fromEntries(latest.map(([id, state]) => [id, state.position]));
  }

  /**
   * Takes a batch. False if a line is missing before one of them: then the caller connects anew,
   * and the missing line and all after it come again.
   * @param {Line[]} lines
   */
  accept(lines) {
    const whole = lines.map((line) => this.#acceptOne(line)).every(Boolean);
    if (this.#waiting.length > 2 * this.#limit) this.#waiting = this.take();
    return whole;
  }

  /** Notes that the positions up to `to` can no longer be had, and goes on after them. */
  gap({ c, to, reason }) {
    const state = this.#containers.get(c);
    if (state && to <= state.position) return;
    this.#hold(c, to, state?.time ?? 0);
    this.#waiting.push({ kind: "gap", c, t: state?.time ?? 0, text: reason });
  }

  /** The entries that arrived since the last call, in order of time. */
  take() {
    const entries = this.#waiting.sort((a, b) => a.t - b.t).slice(-this.#limit);
    this.#waiting = [];
    return entries;
  }

  #acceptOne(line) {
    const state = this.#containers.get(line.c);
    if (state && (line.q ?? -1) > state.position) return this.#missing(state, line);
    if (!state || line.p > state.position) this.#push(line, state);
    return true;
  }

  // A line that is still missing after three connections cannot be had: say so, and go on.
  #missing(state, line) {
    if (state.asked) return true;
    if (state.tries < TRIES) {
      state.tries += 1;
      state.asked = true;
      return false;
    }
    this.gap({ c: line.c, to: line.q, reason: "Lines are missing here" });
    this.#push(line, this.#containers.get(line.c));
    return true;
  }

  #hold(container, position, time) {
    this.#containers.set(container, { position, time, tries: 0, asked: false });
  }

  // A clock that was set back must not put a line before the one its container wrote earlier.
  #push(line, state) {
    const t = Math.max(line.t, state?.time ?? 0);
    this.#hold(line.c, line.p, t);
    this.#waiting.push({ kind: "line", c: line.c, t, line });
    this.received += 1;
  }
}
