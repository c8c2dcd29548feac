// Where a point lies to the outlines of communes: in one, as near as it is sure of, or out.

import assert from "node:assert/strict";
import { test } from "node:test";

import { whereabouts } from "../../web/static/declare/outline.js";

const bounds = [2, 50, 3, 51];
const square = (west, south, east, north) => [[west, south], [east, south], [east, north], [west, north], [west, south]];
const commune = (accuracy, ...rings) => ({ geometry: { type: "MultiPolygon", coordinates: [rings] }, properties: { position_accuracy_m: accuracy } });
const north = (metres) => [2.5, 50.6 + metres / 111_200];

test("what is in the box of the territory may be out of its outline", () => {
  const outline = [commune(null, square(2.4, 50.4, 2.6, 50.6))];
  assert.equal(whereabouts([2.5, 50.5], outline, bounds), "in");
  assert.equal(whereabouts([2.9, 50.9], outline, bounds), "out");
});

test("a point is near as far as the outline's own accuracy reaches, and an exact outline leaves only its rounding", () => {
  const sketch = [commune(300, square(2.4, 50.4, 2.6, 50.6))];
  assert.equal(whereabouts(north(290), sketch, bounds), "near");
  assert.equal(whereabouts(north(310), sketch, bounds), "out");
  const exact = [commune(null, square(2.4, 50.4, 2.6, 50.6))];
  assert.equal(whereabouts(north(0.5), exact, bounds), "near");
  assert.equal(whereabouts(north(5), exact, bounds), "out");
});

test("a hole is outside, and another commune may fill it", () => {
  const ring = commune(null, square(2.2, 50.2, 2.8, 50.8), square(2.4, 50.4, 2.6, 50.6));
  assert.equal(whereabouts([2.5, 50.5], [ring], bounds), "out");
  assert.equal(whereabouts([2.5, 50.5], [ring, commune(null, square(2.4, 50.4, 2.6, 50.6))], bounds), "in");
});

test("without an outline the box decides", () => {
  assert.equal(whereabouts([2.9, 50.9], [], bounds), "in");
  assert.equal(whereabouts([3.1, 50.9], [], bounds), "out");
});
