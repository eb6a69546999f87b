// How the line to a log stands, in words: the websocket's states and the server's.

const STATUS = {
  connecting: ["waiting", "Connecting"],
  open: ["waiting", "Waiting for lines"],
  waiting: ["waiting", "Reconnecting"],
  offline: ["offline", "You are offline"],
  refused: ["refused", "You may not read this log"],
  closed: ["refused", "Closed"],
  live: ["open", "Live"],
  "host-offline": ["offline", "The host is offline"],
};

/** @param {HTMLElement} element @param {string} state */
export function showStatus(element, state) {
  const [tone, text] = STATUS[state] ?? ["waiting", state];
  element.dataset.state = tone;
  element.textContent = text;
}

/** How many lines are held, shown and waiting. */
export function showCounts({ parts, ring, lines, follow, filter, shown }) {
  parts.follow.setAttribute("aria-pressed", String(follow.on));
  parts.pill.hidden = follow.on || lines.waiting === 0;
  parts.new.textContent = lines.waiting.toLocaleString();
  const some = filter.active ? `${shown().length.toLocaleString()} of ` : "";
  const older = ring.trimmed ? `, ${ring.trimmed.toLocaleString()} older left out` : "";
  parts.count.textContent = `${some}${ring.entries.length.toLocaleString()} lines${older}`;
  parts.empty.hidden = ring.entries.length > 0;
}
