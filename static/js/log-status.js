// How the line to a log stands, in words: the websocket's states and the server's.

const STATUS = {
  connecting: ["waiting", "Connecting"],
  open: ["waiting", "Waiting for lines"],
  waiting: ["waiting", "Reconnecting"],
  offline: ["offline", "You are offline"],
  refused: ["refused", "You may not read this log"],
  closed: ["refused", "Closed"],
  live: ["open", "Live"],
  idle: ["open", "No containers yet"],
  "host-offline": ["offline", "The host is offline"],
};

/** @param {HTMLElement} element @param {string} state */
export function showStatus(element, state) {
  const [tone, text] = STATUS[state] ?? ["waiting", state];
  element.dataset.state = tone;
  element.textContent = text;
}
