// The lines of a log in the page: blocks of lines, so that the browser lays out only what is seen
// (content-visibility), and one hidden flag a line for the filters.
import { writeAnsi } from "./ansi-dom.js";
import { stripAnsi } from "./ansi.js";

const BLOCK_LINES = 200;
const LINE_PX = 20;

/** @typedef {import("./log-lines.js").Entry & {element?: HTMLElement, plain?: string}} Entry */

function part(tag, name, text = "") {
  const element = document.createElement(tag);
  element.className = name;
  element.textContent = text;
  return element;
}

/** The text of an entry without colours, for searching and downloading. */
export function plainText(entry) {
  entry.plain ??= entry.kind === "gap" ? entry.text : stripAnsi(entry.line.x);
  return entry.plain;
}

export function sourceName({ s, n }) {
  return n > 1 ? `${s}-${n}` : s;
}

export class LogList {
  /** @param {HTMLElement} pane @param {{time: (ms: number) => string, series: (line) => number}} text */
  constructor(pane, text) {
    this.pane = pane;
    this.text = text;
  }

  /** Applies what LogRing.merge answered. @param {(entry: Entry) => boolean} shown */
  apply({ added, removed }, shown) {
    removed.forEach((entry) => this.#remove(entry));
    for (const { entry, before } of added) {
      entry.element = entry.kind === "gap" ? this.#gap(entry) : this.#line(entry);
      entry.element.hidden = !shown(entry);
      if (before) before.element.before(entry.element);
      else this.#lastBlock().append(entry.element);
    }
  }

  /** Writes all times again, after the way of writing them has changed. @param {Entry[]} entries */
  retime(entries) {
    for (const { element, kind, t } of entries) {
      if (kind === "gap") continue;
      const text = this.text.time(t);
      if (element.firstChild.textContent !== text) element.firstChild.textContent = text;
    }
  }

  /** Tells the browser how high the blocks are that it has not laid out, after lines were hidden. */
  estimate(filtered) {
    for (const block of this.pane.children) {
      const shown = block.querySelectorAll(":scope > :not([hidden])").length;
      block.style.containIntrinsicHeight = filtered ? `${shown * LINE_PX}px` : "";
    }
  }

  /** The lines in the blocks that are in sight of the scrolling element. */
  inSight(scroller) {
    const { top, bottom } = scroller.getBoundingClientRect();
    const seen = (block) => {
      const box = block.getBoundingClientRect();
      return box.bottom > top && box.top < bottom;
    };
    const blocks = [...this.pane.children].filter(seen);
    return blocks.flatMap((block) => [...block.querySelectorAll(".log-line:not([hidden])")]);
  }

  #line({ line }) {
    const element = part("div", "log-line");
    if (line.o === "stderr") element.classList.add("log-stderr");
    const source = part("span", `log-source series-${this.text.series(line)}`, sourceName(line));
    const text = part("span", "log-text");
    writeAnsi(text, line.x);
    element.append(part("span", "log-time", this.text.time(line.t)), source, text);
    return element;
  }

  #gap({ text }) {
    return part("div", "log-gap", text || "Lines are missing here");
  }

  #remove({ element }) {
    const block = element.parentElement;
    element.remove();
    if (!block.childElementCount) block.remove();
  }

  #lastBlock() {
    const last = this.pane.lastElementChild;
    if (last && last.childElementCount < BLOCK_LINES) return last;
    return this.pane.appendChild(part("div", "log-block"));
  }
}
