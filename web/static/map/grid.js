// The European grid: ETRS89-LAEA (EPSG:3035) forward and inverse on the ellipsoid, and the squares that INSPIRE cell names stand for.

const RAD = Math.PI / 180;
const A = 6378137; // GRS 80
const E2 = 0.006694380022900787;
const E = Math.sqrt(E2);
const LON0 = 10 * RAD;
const LAT0 = 52 * RAD;
const FALSE_EAST = 4321000;
const FALSE_NORTH = 3210000;

/** The authalic function q of a latitude's sine (Snyder, Map Projections, 3-12). */
function q(sin) {
  return (1 - E2) * (sin / (1 - E2 * sin * sin) - Math.log((1 - E * sin) / (1 + E * sin)) / (2 * E));
}

const QP = q(1);
const RQ = A * Math.sqrt(QP / 2);
const BETA0 = Math.asin(q(Math.sin(LAT0)) / QP);
const D = (A * Math.cos(LAT0)) / Math.sqrt(1 - E2 * Math.sin(LAT0) ** 2) / (RQ * Math.cos(BETA0));

/** Longitude and latitude in degrees to [easting, northing] in metres. */
export function forward(lon, lat) {
  const beta = Math.asin(q(Math.sin(lat * RAD)) / QP);
  const away = lon * RAD - LON0;
  const b = RQ * Math.sqrt(2 / (1 + Math.sin(BETA0) * Math.sin(beta) + Math.cos(BETA0) * Math.cos(beta) * Math.cos(away)));
  return [
    FALSE_EAST + b * D * Math.cos(beta) * Math.sin(away),
    FALSE_NORTH + (b / D) * (Math.cos(BETA0) * Math.sin(beta) - Math.sin(BETA0) * Math.cos(beta) * Math.cos(away)),
  ];
}

/** Easting and northing in metres to [longitude, latitude] in degrees. */
export function inverse(east, north) {
  const x = (east - FALSE_EAST) / D;
  const y = (north - FALSE_NORTH) * D;
  const rho = Math.hypot(x, y);
  if (rho === 0) return [LON0 / RAD, LAT0 / RAD];
  const c = 2 * Math.asin(rho / (2 * RQ));
  const beta = Math.asin(Math.cos(c) * Math.sin(BETA0) + (y * Math.sin(c) * Math.cos(BETA0)) / rho);
  const lon = LON0 + Math.atan2(x * Math.sin(c), rho * Math.cos(BETA0) * Math.cos(c) - y * Math.sin(BETA0) * Math.sin(c));
  const lat =
    beta +
    (E2 / 3 + (31 * E2 ** 2) / 180 + (517 * E2 ** 3) / 5040) * Math.sin(2 * beta) +
    ((23 * E2 ** 2) / 360 + (251 * E2 ** 3) / 3780) * Math.sin(4 * beta) +
    ((761 * E2 ** 3) / 45360) * Math.sin(6 * beta);
  return [lon / RAD, lat / RAD];
}

/** What a cell name says: its side and its lower left corner in metres; null if it is no such name. */
export function parseCell(name) {
  const match = /^CRS3035RES(\d+)mN(\d+)E(\d+)$/.exec(name ?? "");
  return match && { size: Number(match[1]), north: Number(match[2]), east: Number(match[3]) };
}

/** The name of the square of that side, in metres, that a point in degrees lies in. */
export function cellName([lon, lat], size) {
  const [east, north] = forward(lon, lat).map((metres) => Math.floor(metres / size) * size);
  return `CRS3035RES${size}mN${north}E${east}`;
}

/** The closed ring of a cell in degrees, counter-clockwise from its lower left corner; null if the name is none. */
export function cellRing(name) {
  const cell = parseCell(name);
  if (!cell) return null;
  const { size, north, east } = cell;
  const corners = [[0, 0], [size, 0], [size, size], [0, size], [0, 0]];
  return corners.map(([x, y]) => inverse(east + x, north + y));
}
