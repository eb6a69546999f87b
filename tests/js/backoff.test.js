import assert from "node:assert/strict";
import { test } from "node:test";

import { backoff } from "../../static/js/backoff.js";

test("the wait doubles with each attempt", () => {
  assert.equal(backoff(0, () => 1), 250);
  assert.equal(backoff(3, () => 1), 2_000);
});

test("the wait never passes fifteen seconds", () => {
  assert.equal(backoff(1_000_000, () => 1), 15_000);
});

test("half of the wait is random", () => {
  assert.equal(backoff(2, () => 0), 500);
  assert.equal(backoff(2, () => 0.5), 750);
});
