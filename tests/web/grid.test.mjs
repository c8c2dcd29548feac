// The projection against PROJ's own answers, and the squares of INSPIRE cells.

import assert from "node:assert/strict";
import { test } from "node:test";

import { cellRing, forward, inverse, parseCell } from "../../web/static/map/grid.js";

// from pyproj: Transformer.from_crs(4326, 3035, always_xy=True)
const KNOWN = [
  [2.788481, 50.443206, 3809653.95939432, 3061997.4898643955], // pit 11
  [2.7942, 50.4583, 3810221.3879805617, 3063629.753113075],
  [10, 52, 4321000, 3210000],
  [-9.1, 38.7, 2668283.4405594324, 1943501.0236434834], // Lisbon
  [24.9, 60.2, 5142477.84894032, 4208976.225700719], // Helsinki
  [33.4, 35.1, 6440452.222667908, 1663610.1396537807], // Cyprus
];

test("forward agrees with PROJ to the millimetre", () => {
  for (const [lon, lat, east, north] of KNOWN) {
    const [x, y] = forward(lon, lat);
    assert.ok(Math.hypot(x - east, y - north) < 0.001, `${lon} ${lat}: ${x} ${y}`);
  }
});

test("inverse agrees with PROJ to a few millimetres", () => {
  for (const [lon, lat, east, north] of KNOWN) {
    const [x, y] = inverse(east, north);
    assert.ok(Math.hypot((x - lon) * Math.cos((lat * Math.PI) / 180), y - lat) < 3e-8, `${east} ${north}: ${x} ${y}`);
  }
});

test("a cell's name is its lower left corner", () => {
  assert.deepEqual(parseCell("CRS3035RES200mN3041200E3834600"), { size: 200, north: 3041200, east: 3834600 });
  const [[lon, lat], , [lon2, lat2]] = cellRing("CRS3035RES200mN3041200E3834600");
  assert.ok(Math.abs(lon - 3.165399295) < 1e-8 && Math.abs(lat - 50.27867816) < 1e-8);
  assert.ok(Math.abs(lon2 - 3.167936313) < 1e-8 && Math.abs(lat2 - 50.280634719) < 1e-8);
});

test("a cell of 1 km is closed and runs counter-clockwise", () => {
  const ring = cellRing("CRS3035RES1000mN3061000E3809000");
  assert.equal(ring.length, 5);
  assert.deepEqual(ring[0], ring[4]);
  const area = ring.slice(1).reduce((sum, [x, y], i) => sum + ring[i][0] * y - x * ring[i][1], 0);
  assert.ok(area > 0);
});

test("what is no cell has no ring", () => {
  for (const name of [null, undefined, "", "CRS3035", "CRS3035RES200mN3041200E3834600'); drop"]) assert.equal(cellRing(name), null);
});
