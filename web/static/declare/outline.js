// The communes' outline and where a point lies to it, found out in the browser: the point is told to nobody.

import { get, nextParams } from "../map/api.js";
import { within } from "../map/geometry.js";

const PAGE = 100;
const METRES = 111_200; // a degree of latitude
const ROUNDING = 1; // metres: what the outline's decimals and our flat measure may be wrong by

/** The outlines of these communes in the collections that hold outlines, as GeoJSON features; asked for once a page. */
export async function outlines(collections, communes) {
  const found = [];
  for (const id of collections) {
    let params = { limit: PAGE };
    while (params) {
      const document = await get(`/collections/${encodeURIComponent(id)}/items`, params);
      found.push(...document.features.filter(({ properties }) => communes.includes(properties.insee)));
      params = nextParams(document);
    }
  }
  return found;
}

/**
 * "in" an outline; "near" one, as near as the outline itself is sure of; or "out".
 * Without outlines the box of the territory decides. It is the rule of the register, which has the last word.
 */
export function whereabouts(point, features, [west, south, east, north]) {
  const [lon, lat] = point;
  if (!features.length) return lon >= west && lon <= east && lat >= south && lat <= north ? "in" : "out";
  if (features.some(({ geometry }) => within(point, rings(geometry)))) return "in";
  const near = ({ geometry, properties }) => away(point, rings(geometry)) <= (properties.position_accuracy_m ?? 0) * 1.01 + ROUNDING;
  return features.some(near) ? "near" : "out";
}

function rings({ type, coordinates }) {
  return type === "MultiPolygon" ? coordinates.flat() : coordinates;
}

/** Metres from a point to the nearest of these lines, on a plane that touches the earth at the point. */
function away([lon, lat], lines) {
  const across = METRES * Math.cos((lat * Math.PI) / 180);
  const flat = ([x, y]) => [(x - lon) * across, (y - lat) * METRES];
  return Math.min(...lines.map((line) => nearest(line.map(flat))));
}

/** The distance of the origin from a line. */
function nearest(line) {
  let least = Infinity;
  for (let i = 1; i < line.length; i++) least = Math.min(least, toSegment(line[i - 1], line[i]));
  return least;
}

function toSegment([x0, y0], [x1, y1]) {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const long = dx * dx + dy * dy;
  const share = long ? Math.min(1, Math.max(0, -(x0 * dx + y0 * dy) / long)) : 0;
  return Math.hypot(x0 + share * dx, y0 + share * dy);
}
