// What the map draws of each collection, and what lies under a pointer. It reads loaded features and fetches nothing.

import { once } from "./format.js";
import { circle } from "./geometry.js";
import { cellRing } from "./grid.js";
import { pictures } from "./symbols.js";
import { fromTiles, gatheredLayers, inView, single, tileSource } from "./tiled.js";

const SCHEMATIC = ["==", ["get", "position"], "schematic"];
const EXACT = ["!=", ["get", "position"], "schematic"];
const INK = "#20262b";
const PAPER = "#fffdf8";
const REGULAR = ["Noto Sans Regular"];
const SEMIBOLD = ["Noto Sans SemiBold"];
const grow = (...stops) => ["interpolate", ["linear"], ["zoom"], ...stops];
const AREA_LABEL = { type: "symbol", minzoom: 12.4, layout: { "text-field": ["get", "name"], "text-font": ["Noto Sans Italic"], "text-size": 12, "text-max-width": 9 }, paint: { "text-color": INK, "text-halo-color": PAPER, "text-halo-width": 1.6 } };
const empty = { type: "FeatureCollection", features: [] };

/** Draws `collections` (in legend order) on `map`; `shows(id)` tells which are switched on. */
export class Layers {
  constructor(map, collections, shows) {
    Object.assign(this, { map, collections, shows, picked: null, ids: [], cells: new Map(), ready: false });
  }

  /** Puts pictures, sources and layers into the style; again after the style has been replaced. */
  install({ onBasemap = false } = {}) {
    const { map, collections } = this;
    this.ready = true;
    for (const one of collections) {
      for (const [name, image] of pictures(one)) if (!map.hasImage(name)) map.addImage(name, image, { pixelRatio: 2 });
      map.addSource(one.id, one.tiled ? tileSource(one) : { type: "geojson", data: empty });
    }
    for (const id of ["cells", "counts", "labels", "picked"]) map.addSource(`:${id}`, { type: "geojson", data: empty });
    const bottomUp = [...collections].reverse();
    const smallOnTop = (a, b) => b.itemCount - a.itemCount; // or a collection hides the special case of itself
    const drawn = (make) => (one, ...rest) => (one.tiled ? fromTiles([make(one, ...rest)].flat(), one) : make(one, ...rest));
    const family = (name, ground = false) => bottomUp.filter(({ sign, ground: is }) => sign.family === name && is === ground);
    const layers = [
      ...family("Polygon", true).flatMap((one) => drawn(groundLayers)(one, onBasemap)),
      ...family("Polygon").flatMap((one) => drawn(areaLayers)(one)),
      ...family("LineString").flatMap((one) => drawn(lineLayers)(one)),
      ...cellLayers(),
      ...family("Point").filter(({ tiled }) => tiled).flatMap(gatheredLayers),
      ...pickedLayers(),
      ...family("Point").sort(smallOnTop).flatMap((one) => drawn(pointLayers)(one)),
      ...family("LineString").flatMap((one) => drawn(lineLabels)(one)),
      ...family("Polygon").filter(({ tiled }) => tiled).map(tiledLabels),
      ...labelLayers(),
    ];
    for (const layer of layers) map.addLayer(layer);
    this.ids = layers.map(({ id, source }) => ({ id, source }));
    for (const one of collections) this.#draw(one);
    this.arrange();
  }

  /** Waits for the next `install`: the style is being replaced. */
  suspend() {
    this.ready = false;
  }

  /** Draws one collection anew. */
  refresh(collection) {
    if (!this.ready) return;
    this.#draw(collection);
    this.arrange();
  }

  /** Shows what is switched on, and what the collections share: squares of cells, labels of areas. */
  arrange() {
    if (!this.ready) return;
    const known = new Set(this.collections.map(({ id }) => id));
    for (const { id, source } of this.ids) {
      if (known.has(source)) this.map.setLayoutProperty(id, "visibility", this.shows(source) ? "visible" : "none");
    }
    const shown = this.collections.filter(({ id }) => this.shows(id));
    this.cells = cells(shown.filter(({ tiled }) => !tiled));
    const squares = [...this.cells].map(([name, { colour, members }]) => square(name, colour, members.length)).filter(({ geometry }) => geometry);
    this.#set("cells", squares);
    this.#count();
    this.#set("labels", shown.filter(({ sign, tiled }) => sign.family === "Polygon" && !tiled).flatMap(labels));
    this.pick(this.picked);
  }

  /** Marks one feature, with the circle in which it lies if that is known. */
  pick(feature) {
    this.picked = feature;
    if (!this.ready) return;
    if (!feature?.shape) return this.#set("picked", []);
    const around = surroundings(feature);
    this.#set("picked", [
      ...(around ? [{ type: "Feature", properties: { around: true }, geometry: around }] : []),
      { type: "Feature", properties: {}, geometry: feature.shape },
    ]);
  }

  /** Notes what of a tiled collection is in view. */
  look(collection) {
    if (!this.ready) return;
    const before = collection.squares.join();
    Object.assign(collection, inView(this.map, collection));
    if (collection.squares.join() !== before) this.#count(); // not each time: what is set is drawn, and what is drawn is looked at
  }

  /**
   * What lies at a pixel: [collection, feature] pairs from the top down, each entry once, and the cell if there is one.
   * Of tiled collections also `circle`, where entries are gathered, and `squares`, whose members must be asked for.
   */
  at({ x, y }) {
    if (!this.ready) return { entries: [], cell: null, squares: [] };
    const near = [[x - 7, y - 7], [x + 7, y + 7]];
    const of = (...endings) => this.ids.map(({ id }) => id).filter((id) => endings.some((ending) => id.endsWith(ending)));
    const query = (where, ids) => (ids.length ? this.map.queryRenderedFeatures(where, { layers: ids }) : []);
    const hits = [
      ...query(near, of(":point")),
      ...query([x, y], of(":cells-fill")),
      ...query(near, of(":line", ":dashed", ":ground-label")),
      ...query([x, y], of(":fill")),
    ];
    const [circle] = query(near, of(":gathered"));
    const counted = query([x, y], of(":square")).map(({ source, properties: { cell, point_count: n } }) => [this.#collection(source), cell, n]);
    const squares = new Set(hits.filter(({ source }) => source === ":cells").map(({ properties }) => properties.cell));
    const found = hits.flatMap((hit) => (hit.source === ":cells" ? this.cells.get(hit.properties.cell)?.members ?? [] : this.#loaded(hit)));
    const common = { circle, squares: [...new Map(counted.map((one) => [`${one[0].id}/${one[1]}`, one])).values()] };
    return { ...common, entries: once(found), cell: squares.size === 1 && found.length === this.cells.get([...squares][0])?.members.length ? [...squares][0] : null };
  }

  /** Numbers of all squares, of loaded collections and of tiled ones. */
  #count() {
    const loaded = [...this.cells].map(([name, { colour, members }]) => square(name, colour, members.length));
    const tiled = this.collections.filter(({ id }) => this.shows(id)).flatMap(({ squares, colour }) => squares.map(([name, n]) => square(name, colour, n)));
    this.#set("counts", [...loaded, ...tiled].filter(({ geometry }) => geometry).map(corner));
  }

  #collection(id) {
    return this.collections.find((one) => one.id === id);
  }

  #loaded(hit) {
    const { source, id, properties } = hit;
    const collection = this.#collection(properties.collection ?? source);
    if (collection?.tiled) return [[collection, single(hit)]];
    const feature = collection?.features.find((one) => one.id === (properties.fid ?? id));
    return feature ? [[collection, feature]] : [];
  }

  #draw(collection) {
    if (collection.tiled) return;
    const features = collection.features.filter(({ properties }) => properties.position !== "cell").map(slim);
    this.map.getSource(collection.id)?.setData({ type: "FeatureCollection", features });
  }

  #set(id, features) {
    this.map.getSource(`:${id}`)?.setData({ type: "FeatureCollection", features });
  }
}

/** The circle in which an approximate point lies, or null. */
export function surroundings({ shape, properties: { position, position_accuracy_m: metres } }) {
  return shape?.type === "Point" && position === "approximate" && metres > 0 ? circle(shape.coordinates, metres) : null;
}

/** Entries by the cell that they are published for: name -> {colour, members}. Larger cells come first and lie below. */
export function cells(collections) {
  const found = new Map();
  for (const collection of collections) {
    for (const feature of collection.features) {
      const { position, cell } = feature.properties;
      if (position !== "cell" || !cell) continue;
      if (!found.has(cell)) found.set(cell, { colour: collection.colour, members: [] });
      found.get(cell).members.push([collection, feature]);
    }
  }
  for (const entry of found.values()) entry.members = once(entry.members);
  const size = ([name]) => Number(/RES(\d+)m/.exec(name)?.[1] ?? 0);
  return new Map([...found].sort((a, b) => size(b) - size(a)));
}

function square(cell, colour, count) {
  const ring = cellRing(cell);
  return { type: "Feature", properties: { cell, colour, count }, geometry: ring && { type: "Polygon", coordinates: [ring] } };
}

/** Where the count of a square stands: in its upper left corner, or the counts of squares within squares would meet. */
function corner({ properties, geometry }) {
  return { type: "Feature", properties, geometry: { type: "Point", coordinates: geometry.coordinates[0][3] } };
}

/** Only what the style asks for travels to the worker. */
function slim({ id, geometry, properties: { name, position } }) {
  return { type: "Feature", id, geometry, properties: { name, position } };
}

/** One label an area, at the middle of its largest part: the tiles of a polygon would each put one. */
function labels(collection) {
  return collection.features.filter(({ shape }) => shape?.type.endsWith("Polygon") && collection.sign.family === "Polygon").map((feature) => ({
    type: "Feature",
    properties: { name: feature.properties.name, collection: collection.id, fid: feature.id, ground: collection.ground, colour: collection.colour },
    geometry: { type: "Point", coordinates: heart(feature.shape) },
  }));
}

/** The centroid of the largest ring. */
function heart({ type, coordinates }) {
  const rings = type === "Polygon" ? [coordinates[0]] : coordinates.map(([outer]) => outer);
  const weighed = rings.map((ring) => {
    let [area, x, y] = [0, 0, 0];
    const [x0, y0] = ring[0];
    for (let i = 1; i < ring.length; i++) {
      const [ax, ay, bx, by] = [ring[i - 1][0] - x0, ring[i - 1][1] - y0, ring[i][0] - x0, ring[i][1] - y0];
      const cross = ax * by - bx * ay;
      area += cross;
      x += (ax + bx) * cross;
      y += (ay + by) * cross;
    }
    return area ? [Math.abs(area), x0 + x / (3 * area), y0 + y / (3 * area)] : [0, x0, y0];
  });
  return weighed.reduce((best, one) => (one[0] > best[0] ? one : best)).slice(1);
}

function groundLayers({ id }, onBasemap) {
  return [
    { id: `${id}:ground`, source: id, type: "fill", paint: { "fill-color": PAPER, "fill-opacity": onBasemap ? 0 : 1 } },
    { id: `${id}:shade`, source: id, type: "line", layout: { "line-join": "round" }, paint: { "line-color": "#a8976f", "line-width": grow(9, 3, 15, 12), "line-opacity": 0.22 } },
    { id: `${id}:border`, source: id, type: "line", filter: EXACT, layout: { "line-join": "round" }, paint: { "line-color": "#7c6f57", "line-width": grow(9, 0.8, 15, 1.8) } },
    { id: `${id}:dashed`, source: id, type: "line", filter: SCHEMATIC, layout: { "line-join": "round" }, paint: { "line-color": "#7c6f57", "line-width": grow(9, 0.8, 15, 1.8), "line-dasharray": [4, 3] } },
  ];
}

function areaLayers({ id, colour, sign }) {
  const line = { source: id, type: "line", layout: { "line-join": "round" } };
  return [
    { id: `${id}:fill`, source: id, type: "fill", paint: { "fill-color": colour, "fill-opacity": ["case", SCHEMATIC, 0.08, 0.18], "fill-outline-color": "rgba(0,0,0,0)" } },
    ...(sign.tile ? [{ id: `${id}:tile`, source: id, type: "fill", paint: { "fill-pattern": `${id}:tile`, "fill-opacity": ["case", SCHEMATIC, 0.45, 0.8] } }] : []),
    { ...line, id: `${id}:line`, filter: EXACT, paint: { "line-color": colour, "line-width": grow(10, 0.7, 15, 1.8) } },
    { ...line, id: `${id}:dashed`, filter: SCHEMATIC, paint: { "line-color": colour, "line-width": grow(10, 1, 15, 2.2), "line-dasharray": [3, 2.2] } },
  ];
}

function lineLayers({ id, colour, sign }) {
  const wide = sign.line === "plain" ? [10, 1.4, 15, 3.6] : [10, 1.8, 15, 5.2];
  const round = { "line-join": "round", "line-cap": "round" };
  const line = { source: id, type: "line" };
  return [
    { ...line, id: `${id}:casing`, layout: round, paint: { "line-color": PAPER, "line-width": grow(10, 2.6, 15, wide[3] + 2.6), "line-opacity": 0.9 } },
    { ...line, id: `${id}:line`, layout: round, filter: EXACT, paint: { "line-color": colour, "line-width": grow(...wide) } },
    { ...line, id: `${id}:dashed`, layout: { "line-join": "round" }, filter: SCHEMATIC, paint: { "line-color": colour, "line-width": grow(...wide), "line-dasharray": [2.4, 1.6] } },
    ...(sign.line === "double" ? [{ ...line, id: `${id}:core`, layout: round, paint: { "line-color": PAPER, "line-width": grow(10, 0.6, 15, 1.8) } }] : []),
    ...(sign.line === "beads" ? [{ id: `${id}:beads`, source: id, type: "symbol", minzoom: 12, layout: { "symbol-placement": "line", "symbol-spacing": 22, "icon-image": `${id}:bead`, "icon-size": 0.5, "icon-allow-overlap": true, "icon-ignore-placement": true } }] : []),
  ];
}

function pointLayers({ id, colour }) {
  return [{
    id: `${id}:point`,
    source: id,
    type: "symbol",
    layout: {
      "icon-image": ["case", ["==", ["get", "position"], "approximate"], `${id}:hollow`, `${id}:solid`],
      "icon-size": grow(9, 0.4, 12, 0.62, 15, 0.95, 18, 1.15),
      "icon-allow-overlap": true,
      "icon-ignore-placement": false,
      "text-field": ["step", ["zoom"], "", 14, ["get", "name"]],
      "text-font": REGULAR,
      "text-size": 12,
      "text-max-width": 11,
      "text-variable-anchor": ["left", "right", "top", "bottom"],
      "text-radial-offset": 0.95,
      "text-justify": "auto",
      "text-optional": true,
    },
    paint: { "text-color": INK, "text-halo-color": PAPER, "text-halo-width": 1.6 },
  }];
}

function lineLabels({ id }) {
  return {
    id: `${id}:name`,
    source: id,
    type: "symbol",
    minzoom: 12.5,
    layout: { "symbol-placement": "line", "text-field": ["get", "name"], "text-font": ["Noto Sans Italic"], "text-size": 11.5, "symbol-spacing": 420, "text-offset": [0, -0.9] },
    paint: { "text-color": INK, "text-halo-color": PAPER, "text-halo-width": 1.6 },
  };
}

function cellLayers() {
  const source = ":cells";
  return [
    { id: ":cells-fill", source, type: "fill", paint: { "fill-color": ["get", "colour"], "fill-opacity": 0.2 } },
    { id: ":cells-outline", source, type: "line", layout: { "line-join": "round" }, paint: { "line-color": ["get", "colour"], "line-width": grow(10, 0.8, 15, 2) } },
  ];
}

function pickedLayers() {
  const source = ":picked";
  const exact = ["!", ["to-boolean", ["get", "around"]]];
  const around = ["to-boolean", ["get", "around"]];
  const point = ["==", ["geometry-type"], "Point"];
  return [
    { id: ":picked-around", source, type: "fill", filter: around, paint: { "fill-color": "#e5a435", "fill-opacity": 0.09 } },
    { id: ":picked-rim", source, type: "line", filter: around, paint: { "line-color": "#8a5a00", "line-width": 1.2, "line-dasharray": [3, 3] } },
    { id: ":picked-halo", source, type: "line", filter: exact, layout: { "line-join": "round", "line-cap": "round" }, paint: { "line-color": "#e5a435", "line-width": grow(10, 6, 15, 10), "line-opacity": 0.85 } },
    { id: ":picked-line", source, type: "line", filter: exact, layout: { "line-join": "round" }, paint: { "line-color": INK, "line-width": grow(10, 1.2, 15, 2) } },
    { id: ":picked-point", source, type: "circle", filter: ["all", exact, point], paint: { "circle-radius": grow(9, 9, 15, 17, 18, 20), "circle-color": "#e5a435", "circle-opacity": 0.5, "circle-stroke-color": INK, "circle-stroke-width": 2 } },
  ];
}

/** Names of areas that are drawn from tiles: each tile has its own part of an area, and so its own label. */
function tiledLabels({ id }) {
  return { ...AREA_LABEL, id: `${id}:name`, source: id, "source-layer": id };
}

function labelLayers() {
  const source = ":labels";
  const ground = ["to-boolean", ["get", "ground"]];
  return [
    { id: ":cells-count", source: ":counts", type: "symbol", minzoom: 12, layout: { "text-field": ["to-string", ["get", "count"]], "text-font": SEMIBOLD, "text-size": grow(12, 10, 15, 16), "text-anchor": "top-left", "text-offset": [0.35, 0.15], "text-allow-overlap": true }, paint: { "text-color": INK, "text-halo-color": PAPER, "text-halo-width": 1.8 } },
    { ...AREA_LABEL, id: ":labels-area", source, filter: ["!", ground] },
    { id: ":ground-label", source, type: "symbol", filter: ground, layout: { "text-field": ["get", "name"], "text-font": SEMIBOLD, "text-transform": "uppercase", "text-letter-spacing": 0.18, "text-size": grow(9, 10, 14, 14), "text-max-width": 9 }, paint: { "text-color": "#6b5f49", "text-halo-color": PAPER, "text-halo-width": 1.5 } },
  ];
}
