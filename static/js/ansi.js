// Terminal colours in a line of text. Pure: tested without a browser. Only SGR sequences mean
// anything in a log; every other control sequence is taken out.

const NAMES = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
const FLAGS = { 1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "inverse", 9: "strike" };
const OFF = { 22: ["bold", "dim"], 23: ["italic"], 24: ["underline"], 27: ["inverse"], 29: ["strike"] };
// CSI … final byte; OSC … BEL or ST; other escapes of two or three characters; control characters.
// eslint-disable-next-line no-control-regex
const SEQUENCE = /\x1b\[([0-?]*)[ -/]*([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]?|[\x00-\x08\x0b-\x1f\x7f]/g;

const plainStyle = () => ({ flags: new Set(), fg: null, bg: null });

function indexed(index) {
  if (index < 16) return NAMES[index % 8];
  if (index > 231) return grey(8 + (index - 232) * 10);
  const level = (value) => (value ? 55 + value * 40 : 0);
  const cube = index - 16;
  return `rgb(${level(Math.floor(cube / 36))} ${level(Math.floor(cube / 6) % 6)} ${level(cube % 6)})`;
}

const grey = (value) => `rgb(${value} ${value} ${value})`;

// 38;5;n or 38;2;r;g;b: the colour, taking its numbers off the list.
function extended(codes) {
  const kind = codes.shift();
  if (kind === 5) return indexed(codes.shift() ?? 0);
  if (kind !== 2) return null;
  const [red = 0, green = 0, blue = 0] = codes.splice(0, 3);
  return `rgb(${red} ${green} ${blue})`;
}

function applyOne(style, code, rest) {
  if (code === 0) Object.assign(style, plainStyle());
  else if (FLAGS[code]) style.flags.add(FLAGS[code]);
  else if (OFF[code]) OFF[code].forEach((flag) => style.flags.delete(flag));
  else if (code === 38) style.fg = extended(rest);
  else if (code === 48) style.bg = extended(rest);
  else if (code === 39) style.fg = null;
  else if (code === 49) style.bg = null;
  else if ((code >= 30 && code < 38) || (code >= 90 && code < 98)) style.fg = NAMES[code % 10];
  else if ((code >= 40 && code < 48) || (code >= 100 && code < 108)) style.bg = NAMES[code % 10];
}

function applyAll(style, parameters) {
  const codes = (parameters || "0").split(/[;:]/).map((code) => Number(code) || 0);
  while (codes.length) applyOne(style, codes.shift(), codes);
}

/**
 * The pieces of a line: text, the names of its flags ("bold"), and foreground and background as
 * one of the eight names, as "rgb(…)", or null.
 * @returns {{text: string, flags: string[], fg: string|null, bg: string|null}[]}
 */
export function parseAnsi(line) {
  if (!/[\x00-\x1f\x7f]/.test(line)) return [{ text: line, flags: [], fg: null, bg: null }];
  const pieces = [];
  const style = plainStyle();
  const push = (text) => {
    if (text) pieces.push({ text, flags: [...style.flags], fg: style.fg, bg: style.bg });
  };
  let end = 0;
  for (const match of line.matchAll(SEQUENCE)) {
    push(line.slice(end, match.index));
    end = match.index + match[0].length;
    if (match[2] === "m") applyAll(style, match[1]);
  }
  push(line.slice(end));
  return pieces;
}

/** The line without any control sequence. */
export function stripAnsi(line) {
  return /[\x00-\x1f\x7f]/.test(line) ? line.replace(SEQUENCE, "") : line;
}
