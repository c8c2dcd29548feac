// The little map of one declaration: its exact point and its public square, where a correction would move it, and its likely duplicates.

import { AttributionControl, LngLatBounds, Map as MapLibre, Marker, NavigationControl, ScaleControl } from "maplibre-gl";

import { el } from "../map/dom.js";
import { cellRing } from "../map/grid.js";
import { basemapStyle, paper } from "../map/ground.js";
import { setup } from "../map/words.js";

const { points, squares } = JSON.parse(document.getElementById("drawn").textContent);
const place = document.getElementById("place");
const mark = (what) => (document.documentElement.dataset.map = what);

/** The ground: the town's basemap, else the territory's own map, else paper. */
async function ground() {
  try {
    return (await basemapStyle()) ?? (await territory());
  } catch {
    return paper;
  }
}

async function territory() {
  const answer = await fetch(`/styles/territory?lang=${setup.lang}`, { credentials: "omit" });
  return answer.ok ? answer.json() : paper;
}

/** Addresses of the territory's style as this page's own host names them; a basemap's stay what they are. */
function own(url) {
  const { pathname, search } = new URL(url, location.href);
  return { url: setup.basemap ? url : location.origin + decodeURI(pathname) + search };
}

function bounds() {
  const all = new LngLatBounds();
  for (const { at } of points) all.extend(at);
  for (const { cell } of squares) for (const corner of cellRing(cell) ?? []) all.extend(corner);
  return all;
}

function addSquares(map) {
  const features = squares.map(({ kind, cell }) => ({
    type: "Feature",
    properties: { kind },
    geometry: { type: "Polygon", coordinates: [cellRing(cell)] },
  }));
  map.addSource("squares", { type: "geojson", data: { type: "FeatureCollection", features } });
  const colour = ["match", ["get", "kind"], "after", "#b86b00", "#1d4b41"];
  map.addLayer({ id: "squares-fill", type: "fill", source: "squares", paint: { "fill-color": colour, "fill-opacity": 0.14 } });
  map.addLayer({ id: "squares-line", type: "line", source: "squares", paint: { "line-color": colour, "line-width": 2.5, "line-dasharray": [2, 1.2] } });
}

function addPoints(map) {
  for (const { kind, label, at } of points) {
    new Marker({ element: el("div", { class: `dot ${kind} on-map`, "aria-hidden": "true" }, label) }).setLngLat(at).addTo(map);
  }
}

async function start() {
  mark("busy");
  let map;
  try {
    map = new MapLibre({
      container: place,
      style: await ground(),
      bounds: bounds(),
      fitBoundsOptions: { padding: 40, maxZoom: 17 },
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      cooperativeGestures: false,
      scrollZoom: false,
      maxZoom: 19,
      transformRequest: own,
      locale: setup.words.maplibre,
      fadeDuration: 0,
    });
  } catch {
    return mark("failed");
  }
  map.touchZoomRotate.disableRotation();
  map.addControl(new NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new ScaleControl({ maxWidth: 100 }), "bottom-left");
  map.addControl(new AttributionControl({ compact: true }), "bottom-right");
  map.getCanvas().setAttribute("aria-label", setup.words.map);
  map.on("load", () => {
    addSquares(map);
    addPoints(map);
  });
  map.on("idle", () => mark("idle"));
  map.on("movestart", () => mark("busy"));
  globalThis.gohelle = { map };
}

start();
document.getElementById("summary")?.focus();
