import assert from "node:assert/strict";
import { test } from "node:test";

import { parseAnsi, stripAnsi } from "../../static/js/ansi.js";

const ESC = "\x1b";
const piece = (text, style = {}) => ({ text, flags: [], fg: null, bg: null, ...style });

const TABLE = [
  ["plain text is one piece", "ready", [piece("ready")]],
  ["an empty line is one empty piece", "", [piece("")]],
  ["a colour lasts until it is reset", `${ESC}[32mok${ESC}[0m go`, [piece("ok", { fg: "green" }), piece(" go")]],
  ["an empty sequence resets", `${ESC}[31ma${ESC}[mb`, [piece("a", { fg: "red" }), piece("b")]],
  ["bright colours are the eight names", `${ESC}[91mx`, [piece("x", { fg: "red" })]],
  ["a background has its own name", `${ESC}[44mx`, [piece("x", { bg: "blue" })]],
  ["flags add up", `${ESC}[1;4mx`, [piece("x", { flags: ["bold", "underline"] })]],
  ["22 ends bold alone", `${ESC}[1;3mx${ESC}[22my`, [piece("x", { flags: ["bold", "italic"] }), piece("y", { flags: ["italic"] })]],
  ["a colour of the 256 is computed", `${ESC}[38;5;196mx`, [piece("x", { fg: "rgb(255 0 0)" })]],
  ["a grey of the 256 is computed", `${ESC}[48;5;232mx`, [piece("x", { bg: "rgb(8 8 8)" })]],
  ["a true colour is kept", `${ESC}[38;2;1;2;3;1mx`, [piece("x", { fg: "rgb(1 2 3)", flags: ["bold"] })]],
  ["movements of the cursor are taken out", `a${ESC}[2K${ESC}[1Gb`, [piece("a"), piece("b")]],
  ["titles and links are taken out", `${ESC}]0;title\x07a${ESC}]8;;http://x${ESC}\\b`, [piece("a"), piece("b")]],
  ["an unfinished sequence is taken out", `a${ESC}[3`, [piece("a"), piece("3")]],
  ["markup stays text", "<b>&amp;</b>", [piece("<b>&amp;</b>")]],
  ["a tab stays", "a\tb", [piece("a\tb")]],
];

for (const [name, line, expected] of TABLE) {
  test(name, () => {
    const joined = (pieces) => pieces.map(({ text }) => text).join("");
    const pieces = parseAnsi(line);
    if (pieces.length === expected.length) assert.deepEqual(pieces, expected);
    else assert.equal(joined(pieces), joined(expected));
    assert.equal(stripAnsi(line), joined(expected));
  });
}
