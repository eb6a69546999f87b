// <container-figures data-url="/ws/containers/…/figures/">: what a container uses, as it comes.
// The markup is templates/services/_figures.html; the texts are the panel's, set by data-part.
import { line, within } from "./figure-line.js";
import { partsOf } from "./parts.js";
import { Socket } from "./socket.js";

const STATUS = {
  connecting: ["waiting", "Connecting"],
  open: ["waiting", "Waiting for figures"],
  waiting: ["waiting", "Reconnecting"],
  offline: ["offline", "You are offline"],
  refused: ["refused", "You may not see this"],
  closed: ["refused", "Closed"],
  live: ["open", "Once a second"],
  stopped: ["rest", "The container does not run"],
  silent: ["waiting", "The host does not answer"],
  "host-offline": ["offline", "The host is offline"],
};

class ContainerFigures extends HTMLElement {
  connectedCallback() {
    this.parts = partsOf(this);
    this.points = [];
    this.socket = new Socket(this.dataset.url, () => this.#again());
    this.socket.addEventListener("message", ({ detail }) => this.#receive(detail));
    this.socket.addEventListener("state", ({ detail }) => this.#status(detail));
    this.socket.start();
  }

  disconnectedCallback() {
    this.socket.stop();
  }

  // The panel sends what the host's stream still has, so what was drawn before is drawn anew.
  #again() {
    this.points = [];
    return null;
  }

  // What does not run uses nothing, which is not known to be 0 either.
  #clear() {
    this.points = [];
    for (const [name, part] of Object.entries(this.parts)) {
      if (name.endsWith("_line")) part.setAttribute("points", "");
      else if (name.endsWith("_bar")) part.hidden = true;
      else if (name !== "status") part.textContent = name.endsWith("_note") ? "" : "–";
    }
  }

  #receive(message) {
    if (message.state === "stopped") this.#clear();
    if (message.type === "status") this.#status(message.state, message.text);
    else if (message.type === "figures") this.#show(message);
  }

  #status(state, text = "") {
    const [tone, words] = STATUS[state] ?? ["waiting", text || state];
    const { status } = this.parts;
    status.dataset.state = tone;
    if (status.textContent !== words) status.textContent = words;
    this.dataset.state = tone === "open" ? "live" : "stale";
  }

  #show({ shown, filled, points }) {
    for (const [name, text] of Object.entries(shown)) {
      const part = this.parts[name];
      if (part && part.textContent !== text) part.textContent = text;
    }
    for (const [name, value] of Object.entries(filled)) this.#fill(this.parts[`${name}_bar`], value);
    this.points = within([...this.points, ...points]);
    this.parts.cpu_line.setAttribute("points", line(this.points, 1));
    this.parts.memory_line.setAttribute("points", line(this.points, 2));
  }

  // Without a limit there is nothing to be full of.
  #fill(bar, value) {
    if (!bar) return;
    bar.hidden = value === null;
    bar.value = value ?? 0;
  }
}

customElements.define("container-figures", ContainerFigures);
