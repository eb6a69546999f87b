// How the times of a log are written: not at all, how long ago, the reader's clock, or UTC.
// The choice is kept in this browser.
import { ago, clock } from "./time-text.js";

const WAYS = {
  none: () => "",
  relative: (moment) => ago(moment, Date.now()),
  local: (moment) => clock(moment, false),
  utc: (moment) => clock(moment, true),
};

export class LogTimes extends EventTarget {
  #timer = setInterval(() => this.#tick(), 5_000);

  /** @param {HTMLSelectElement} select */
  constructor(select) {
    super();
    this.select = select;
    const kept = localStorage.getItem("log-times");
    if (kept in WAYS) select.value = kept;
    select.addEventListener("change", () => {
      localStorage.setItem("log-times", select.value);
      this.#change();
    });
    this.#change();
  }

  text = (moment) => WAYS[this.select.value](moment);

  stop() {
    clearInterval(this.#timer);
  }

  #tick() {
    if (this.select.value === "relative") this.dispatchEvent(new Event("change"));
  }

  #change() {
    this.select.closest("log-viewer").dataset.times = this.select.value;
    this.dispatchEvent(new Event("change"));
  }
}
