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
let watching = new Set();
let timer = null;
const waiting = new Set();

const watched = () => [...document.querySelectorAll("[data-live-topic]")];
const topicsOf = (element) => element.dataset.liveTopic.split(/\s+/);
const topics = () => [...new Set(watched().flatMap(topicsOf))];

// Several nudges within a moment have an element fetched once.
function changed(topic) {
  waiting.add(topic);
  timer ??= setTimeout(refresh, SETTLE_MS);
}

function refresh() {
  timer = null;
  const stale = watched().filter((element) => topicsOf(element).some((topic) => waiting.has(topic)));
  waiting.clear();
  for (const element of stale) element.dispatchEvent(new CustomEvent("live"));
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
function watch(before) {
  watching = new Set(topics());
  [...watching].filter((topic) => !before.has(topic)).forEach(changed);
  return { type: "watch", topics: [...watching] };
}

function watchMore() {
  const fresh = topics().some((topic) => !watching.has(topic));
  if (fresh && socket?.state === "open") socket.send(watch(watching));
}

function start() {
  socket = new Socket("/ws/updates/", () => watch(new Set()));
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
