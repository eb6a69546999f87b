// A pane that stays at its end until the reader scrolls up, and again once they scroll back down.
// Event "change" when that turns.

const NEAR_END_PX = 12;
const READER_MS = 1_000;
const READER_EVENTS = ["wheel", "touchmove", "pointerdown", "keydown"];

export class Follow extends EventTarget {
  #top = 0;
  #touched = -READER_MS;
  on = true;

  /** @param {HTMLElement} pane the element that scrolls */
  constructor(pane) {
    super();
    this.pane = pane;
    const touched = () => (this.#touched = performance.now());
    for (const name of READER_EVENTS) pane.addEventListener(name, touched, { passive: true });
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

  // The browser moves the pane, too, as it learns the height of blocks it had only estimated: only
  // a movement upwards just after a touch, a turn of the wheel or a key is the reader's.
  #scrolled() {
    const up = this.pane.scrollTop < this.#top - 2;
    const byReader = performance.now() - this.#touched < READER_MS;
    this.#top = this.pane.scrollTop;
    if (this.#atEnd()) this.set(true);
    else if (this.on && up && byReader) this.set(false);
    else if (this.on) this.keep();
  }
}
