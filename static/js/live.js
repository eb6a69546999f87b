// Elements with data-live-topic="project:<uid>" are told when that thing has changed: they get the
// event "live" and fetch themselves again, by hx-get with hx-trigger="live" hx-sync="this:replace"
// (which drops an answer that is already out of date). [data-live-state] says how the line stands.
import { each } from "./each.js";
import { Socket } from "./socket.js";

const SETTLE_MS = 120;
const TEXT = {
  connecting: "Connecting",
  open: "Live",
  waiting: "Reconnecting",
  offline: "Offline",
  refused: "Not live",
  closed: "Not live",
};

let socket = null;
let sent = "";
const timers = new Map();

const watched = () => [...document.querySelectorAll("[data-live-topic]")];

function topics() {
  return [...new Set(watched().flatMap((element) => element.dataset.liveTopic.split(/\s+/)))];
}

function refresh(topic) {
  timers.delete(topic);
  for (const element of watched()) {
    if (!element.dataset.liveTopic.split(/\s+/).includes(topic)) continue;
    element.dispatchEvent(new CustomEvent("live", { detail: { topic } }));
  }
}

// Several nudges within a moment fetch once.
function changed(topic) {
  if (!timers.has(topic)) timers.set(topic, setTimeout(() => refresh(topic), SETTLE_MS));
}

function show(state) {
  for (const element of document.querySelectorAll("[data-live-state]")) {
    element.hidden = false;
    element.dataset.state = state;
    element.textContent = TEXT[state];
  }
}

// What changed between the rendering of the page, or the loss of the line, and now was not told
// to us: so whatever is newly watched is fetched once.
function hello() {
  sent = topics().join(" ");
  topics().forEach(changed);
  return { type: "watch", topics: topics() };
}

function watchMore() {
  if (socket?.state === "open" && topics().join(" ") !== sent) socket.send(hello());
}

function start() {
  socket = new Socket("/ws/updates/", hello);
  socket.addEventListener("state", (event) => show(event.detail));
  socket.addEventListener("message", ({ detail }) => {
    if (detail.type === "changed") changed(detail.topic);
  });
  socket.start();
}

document.querySelectorAll("[data-live-state]").forEach((element) => (element.hidden = true));
each("[data-live-topic]", () => {
  if (!socket) start();
});
document.addEventListener("htmx:afterSettle", watchMore);
