// Which lines are shown: the chips of the services, and the search box.
import { plainText } from "./log-list.js";
import { highlight, toPattern } from "./log-search.js";

export class LogFilter extends EventTarget {
  #off = new Set();
  #services = new Map();
  #pattern = null;
  onlyMatching = true;

  /** @param {{chips: HTMLElement, search: HTMLInputElement}} parts */
  constructor({ chips, search }) {
    super();
    this.chips = chips;
    search.addEventListener("input", () => {
      this.#pattern = toPattern(search.value);
      search.setAttribute("aria-invalid", String(Boolean(search.value) && !this.#pattern));
      this.dispatchEvent(new Event("change"));
    });
  }

  /** Bound, so that it can be handed on. */
  shows = (entry) => {
    if (entry.kind === "gap") return true;
    if (this.#off.has(entry.line.s)) return false;
    return !this.onlyMatching || !this.#pattern || this.matches(entry);
  };

  matches(entry) {
    this.#pattern.lastIndex = 0;
    return this.#pattern.test(plainText(entry));
  }

  get active() {
    return this.#off.size > 0 || (this.onlyMatching && this.#pattern !== null);
  }

  get searching() {
    return this.#pattern !== null;
  }

  /** Marks the matches in the given lines. @param {HTMLElement[]} lines */
  mark(lines) {
    highlight(this.#pattern ? lines.map((line) => line.lastElementChild) : [], this.#pattern);
  }

  /** The colour, 1 to 8, of a service; the first line of a service makes its chip. */
  series(service, wanted) {
    if (!this.#services.has(service)) {
      const series = Number.isInteger(wanted) ? wanted : this.#services.size;
      this.#services.set(service, (Math.abs(series) % 8) + 1);
      this.chips.append(this.#chip(service));
    }
    return this.#services.get(service);
  }

  #chip(service) {
    const chip = document.createElement("button");
    chip.type = "button";
    chip.className = `chip series-${this.#services.get(service)}`;
    chip.textContent = service;
    chip.setAttribute("aria-pressed", "true");
    chip.addEventListener("click", (event) => this.#toggle(service, event.altKey));
    return chip;
  }

  // With Alt, that service alone; again, all of them.
  #toggle(service, alone) {
    const others = [...this.#services.keys()].filter((name) => name !== service);
    if (alone) {
      const wasAlone = others.length && others.every((name) => this.#off.has(name));
      this.#off = new Set(wasAlone ? [] : others);
    } else if (!this.#off.delete(service)) this.#off.add(service);
    for (const chip of this.chips.children) {
      chip.setAttribute("aria-pressed", String(!this.#off.has(chip.textContent)));
    }
    this.dispatchEvent(new Event("change"));
  }
}
