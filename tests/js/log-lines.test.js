import assert from "node:assert/strict";
import { test } from "node:test";

import { LogLines } from "../../static/js/log-lines.js";

const line = (c, p, { q = p - 1, t = p * 10 } = {}) => ({ c, s: c, n: 1, p, q, t, o: "stdout", x: `${c}${p}` });
const texts = (lines) => lines.take().map(({ line, text }) => line?.x ?? `gap: ${text}`);

test("lines of two containers come out in order of time", () => {
  const lines = new LogLines();
  lines.accept([line("a", 1), line("a", 4, { q: 1 }), line("b", 2), line("b", 3)]);
  assert.deepEqual(texts(lines), ["a1", "b2", "b3", "a4"]);
});

test("a line that was seen is not taken again", () => {
  const lines = new LogLines();
  lines.accept([line("a", 1), line("a", 2)]);
  assert.ok(lines.accept([line("a", 1), line("a", 2), line("a", 3)]));
  assert.deepEqual(texts(lines), ["a1", "a2", "a3"]);
});

test("what it resumes from are the last positions", () => {
  const lines = new LogLines();
  lines.accept([line("a", 1), line("b", 7), line("a", 2)]);
  assert.deepEqual(lines.resume(), { a: 2, b: 7 });
});

test("a missing line is asked for, and all come in order when it is sent", () => {
  const lines = new LogLines();
  lines.accept([line("a", 1)]);
  assert.equal(lines.accept([line("a", 3), line("a", 4)]), false);
  assert.deepEqual(lines.resume(), { a: 1 });
  assert.ok(lines.accept([line("a", 2), line("a", 3), line("a", 4)]));
  assert.deepEqual(texts(lines), ["a1", "a2", "a3", "a4"]);
});

test("it asks once in a connection", () => {
  const lines = new LogLines();
  lines.accept([line("a", 1)]);
  assert.equal(lines.accept([line("a", 3)]), false);
  assert.ok(lines.accept([line("a", 4)]));
  lines.resume();
  assert.equal(lines.accept([line("a", 5)]), false);
});

test("a line that cannot be had leaves a gap that is shown", () => {
  const lines = new LogLines();
  lines.accept([line("a", 1)]);
  for (let connection = 0; connection < 3; connection += 1) {
    assert.equal(lines.accept([line("a", 3)]), false);
    lines.resume();
  }
  assert.ok(lines.accept([line("a", 3), line("a", 4)]));
  assert.deepEqual(texts(lines), ["a1", "gap: Lines are missing here", "a3", "a4"]);
});

test("a gap that the panel reports is shown once", () => {
  const lines = new LogLines();
  lines.accept([line("a", 1)]);
  lines.gap({ c: "a", from: 2, to: 5, reason: "rotated away" });
  lines.gap({ c: "a", from: 2, to: 5, reason: "rotated away" });
  assert.ok(lines.accept([line("a", 6)]));
  assert.deepEqual(texts(lines), ["a1", "gap: rotated away", "a6"]);
});

test("a clock that was set back does not turn a container's lines round", () => {
  const lines = new LogLines();
  lines.accept([line("a", 1, { t: 100 }), line("a", 2, { t: 40 })]);
  assert.deepEqual(texts(lines), ["a1", "a2"]);
});

test("what nobody takes is bounded, and the newest are kept", () => {
  const lines = new LogLines(10);
  for (let p = 1; p <= 100; p += 1) lines.accept([line("a", p)]);
  assert.ok(lines.waiting <= 20);
  assert.equal(texts(lines).at(-1), "a100");
});
