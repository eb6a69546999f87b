// <log-viewer data-url="/ws/logs/…/">: the logs of a project's containers as they are written.
// The markup is templates/components/log_viewer.html; the rules of what is new are log-lines.js's.
import { Follow } from "./follow.js";
import { download } from "./log-download.js";
import { LogFilter } from "./log-filter.js";
import { bindKeys } from "./log-keys.js";
import { LogLines } from "./log-lines.js";
import { LogList } from "./log-list.js";
import { LogRing } from "./log-ring.js";
import { LogTimes } from "./log-times.js";
import { partsOf } from "./parts.js";
import { Socket } from "./socket.js";
import { showCounts, showStatus, toggle } from "./log-status.js";

class LogViewer extends HTMLElement {
  connectedCallback() {
    this.parts = partsOf(this);
    this.lines = new LogLines();
    this.ring = new LogRing();
    this.colors = new Map();
    this.filter = new LogFilter(this.parts);
    this.times = new LogTimes(this.parts.times);
    const series = (line) => this.filter.series(line.s, this.colors.get(line.c));
    this.list = new LogList(this.parts.lines, { time: this.times.text, series });
    this.follow = new Follow(this.parts.pane);
    this.leave = new AbortController();
    this.#bind();
    this.#connect();
  }

  disconnectedCallback() {
    this.leave.abort();
    this.socket.stop();
    this.times.stop();
  }

  #connect() {
    this.socket = new Socket(this.dataset.url, () => ({
      type: "resume",
      cursors: this.lines.cursors(),
    }));
    this.socket.addEventListener("message", ({ detail }) => this.#receive(detail));
    this.socket.addEventListener("state", ({ detail }) => showStatus(this.parts.status, detail));
    this.socket.start();
  }

  #bind() {
    const { parts } = this;
    parts.follow.addEventListener("click", () => this.follow.set(!this.follow.on));
    parts.pill.addEventListener("click", () => this.follow.set(true));
    parts.wrap.addEventListener("click", () => {
      parts.lines.classList.toggle("log-wrap", toggle(parts.wrap));
      this.follow.keep();
    });
    parts.only.addEventListener("click", () => {
      this.filter.onlyMatching = toggle(parts.only);
      this.#refilter();
    });
    parts.download.addEventListener("click", () => download(this.ring.entries, this.dataset.name));
    this.follow.addEventListener("change", () => this.#draw());
    this.filter.addEventListener("change", () => this.#refilter());
    this.times.addEventListener("change", () => this.list.retime(this.ring.entries));
    bindKeys(this, this.leave.signal);
  }

  #receive(message) {
    if (message.type === "lines" && !this.lines.accept(message.lines)) this.socket.again();
    else if (message.type === "containers") this.#name(message.containers);
    else if (message.type === "gap") this.lines.gap(message);
    else if (message.type === "status") showStatus(this.parts.status, message.state);
    this.#soon();
  }

  #name(containers) {
    for (const { id, service, color } of containers) {
      this.colors.set(id, color);
      this.filter.series(service, color);
    }
  }

  #soon() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.#draw();
    });
  }

  // While the reader looks back nothing moves: what arrives waits, and is counted on the pill.
  #draw() {
    if (this.follow.on && this.lines.waiting) {
      this.list.apply(this.ring.merge(this.lines.take()), this.filter.shows);
      if (this.filter.searching) this.filter.mark(this.ring.entries);
      this.follow.keep();
    }
    showCounts(this);
  }

  shown = () => this.ring.entries.filter((entry) => !entry.element.hidden);

  #refilter() {
    for (const entry of this.ring.entries) entry.element.hidden = !this.filter.shows(entry);
    this.parts.lines.classList.toggle("log-filtered", this.filter.active);
    this.filter.mark(this.ring.entries);
    this.follow.keep();
    showCounts(this);
  }
}

customElements.define("log-viewer", LogViewer);
