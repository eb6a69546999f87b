// <log-viewer data-url="/ws/logs/…/">: the logs of a project's containers as they are written.
// The markup is templates/components/log_viewer.html; the rules of what is new are log-lines.js's.
import { Follow } from "./follow.js";
import { bindControls } from "./log-controls.js";
import { LogFilter } from "./log-filter.js";
import { bindKeys } from "./log-keys.js";
import { LogLines } from "./log-lines.js";
import { LogList } from "./log-list.js";
import { LogRing } from "./log-ring.js";
import { LogTimes } from "./log-times.js";
import { partsOf } from "./parts.js";
import { Socket } from "./socket.js";
import { showStatus } from "./log-status.js";
import { LogSummary } from "./log-summary.js";

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
    this.filter.addEventListener("change", () => this.refilter());
    this.follow.addEventListener("change", () => {
      this.#draw();
      this.summary.now();
    });
    this.summary = new LogSummary(this);
    bindControls(this);
    bindKeys(this, this.leave.signal);
    this.#connect();
  }

  disconnectedCallback() {
    this.leave.abort();
    this.summary.stop();
    this.socket.stop();
    this.times.stop();
  }

  #connect() {
    this.socket = new Socket(this.dataset.url, () => ({
      type: "resume",
      cursors: this.lines.resume(),
    }));
    this.socket.addEventListener("message", ({ detail }) => this.#receive(detail));
    this.socket.addEventListener("state", ({ detail }) => showStatus(this.parts.status, detail));
    this.socket.start();
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
      this.follow.keep();
    }
    this.summary.soon();
  }

  shown = () => this.ring.entries.filter((entry) => !entry.element.hidden);

  refilter() {
    for (const entry of this.ring.entries) entry.element.hidden = !this.filter.shows(entry);
    this.list.estimate(this.filter.active);
    this.follow.keep();
    this.summary.now();
  }
}

customElements.define("log-viewer", LogViewer);
