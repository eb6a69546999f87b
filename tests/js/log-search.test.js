import assert from "node:assert/strict";
import { test } from "node:test";

import { toPattern } from "../../static/js/log-search.js";

const finds = (search, text) => toPattern(search).test(text);

test("text means itself", () => {
  assert.ok(finds("a.b[0]", "x A.B[0]"));
  assert.ok(!finds("a.b", "aXb"));
});

test("a capital makes case matter", () => {
  assert.ok(!finds("Error", "error"));
});

test("an expression stands between slashes", () => {
  assert.ok(finds("/5\\d\\d/", "GET / 503"));
});

test("a path is text", () => {
  assert.ok(finds("/healthz", "GET /healthz 200"));
});

test("an expression that does not parse is no search", () => {
  assert.equal(toPattern("/(/"), null);
  assert.equal(toPattern(""), null);
});
