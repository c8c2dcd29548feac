// Plain geometry in degrees: boxes, what meets a box, circles. No map and no network here.

/** [west, south, east, north] of a GeoJSON geometry; null without coordinates. */
export function box(geometry) {
  if (!geometry?.coordinates) return null;
  const found = [Infinity, Infinity, -Infinity, -Infinity];
  const walk = (part) => {
    if (typeof part[0] === "number") {
      found[0] = Math.min(found[0], part[0]);
      found[1] = Math.min(found[1], part[1]);
      found[2] = Math.max(found[2], part[0]);
      found[3] = Math.max(found[3], part[1]);
    } else part.forEach(walk);
  };
  walk(geometry.coordinates);
  return found[0] === Infinity ? null : found;
}

/** Whether two boxes have a point in common. */
export function boxesMeet(a, b) {
  return a[0] <= b[2] && a[2] >= b[0] && a[1] <= b[3] && a[3] >= b[1];
}

/** Whether the first box lies in the second. */
export function boxWithin(a, b) {
  return a[0] >= b[0] && a[1] >= b[1] && a[2] <= b[2] && a[3] <= b[3];
}

/** A box grown by a share of its own size on each side. */
export function grown([west, south, east, north], share) {
  const x = (east - west) * share;
  const y = (north - south) * share;
  return [Math.max(-180, west - x), Math.max(-90, south - y), Math.min(180, east + x), Math.min(90, north + y)];
}

/** The lines of a geometry: a polygon's are its rings. */
function lines({ type, coordinates }) {
  if (type === "LineString") return [coordinates];
  if (type === "Polygon" || type === "MultiLineString") return coordinates;
  return type === "MultiPolygon" ? coordinates.flat() : [];
}

/** Whether a geometry has a point in a box; `bounds` is its own box, if it is known already. */
export function meets(geometry, view, bounds = box(geometry)) {
  if (!bounds || !boxesMeet(bounds, view)) return false;
  if (geometry.type === "Point" || boxWithin(bounds, view)) return true;
  if (geometry.type === "MultiPoint") return geometry.coordinates.some((point) => inBox(point, view));
  const all = lines(geometry);
  if (all.some((line) => line.some((point, i) => i > 0 && segmentMeets(line[i - 1], point, view)))) return true;
  return geometry.type.endsWith("Polygon") && within([view[0], view[1]], all);
}

function inBox([x, y], [west, south, east, north]) {
  return x >= west && x <= east && y >= south && y <= north;
}

/** Liang-Barsky: whether a segment enters a box. */
function segmentMeets([x0, y0], [x1, y1], [west, south, east, north]) {
  let enter = 0;
  let leave = 1;
  for (const [step, room] of [[x0 - x1, x0 - west], [x1 - x0, east - x0], [y0 - y1, y0 - south], [y1 - y0, north - y0]]) {
    if (step === 0 && room < 0) return false;
    if (step < 0) enter = Math.max(enter, room / step);
    if (step > 0) leave = Math.min(leave, room / step);
  }
  return enter <= leave;
}

/** Even-odd rule over all rings, holes included. */
export function within([x, y], rings) {
  let inside = false;
  for (const ring of rings) {
    for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
      const [[xi, yi], [xj, yj]] = [ring[i], ring[j]];
      if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
    }
  }
  return inside;
}

/** A polygon that stands for a circle of `metres` around a point. */
export function circle([lon, lat], metres, corners = 48) {
  const up = metres / 111_200;
  const across = up / Math.cos((lat * Math.PI) / 180);
  const ring = Array.from({ length: corners + 1 }, (_, i) => {
    const angle = (2 * Math.PI * i) / corners;
    return [lon + across * Math.cos(angle), lat + up * Math.sin(angle)];
  });
  return { type: "Polygon", coordinates: [ring] };
}

/** The middle of a box. */
export function middle([west, south, east, north]) {
  return [(west + east) / 2, (south + north) / 2];
}
