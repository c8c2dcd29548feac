// What meets a view, and the boxes around it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { box, circle, meets, middle } from "../../web/static/map/geometry.js";

const view = [0, 0, 10, 10];
const polygon = (ring, ...holes) => ({ type: "MultiPolygon", coordinates: [[ring, ...holes]] });
const square = (west, south, east, north) => [[west, south], [east, south], [east, north], [west, north], [west, south]];

test("a line that passes a view without a corner in it meets the view; one whose box only meets it does not", () => {
  assert.ok(meets({ type: "LineString", coordinates: [[-5, 5], [15, 5]] }, view));
  assert.ok(!meets({ type: "LineString", coordinates: [[-5, 8], [2, 15]] }, view));
  assert.ok(meets({ type: "MultiLineString", coordinates: [[[20, 20], [30, 30]], [[-1, -1], [1, 1]]] }, view));
});

test("an area that holds the whole view meets it, unless the view lies in its hole", () => {
  assert.ok(meets(polygon(square(-20, -20, 20, 20)), view));
  assert.ok(!meets(polygon(square(-20, -20, 20, 20), square(-15, -15, 15, 15)), view));
  assert.ok(!meets(polygon(square(11, 11, 20, 20)), view));
});

test("points and nothing", () => {
  assert.ok(meets({ type: "Point", coordinates: [10, 10] }, view));
  assert.ok(!meets({ type: "Point", coordinates: [10.1, 10] }, view));
  assert.ok(!meets(null, view));
  assert.equal(box(null), null);
});

test("boxes and circles", () => {
  assert.deepEqual(box(polygon(square(1, 2, 3, 4))), [1, 2, 3, 4]);
  assert.deepEqual(middle([1, 2, 3, 4]), [2, 3]);
  const [west, south, east, north] = box(circle([2.79, 50.45], 150));
  assert.ok(Math.abs((north - south) * 111_200 - 300) < 1);
  assert.ok(Math.abs((east - west) * 111_200 * Math.cos((50.45 * Math.PI) / 180) - 300) < 2);
});
