// <operation-output data-url="/ws/operations/<uid>/">: what an operation does, as it does it.
// The markup is templates/components/operation_output.html.
import { writeAnsi } from "./ansi-dom.js";
import { Follow } from "./follow.js";
import { partsOf } from "./parts.js";
import { showError, showState } from "./operation-state.js";
import { Socket } from "./socket.js";
import { clock } from "./time-text.js";

const ENDED_TONES = new Set(["success", "danger"]);

function span(name, text) {
  const element = document.createElement("span");
  element.className = name;
  element.textContent = text;
  return element;
}

class OperationOutput extends HTMLElement {
  connectedCallback() {
    this.parts = partsOf(this);
    this.last = 0;
    this.waiting = [];
    this.services = new Map();
    this.follow = new Follow(this.parts.pane);
    this.socket = new Socket(this.dataset.url, () => ({ type: "resume", after: this.last }));
    this.socket.addEventListener("message", ({ detail }) => this.#receive(detail));
    this.socket.addEventListener("state", ({ detail }) => this.#line(detail));
    this.socket.start();
  }

  disconnectedCallback() {
    this.socket.stop();
  }

  #line(state) {
    const text = { open: "Live", waiting: "Reconnecting", offline: "Offline", refused: "Not live" };
    this.parts.status.dataset.state = state;
    this.parts.status.textContent = text[state] ?? "Connecting";
  }

  #receive(message) {
    if (message.type === "output") this.#take(message.lines);
    if (message.type !== "state") return;
    showState(this.parts, message);
    showError(this.parts, message.error);
    if ((message.ended ?? ENDED_TONES.has(message.tone)) && !this.ended) this.#end();
  }

  #end() {
    this.ended = true;
    this.parts.status.hidden = true;
    this.dispatchEvent(new CustomEvent("operation:ended", { bubbles: true }));
  }

  // A line is known by its number, so one that a reconnection sends again is left out.
  #take(lines) {
    for (const line of lines) {
      if (line.seq <= this.last) continue;
      this.last = line.seq;
      this.waiting.push(line);
    }
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.parts.lines.append(...this.waiting.map((line) => this.#element(line)));
      this.waiting = [];
      this.follow.keep();
    });
  }

  #element(line) {
    const element = document.createElement("div");
    element.className = `log-line log-${line.stream}`;
    const text = span("log-text", "");
    writeAnsi(text, line.text);
    element.append(span("log-time", clock(line.at, false)));
    if (line.service) element.append(span(`log-source ${this.#series(line.service)}`, line.service));
    element.append(text);
    return element;
  }

  #series(service) {
    if (!this.services.has(service)) this.services.set(service, (this.services.size % 8) + 1);
    return `series-${this.services.get(service)}`;
  }
}

customElements.define("operation-output", OperationOutput);
