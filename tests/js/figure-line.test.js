import assert from "node:assert/strict";
import { test } from "node:test";

import { line, within } from "../../static/js/figure-line.js";

test("the last point is at the right edge and the greatest near the top", () => {
  const points = [
    [60_000, 1],
    [120_000, 2],
  ];
  assert.equal(line(points, 1), "50.0,12.0 100.0,1.0");
});

test("what is not known is left out", () => {
  assert.equal(line([[0, null], [120_000, 5]], 1), "100.0,1.0");
});

test("nothing but zeros is a line at the bottom", () => {
  assert.equal(line([[119_000, 0], [120_000, 0]], 1), "99.2,23.0 100.0,23.0");
});

test("without points there is no line", () => {
  assert.equal(line([], 1), "");
});

test("points of more than two minutes ago are let go", () => {
  assert.deepEqual(within([[0, 1], [1_000, 1], [120_500, 1]]), [[1_000, 1], [120_500, 1]]);
});

test("points after the last one, of a clock that was set back, are let go", () => {
  assert.deepEqual(within([[500_000, 1], [100_000, 1]]), [[100_000, 1]]);
});
