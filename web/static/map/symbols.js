// Signs: a shape, a hatching or a kind of line for each collection beside its colour, drawn for the map and for the legend.

import { svg } from "./dom.js";

const SIZE = 24; // a sign's own box; paths are centred on 12,12

/** Outlines of point signs, in the order in which collections receive them. */
const SHAPES = [
  "M12 5a7 7 0 1 0 0 14a7 7 0 1 0 0-14z", // disc
  "M6 6h12v12H6z", // square
  "M12 4.2 20 18.6H4z", // triangle
  "M12 3.5 20.5 12 12 20.5 3.5 12z", // diamond
  "M9.5 4.5h5v5h5v5h-5v5h-5v-5h-5v-5h5z", // cross
  "M12 3.6 14.4 9.2 20.4 9.7 15.8 13.6 17.2 19.5 12 16.4 6.8 19.5 8.2 13.6 3.6 9.7 9.6 9.2z", // star
  "M12 4 19 8v8l-7 4-7-4V8z", // hexagon
  "M4 5.4h16L12 19.8z", // triangle on its tip
  "M12 4.2 19.8 9.9 16.8 19H7.2L4.2 9.9z", // pentagon
  "M12 3.5c3.6 4.6 5.8 7.4 5.8 10.4a5.8 5.8 0 0 1-11.6 0C6.2 10.9 8.4 8.1 12 3.5z", // drop
];

/** Hatchings of areas: strokes in a 16 by 16 tile that fits its neighbours. */
const HATCHINGS = [
  "M-4 4 4-4M-4 20 20-4M12 20 20 12", // rising
  "M4 4h.01M12 12h.01", // dots
  "M-4 12 4 20M-4-4 20 20M12-4 20 4", // falling
  "M0 4h16M0 12h16", // level
  "M4 0v16M12 0v16", // upright
  "M5 8h6M8 5v6", // small crosses
  "M0 8h16M8 0v16", // grid
];

/** Kinds of lines: what runs along the middle of the stroke. Dashes are kept for what is schematic. */
const LINES = ["plain", "double", "beads"];

/** Gives each collection its sign, by its geometry and its place among its like. */
export function assignSigns(collections) {
  const next = {};
  for (const one of collections) {
    const family = one.geometryType?.replace("Multi", "");
    const pick = (list) => list[(next[family] = (next[family] ?? -1) + 1) % list.length];
    one.ground = one.kind === "communes";
    one.colour = /^#[0-9a-f]{6}$/i.test(one.colour ?? "") ? one.colour : "#4a5560";
    if (one.ground) one.sign = { family, tile: "" };
    else if (family === "Point") one.sign = { family, shape: pick(SHAPES) };
    else if (family === "LineString") one.sign = { family, line: pick(LINES) };
    else if (family === "Polygon") one.sign = { family, tile: pick(HATCHINGS) };
  }
}

/** The sign for the legend, as a small SVG. */
export function swatch({ sign, colour, ground }) {
  const picture = svg("svg", { class: "swatch", viewBox: "0 0 24 24", width: 24, height: 24, "aria-hidden": "true" });
  if (sign?.shape) picture.append(svg("path", { d: sign.shape, fill: colour }));
  if (sign?.line) {
    picture.append(svg("path", { d: "M2 17C8 17 9 7 22 7", stroke: colour, "stroke-width": sign.line === "plain" ? 3.5 : 5, fill: "none" }));
    if (sign.line === "double") picture.append(svg("path", { d: "M2 17C8 17 9 7 22 7", stroke: "#fff", "stroke-width": 1.8, fill: "none" }));
    if (sign.line === "beads") picture.append(svg("path", { d: "M6 16.2h.01M12 12h.01M18 7.6h.01", stroke: "#fff", "stroke-width": 3, "stroke-linecap": "round" }));
  }
  if (sign?.family === "Polygon") {
    const id = `tile-${++tiles}`;
    picture.append(
      svg("defs", {}, svg("pattern", { id, width: 8, height: 8, patternUnits: "userSpaceOnUse" },
        svg("path", { d: sign.tile || "M0 0", stroke: colour, "stroke-width": strokeOf(sign.tile), "stroke-linecap": "round", transform: "scale(.5)" }))),
      svg("rect", { x: 2, y: 4, width: 20, height: 16, rx: 2, fill: ground ? "#fffdf8" : colour, "fill-opacity": ground ? 1 : 0.16 }),
      svg("rect", { x: 2, y: 4, width: 20, height: 16, rx: 2, fill: `url(#${id})`, stroke: ground ? "#8d8068" : colour, "stroke-width": 1.5 }),
    );
  }
  return picture;
}

let tiles = 0;
const strokeOf = (tile) => (tile.includes("h.01") ? 4 : 1.6);

/** The pictures that the map draws a collection with: [name, ImageData] pairs at twice the size. */
export function* pictures(collection) {
  const { id, sign, colour } = collection;
  if (sign?.shape) {
    yield [`${id}:solid`, pointPicture(sign.shape, colour, colour)];
    yield [`${id}:hollow`, pointPicture(sign.shape, colour, "#fffdf8")];
  }
  if (sign?.line === "beads") yield [`${id}:bead`, pointPicture(SHAPES[0], "#ffffff", "#ffffff", 0.45)];
  if (sign?.tile) yield [`${id}:tile`, tilePicture(sign.tile, colour)];
}

function pointPicture(d, colour, fill, size = 1) {
  const side = SIZE * 2 + 8;
  const pen = canvas(side, side);
  pen.translate(side / 2, side / 2);
  pen.scale(2 * size, 2 * size);
  pen.translate(-12, -12);
  pen.lineJoin = "round";
  const outline = new Path2D(d);
  pen.strokeStyle = "#ffffff";
  pen.lineWidth = fill === colour ? 3.2 : 5;
  pen.stroke(outline);
  pen.fillStyle = fill;
  pen.fill(outline);
  pen.strokeStyle = colour;
  pen.lineWidth = fill === colour ? 0.6 : 2.4;
  pen.stroke(outline);
  return pen.getImageData(0, 0, side, side);
}

function tilePicture(d, colour) {
  const pen = canvas(32, 32);
  pen.scale(2, 2);
  pen.strokeStyle = colour;
  pen.globalAlpha = 0.6;
  pen.lineCap = "round";
  pen.lineWidth = d.includes("h.01") ? 2.6 : 1;
  pen.stroke(new Path2D(d));
  return pen.getImageData(0, 0, 32, 32);
}

function canvas(width, height) {
  return Object.assign(document.createElement("canvas"), { width, height }).getContext("2d");
}
