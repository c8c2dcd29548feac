// Where the installation is: the pin on the map, the named places, and the square that will be public. Nothing of it is asked of anybody.

import { Map as MapLibre, Marker, NavigationControl } from "maplibre-gl";

import { byId, svg } from "../map/dom.js";
import { cellName, cellRing } from "../map/grid.js";
import { basemapStyle } from "../map/ground.js";
import { setup, t } from "../map/words.js";
import { openAddresses } from "./addresses.js";
import { writeNames } from "./names.js";
import { outlines, whereabouts } from "./outline.js";

const SIDES = { cell_200m: 200, cell_1km: 1000 };
const NEAR = { paper: 13, basemap: 15 }; // the zooms a pin is flown to: without a basemap, nearer is nothing but paper
const SAID = { in: "pin_set", near: "pin_near", out: "pin_outside" };
const still = matchMedia("(prefers-reduced-motion: reduce)");

let known = []; // the communes' outlines, once they are here

/** Wires the place of the form; `close` gives the map back. */
export function openPlace(form) {
  const fields = form.elements;
  let pin = fields.lon.value && fields.lat.value ? [Number(fields.lon.value), Number(fields.lat.value)] : null;
  const board = openBoard((point) => put(point, "pin"));
  const chosen = () => form.querySelector("[name=precision]:checked")?.value ?? "cell_200m";

  function put(point, by) {
    pin = point.map((degrees) => Math.round(degrees * 1e6) / 1e6);
    [fields.lon.value, fields.lat.value] = pin;
    fields.located_by.value = by;
    if (by !== "place") fields.place_name.value = "";
    judge();
    draw(by !== "pin");
  }

  function judge() {
    const where = whereabouts(pin, known, setup.bounds);
    byId("pin-status").textContent = t(SAID[where]);
    byId("pin-status").classList.toggle("wrong", where === "out");
  }

  function draw(travel) {
    const size = SIDES[chosen()];
    const allowed = pin && whereabouts(pin, known, setup.bounds) !== "out"; // outside, nothing becomes public
    const cell = allowed && size ? cellName(pin, size) : null;
    byId("square").textContent = told(allowed, chosen(), size, cell);
    board.show(pin, cell && cellRing(cell), travel);
  }

  form.querySelectorAll("[name=precision]").forEach((one) => one.addEventListener("change", () => draw(false)));
  fields.place_name.addEventListener("change", () => fields.place_name.value && put(fields.place_name.value.split(",").map(Number), "place"));
  byId("pin-here").addEventListener("click", () => put(board.middle(), "pin"));
  openAddresses(fields.address, (point) => put(point, "address"));
  const learn = (found) => {
    known = found;
    if (!pin) return;
    judge();
    draw(false);
  };
  if (pin) judge();
  draw(true);
  if (!known.length) outlines(setup.outlines, setup.communes).then(learn, () => {}); // without them the register judges alone
  return { close: () => board.close() };
}

function told(allowed, precision, size, cell) {
  if (precision === "statistics") return t("square_statistics");
  if (precision === "exact") return t("square_exact");
  return allowed ? t("square", { size: size === 1000 ? "1\u00a0km" : "200\u00a0m", cell }) : t("square_none");
}

/** The map with pin and square; without WebGL there is none, and the form works on. */
function openBoard(choose) {
  let map;
  try {
    map = new MapLibre({ container: "pin-map", style: "/styles/territory", bounds: setup.bounds, attributionControl: { compact: true }, dragRotate: false, pitchWithRotate: false, touchPitch: false, maxZoom: 19, locale: setup.words.maplibre, fadeDuration: still.matches ? 0 : 200, cooperativeGestures: false });
  } catch {
    byId("pin-map").textContent = t("no_map");
    return { show() {}, middle: () => [(setup.bounds[0] + setup.bounds[2]) / 2, (setup.bounds[1] + setup.bounds[3]) / 2], close() {} };
  }
  map.touchZoomRotate.disableRotation();
  map.addControl(new NavigationControl({ showCompass: false }), "top-right");
  const marker = new Marker({ element: drawnPin(), anchor: "bottom", draggable: true });
  let shown = [null, null];
  let placed = false;
  const lay = () => {
    const [, ring] = shown;
    const data = { type: "FeatureCollection", features: ring ? [{ type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [ring] } }] : [] };
    const source = map.getSource("square");
    if (source) return source.setData(data);
    map.addSource("square", { type: "geojson", data });
    const under = map.getLayer("places") && "places"; // names stay readable over it
    map.addLayer({ id: "square", type: "fill", source: "square", paint: { "fill-color": "#e5a435", "fill-opacity": 0.35 } }, under);
    map.addLayer({ id: "square-edge", type: "line", source: "square", paint: { "line-color": "#8a5a00", "line-width": 2.5 } }, under);
  };
  let ground = "paper";
  map.on("style.load", () => {
    if (ground === "paper") writeNames(map);
    lay();
  });
  map.on("idle", () => (document.documentElement.dataset.map = "idle"));
  map.on("movestart", () => (document.documentElement.dataset.map = "busy"));
  map.on("click", ({ lngLat }) => choose(lngLat.toArray()));
  marker.on("dragend", () => choose(marker.getLngLat().toArray()));
  const canvas = map.getCanvas();
  canvas.setAttribute("aria-label", t("map"));
  canvas.addEventListener("keydown", (event) => event.key === "Enter" && (event.preventDefault(), choose(map.getCenter().toArray())));
  canvas.addEventListener("focus", () => (byId("crosshair").hidden = !canvas.matches(":focus-visible")));
  canvas.addEventListener("blur", () => (byId("crosshair").hidden = true));
  if (setup.basemap) basemapStyle().then((style) => ((ground = "basemap"), map.setStyle(style, { diff: false })), () => {}); // else the territory stays
  globalThis.gohelle = { map };
  return {
    middle: () => map.getCenter().toArray(),
    close: () => map.remove(),
    show(pin, ring, travel) {
      shown = [pin, ring];
      if (map.isStyleLoaded() || map.getSource("square")) lay();
      if (!pin) return;
      marker.setLngLat(pin);
      if (!placed) marker.addTo(map);
      const way = { center: pin, zoom: Math.max(map.getZoom(), NEAR[ground]) };
      if (travel || !placed) still.matches || !placed ? map.jumpTo(way) : map.easeTo(way);
      placed = true;
    },
  };
}

function drawnPin() {
  return svg("svg", { class: "pin", viewBox: "0 0 30 42", role: "img", "aria-label": t("pin_set") },
    svg("path", { d: "M15 41C11 31 2 24 2 14.500a13 13 0 0 1 26 0C28 24 19 31 15 41z", fill: "#1d4b41", stroke: "#fff", "stroke-width": "2" }),
    svg("circle", { cx: "15", cy: "15", r: "5", fill: "#e5a435" }));
}
