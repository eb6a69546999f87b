// A websocket of JSON messages that connects again by itself. Events: "message" and "state"
// (connecting, open, waiting, offline, refused, closed). What was missed, `hello` asks for.
import { backoff } from "./backoff.js";

const STABLE_MS = 5_000;

export class Socket extends EventTarget {
  state = "closed";
  #path;
  #hello;
  #socket = null;
  #timer;
  #attempt = 0;
  #leave = new AbortController();

  /** @param {string} path @param {() => object | null} hello the first message of each connection */
  constructor(path, hello) {
    super();
    this.#path = path;
    this.#hello = hello;
  }

  start() {
    const { signal } = this.#leave;
    addEventListener("online", () => this.#connectSoon(0), { signal });
    addEventListener("offline", () => this.#offline(), { signal });
    addEventListener("pagehide", () => this.#socket?.close(), { signal });
    addEventListener("pageshow", () => this.#connectSoon(0), { signal });
    document.addEventListener("visibilitychange", () => this.#seen(), { signal });
    this.#connect();
  }

  /** Ends it for good. */
  stop() {
    this.#leave.abort();
    clearTimeout(this.#timer);
    this.#socket?.close();
    this.#set("closed");
  }

  /** Sends now, or not at all: true if it was sent. */
  send(message) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  again = () => this.#socket?.close(); // It connects anew, which has `hello` sent again.

  // The line may be dead without saying so: what comes back online connects anew.
  #offline() {
    this.again();
    this.#set("offline");
  }

  #seen() {
    if (!document.hidden && this.state === "waiting") this.#connectSoon(0);
  }

  #connectSoon(delay) {
    clearTimeout(this.#timer);
    if (!this.#leave.signal.aborted) this.#timer = setTimeout(() => this.#connect(), delay);
  }

  #connect() {
    if (this.#socket && this.#socket.readyState <= WebSocket.OPEN) return;
    this.#set("connecting");
    const socket = new WebSocket(location.origin.replace(/^http/, "ws") + this.#path);
    this.#socket = socket;
    let stable;
    socket.addEventListener("open", () => {
      stable = setTimeout(() => (this.#attempt = 0), STABLE_MS);
      this.#set("open");
      const hello = this.#hello();
      if (hello) this.send(hello);
    });
    socket.addEventListener("message", ({ data }) => {
      this.dispatchEvent(new CustomEvent("message", { detail: JSON.parse(data) }));
    });
    socket.addEventListener("close", (event) => {
      clearTimeout(stable);
      if (socket === this.#socket) this.#closed(event.code);
    });
  }

  #closed(code) {
    this.#socket = null;
    if (this.#leave.signal.aborted) return;
    if (code >= 4400 && code < 4500) return this.#set("refused");
    this.#set(navigator.onLine ? "waiting" : "offline");
    this.#connectSoon(backoff(this.#attempt++));
  }

  #set(state) {
    if (state === this.state) return;
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }
}
