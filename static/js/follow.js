// A pane that stays at its end until the reader scrolls up, and again once they scroll back down.
// Event "change" when that turns.

const NEAR_END_PX = 12;

export class Follow extends EventTarget {
  #top = 0;
  on = true;

  /** @param {HTMLElement} pane the element that scrolls */
  constructor(pane) {
    super();
    this.pane = pane;
    pane.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    new ResizeObserver(() => this.keep()).observe(pane);
  }

  set(on) {
    if (this.on !== on) {
      this.on = on;
      this.dispatchEvent(new Event("change"));
    }
    this.keep();
  }

  /** Scrolls to the end if the pane follows. */
  keep() {
    if (!this.on) return;
    this.pane.scrollTop = this.pane.scrollHeight;
    this.#top = this.pane.scrollTop;
  }

  #atEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.pane;
    return scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
  }

  // Only a movement upwards is the reader's: lines that arrive or are laid out move the end down.
  #scrolled() {
    const up = this.pane.scrollTop < this.#top - 2;
    this.#top = this.pane.scrollTop;
    if (this.#atEnd()) this.set(true);
    else if (up && this.on) this.set(false);
    else if (this.on) this.keep();
  }
}
