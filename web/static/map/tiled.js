// Collections too large to be loaded: drawn from their vector tiles, as circles that count, squares that count, and single entries.

import { get } from "./api.js";
import { prepare } from "./data.js";
import { setup } from "./words.js";

const PAPER = "#fffdf8";
const GATHERED = ["any", ["has", "point_count"], ["==", ["get", "position"], "cell"]];
const count = ["coalesce", ["get", "point_count"], 1];

/** Where the map finds a collection's tiles. */
export function tileSource({ id }) {
  const path = `/collections/${encodeURIComponent(id)}/tiles/WebMercatorQuad?f=tilejson&lang=${setup.lang}`;
  return { type: "vector", url: new URL(path, location.href).href };
}

/** Tiles are named by the service's public address; the page asks the host that it came from itself. */
export function ownTiles(collections) {
  const paths = collections.filter(({ tiled }) => tiled).map(({ id }) => `/collections/${encodeURIComponent(id)}/tiles/`);
  return (url) => {
    const { origin, pathname, search } = new URL(url, location.href);
    return { url: origin !== location.origin && paths.some((path) => pathname.startsWith(path)) ? location.origin + pathname + search : url };
  };
}

/** The same layers, reading a tile's layer instead of loaded features; a cell is no single entry. */
export function fromTiles(layers, { id, sign }) {
  const single = ["!", GATHERED];
  const filtered = (layer) => (sign.family !== "Point" ? layer : { ...layer, filter: layer.filter ? ["all", single, layer.filter] : single });
  return layers.map((layer) => filtered({ ...layer, "source-layer": id }));
}

/** Circles sized by how many they stand for, and squares of homes; each tile would tell a square's number anew, so that stands elsewhere. */
export function gatheredLayers({ id, colour }) {
  const text = { "text-font": ["Noto Sans SemiBold"], "text-size": 12, "symbol-sort-key": ["-", count], "text-padding": 1 };
  const square = { source: id, "source-layer": `${id}:squares` };
  const circle = { source: id, "source-layer": id, filter: GATHERED };
  const written = ["case", [">=", count, 10_000], ["concat", ["to-string", ["round", ["/", count, 1000]]], "k"], ["to-string", count]];
  return [
    { ...square, id: `${id}:square`, type: "fill", paint: { "fill-color": colour, "fill-opacity": 0.2 } },
    { ...square, id: `${id}:square-edge`, type: "line", paint: { "line-color": colour, "line-width": 1.5 } },
    { ...circle, id: `${id}:gathered`, type: "circle", layout: { "circle-sort-key": count }, paint: { "circle-color": colour, "circle-opacity": 0.85, "circle-stroke-color": PAPER, "circle-stroke-width": 1, "circle-radius": ["interpolate", ["linear"], ["log10", count], 0, 5, 1, 9, 2, 12, 3, 15, 5, 19] } },
    { ...circle, id: `${id}:gathered-count`, type: "symbol", filter: [">", count, 1], layout: { ...text, "text-field": written, "text-allow-overlap": true }, paint: { "text-color": "#ffffff", "text-halo-color": colour, "text-halo-width": 1 } },
  ];
}

/** What of a collection the map shows now: single entries, squares by name, and how many are gathered in circles. */
export function inView(map, { id, sign }) {
  const query = (layers) => map.queryRenderedFeatures({ layers: layers.map((name) => `${id}:${name}`).filter((name) => map.getLayer(name)) });
  const drawn = { Point: ["point"], LineString: ["line", "dashed"], Polygon: ["fill"] }[sign.family];
  const singles = new Map(query(drawn).map((hit) => [hit.id, single(hit)]));
  if (sign.family !== "Point") return { features: [...singles.values()], squares: [], gathered: 0 };
  const squares = new Map(query(["square"]).map(({ properties: { cell, point_count } }) => [cell, point_count]));
  const circles = new Map(query(["gathered"]).map(({ geometry, properties }) => [geometry.coordinates.join(), properties.point_count ?? 1]));
  return { features: [...singles.values()], squares: [...squares], gathered: [...circles.values()].reduce((sum, n) => sum + n, 0) };
}

/** An entry as far as its tile tells it; whoever opens it asks for the rest. */
export function single({ id, geometry, properties }) {
  return prepare({ type: "Feature", id, geometry, properties: { ...properties }, partial: true });
}

/** The members of squares, [collection, feature] pairs: `squares` are [collection, name of the cell] pairs. */
export async function members(squares) {
  const found = await Promise.all(squares.map(async ([collection, cell]) => {
    const { features } = await get(`/collections/${collection.id}/items`, { cell, limit: 1000 });
    return features.map((feature) => [collection, prepare(feature)]);
  }));
  return found.flat();
}
