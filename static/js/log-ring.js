// The newest entries in order of time, up to a limit. Pure: tested without a browser.

/** @typedef {import("./log-lines.js").Entry} Entry */

export class LogRing {
  /** @type {Entry[]} */
  entries = [];
  #limit;
  trimmed = 0;

  constructor(limit = 10_000) {
    this.#limit = limit;
  }

  /**
   * Merges entries that are in order among themselves.
   * @param {Entry[]} fresh
   * @returns {{added: {entry: Entry, before: Entry|null}[], removed: Entry[]}} what to change in
   *   the page: each addition with the entry it stands before (null: at the end), in an order
   *   in which that entry is already there
   */
  merge(fresh) {
    const added = [];
    for (const entry of fresh) {
      const index = this.#placeFor(entry);
      added.push({ entry, before: this.entries[index] ?? null });
      if (index === this.entries.length) this.entries.push(entry);
      else this.entries.splice(index, 0, entry);
    }
    return this.#trim(added);
  }

  #placeFor(entry) {
    const { entries } = this;
    if (!entries.length || entries.at(-1).t <= entry.t) return entries.length;
    let [low, high] = [0, entries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (entries[middle].t <= entry.t) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #trim(added) {
    const over = this.entries.length - this.#limit;
    if (over <= 0) return { added, removed: [] };
    const gone = this.entries.splice(0, over);
    this.trimmed += over;
    const goneSet = new Set(gone);
    const fresh = new Set(added.map(({ entry }) => entry));
    return {
      added: added.filter(({ entry }) => !goneSet.has(entry)),
      removed: gone.filter((entry) => !fresh.has(entry)),
    };
  }
}
