// The pieces of ansi.js as nodes. Text reaches the page as text only, never as markup.
import { parseAnsi } from "./ansi.js";

const named = (colour) => colour && !colour.startsWith("rgb");

function span(piece) {
  const element = document.createElement("span");
  element.textContent = piece.text;
  element.className = piece.flags.map((flag) => `ansi-${flag}`).join(" ");
  if (named(piece.fg)) element.classList.add(`ansi-${piece.fg}`);
  else if (piece.fg) element.style.color = piece.fg;
  if (named(piece.bg)) element.classList.add(`ansi-on-${piece.bg}`);
  else if (piece.bg) element.style.backgroundColor = piece.bg;
  return element;
}

/** Puts a line with terminal colours into an element. */
export function writeAnsi(element, line) {
  const pieces = parseAnsi(line);
  const plain = (piece) => !piece.fg && !piece.bg && !piece.flags.length;
  if (pieces.every(plain)) element.textContent = pieces.map((piece) => piece.text).join("");
  else element.replaceChildren(...pieces.map((piece) => (plain(piece) ? piece.text : span(piece))));
}
