import assert from "node:assert/strict";
import { test } from "node:test";

import { ago, clock } from "../../static/js/time-text.js";

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5, 6);

for (const [seconds, text] of [
  [0, "now"],
  [5, "5 s ago"],
  [61, "1 min ago"],
  [7_300, "2 h ago"],
  [200_000, "2 d ago"],
  [-90, "in 1 min"],
]) {
  test(`${seconds} seconds before now is "${text}"`, () => {
    assert.equal(ago(NOW - seconds * 1000, NOW), text);
  });
}

test("the clock of UTC says that it is UTC", () => {
  assert.equal(clock(NOW, true), "03:04:05.006Z");
});
