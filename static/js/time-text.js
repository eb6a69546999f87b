// Times as text. Pure: tested without a browser.

const UNITS = [
  ["d", 86_400],
  ["h", 3_600],
  ["min", 60],
  ["s", 1],
];

/** "3 min ago", "in 2 h", "now"; both moments in milliseconds since the epoch. */
export function ago(moment, now) {
  const seconds = Math.round((now - moment) / 1000);
  const size = Math.abs(seconds);
  if (size < 1) return "now";
  const [unit, length] = UNITS.find(([, length]) => size >= length);
  const amount = `${Math.floor(size / length)} ${unit}`;
  return seconds > 0 ? `${amount} ago` : `in ${amount}`;
}

const pad = (value, width = 2) => String(value).padStart(width, "0");

/** "14:03:07.042" in the reader's zone, or in UTC with a Z. */
export function clock(moment, utc) {
  const date = new Date(moment);
  if (utc) return `${date.toISOString().slice(11, 23)}Z`;
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => pad(part));
  return `${time.join(":")}.${pad(date.getMilliseconds(), 3)}`;
}
