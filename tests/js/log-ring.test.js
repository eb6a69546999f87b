import assert from "node:assert/strict";
import { test } from "node:test";

import { LogRing } from "../../static/js/log-ring.js";

const entry = (t, name = String(t)) => ({ kind: "line", t, name });
const names = (entries) => entries.map(({ name }) => name);

// The page as it would be: the same changes applied to a list.
function apply(page, { added, removed }) {
  for (const gone of removed) page.splice(page.indexOf(gone), 1);
  for (const { entry, before } of added) page.splice(before ? page.indexOf(before) : page.length, 0, entry);
}

test("entries that come late go to their place", () => {
  const ring = new LogRing();
  const page = [];
  apply(page, ring.merge([entry(1), entry(5)]));
  apply(page, ring.merge([entry(2), entry(3), entry(9)]));
  assert.deepEqual(names(page), ["1", "2", "3", "5", "9"]);
  assert.deepEqual(page, ring.entries);
});

test("of two entries of one moment the first stays first", () => {
  const ring = new LogRing();
  ring.merge([entry(1, "a")]);
  ring.merge([entry(1, "b")]);
  assert.deepEqual(names(ring.entries), ["a", "b"]);
});

test("the oldest go when there are too many", () => {
  const ring = new LogRing(3);
  const page = [];
  apply(page, ring.merge([entry(1), entry(2), entry(3)]));
  apply(page, ring.merge([entry(4), entry(5)]));
  assert.deepEqual(names(page), ["3", "4", "5"]);
  assert.equal(ring.trimmed, 2);
});

test("an entry older than all that are kept is not shown", () => {
  const ring = new LogRing(2);
  const page = [];
  apply(page, ring.merge([entry(5), entry(6)]));
  const change = ring.merge([entry(1)]);
  assert.deepEqual(change, { added: [], removed: [] });
});

test("whatever the order of arrival, page and ring are the same", () => {
  const ring = new LogRing(50);
  const page = [];
  let seed = 7;
  const random = () => (seed = (seed * 16_807) % 2_147_483_647);
  for (let round = 0; round < 100; round += 1) {
    const batch = Array.from({ length: random() % 12 }, () => entry(random() % 500));
    apply(page, ring.merge(batch.sort((a, b) => a.t - b.t)));
    assert.deepEqual(page, ring.entries);
  }
});
